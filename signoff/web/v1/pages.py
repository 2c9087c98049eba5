"""What API v1 is, for people: two pages of our own, and nothing from anywhere else."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from signoff.web.doors import Doors
from signoff.web.problems import ERRORS, TYPES
from signoff.web.v1 import openapi

DOCS = "/v1/docs"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def routes(doors: Doors) -> list[Route]:
    """Where they are; drawn once."""
    said = openapi.document(doors.public_url)
    pages = Environment(loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined)
    pages.filters["prose"], pages.filters["kind"] = prose, kind
    docs = pages.get_template("api.html").render(api=said, calls=_calls(said))
    errors = pages.get_template("errors.html").render(types=TYPES)
    return [
        Route(openapi.PATH, lambda _: JSONResponse(said), methods=["GET"]),
        Route(DOCS, _page(docs), methods=["GET"]),
        Route(ERRORS, _page(errors), methods=["GET"]),
    ]


def prose(text: str) -> Markup:
    """Our own sentences: what stands in backticks is code."""
    escaped = str(escape(text))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped))  # nosec B704


def kind(schema: dict[str, Any]) -> str:
    """A schema's type in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "any"))


def _calls(said: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, call)
        for path, methods in said["paths"].items()
        for method, call in methods.items()
    ]


def _page(html: str) -> Any:
    def page(_: Request) -> Response:
        return HTMLResponse(html, headers=HEADERS)

    return page


def _source(name: str) -> str:
    return (files("signoff.web") / "pages" / name).read_text(encoding="utf-8")
