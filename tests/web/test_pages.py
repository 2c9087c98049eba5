"""What the API says of itself: OpenAPI, its page, and the page of problems."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import httpx
import pytest
from openapi_spec_validator import validate
from web.conftest import Door

from signoff.models.messages import ApprovalRequest
from signoff.models.receipt import Status
from signoff.web.problems import TYPES
from signoff.web.terms import LONGEST
from signoff.web.v1.decisions import MOST, Ack
from signoff.web.v1.fields import ABOUT

ROOT = Path(__file__).parents[2]


@pytest.fixture
def anybody(door: Door) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=door.url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_api_describes_itself_and_all_its_routes(door: Door, anybody: httpx.Client) -> None:
    said = anybody.get("/v1/openapi.json").json()
    validate(said)
    assert said["openapi"].startswith("3.1") and said["servers"] == [{"url": door.url}]
    real = {
        (path, method.lower())
        for path, method in door.routes()
        if path.startswith("/v1/") or path.endswith("jwks.json")
    }
    pages = {("/v1/openapi.json", "get"), ("/v1/docs", "get"), ("/v1/errors", "get")}
    assert {(path, method) for path, calls in said["paths"].items() for method in calls} == real - pages
    schemas = said["components"]["schemas"]
    assert set(schemas["State"]["properties"]["status"]["enum"]) == {"pending", *get_args(Status)}
    assert schemas["Ack"] == Ack.model_json_schema()
    bounds = {
        one["name"]: (one["schema"].get("minimum"), one["schema"].get("maximum"))
        for one in said["paths"]["/v1/decisions"]["get"]["parameters"]
    }
    assert bounds["limit"] == (1, MOST) and bounds["wait"] == (0, LONGEST)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_its_pages_hold_nothing_from_outside(door: Door, anybody: httpx.Client) -> None:
    for path in ("/v1/docs", "/v1/errors"):
        page = anybody.get(path)
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert not re.findall(r"(?:src|href)=\"(?!/|#)", page.text)
    ids = set(re.findall(r'id="([\w-]+)"', page.text))
    assert ids == set(TYPES)


def test_every_field_of_a_request_is_explained() -> None:
    named = {field.alias or name for name, field in ApprovalRequest.model_fields.items()}
    assert named | {"reversible"} == set(ABOUT) - {"traceparent"} | (named & {"traceparent"})


def test_every_type_of_problem_is_a_part_of_the_docs() -> None:
    said = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    for slug, one in TYPES.items():
        assert f"## {slug}\n\n{one.status}: {one.title}. {one.advice}\n" in said, slug
    assert re.findall(r"^## (.*)$", said, re.M) == list(TYPES)
