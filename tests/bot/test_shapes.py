"""The shapes of docs/gallery.md: none is refused, none hides a line, they are decided without paging."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from signoff.bot.gallery.bars import measured
from signoff.bot.gallery.layouts import approval_of, card_of
from signoff.bot.gallery.shapes import SHAPES
from signoff.payload.canonical import canonical
from signoff.payload.whole import is_text

DOCS = Path(__file__).parents[2] / "docs"
BARS = {name: measured(shape) for name, shape in SHAPES.items()}
NOT_WHOLE = {
    "terraform": "plan",
    "mail": "htmlBody",
    "invoice-pdf": "documents",
}
"""Where values of one line stand on the card as a summary alone, and in which field: in no others."""


def test_there_are_thirty() -> None:
    assert len(SHAPES) == 30
    assert len({canonical(shape.payload) for shape in SHAPES.values()}) == 30


@pytest.mark.parametrize("name", SHAPES)
def test_none_is_refused(name: str) -> None:
    assert BARS[name].refused == ()


@pytest.mark.parametrize("name", SHAPES)
def test_no_field_of_one_line_is_hidden(name: str) -> None:
    assert BARS[name].hidden == ()
    assert bool(BARS[name].summed_up) == (name in NOT_WHOLE)
    assert SHAPES[name].summed_up == NOT_WHOLE.get(name, "")


def test_at_least_27_are_decided_without_paging() -> None:
    decided = [name for name, bars in BARS.items() if bars.approves or bars.pages == 1]
    assert len(decided) >= 27


def test_a_plan_of_forty_resources_names_each_delete_and_replace_on_the_card() -> None:
    assert len(SHAPES["terraform"].payload["plan"]["resource_changes"]) == 40
    shown = drawn("terraform")
    assert "aws_db_instance.reporting" in shown and "aws_elasticache_cluster.hot" in shown


def test_every_end_of_a_request_that_people_decide_is_among_them() -> None:
    after = [approval_of(shape.after) for shape in SHAPES.values()]
    assert {one.status for one in after} == {"approved", "rejected", "expired"}
    assert any(one.version == 2 for one in after)
    assert {one.outcome.succeeded for one in after if one.outcome} == {True, False}
    assert any(one.decision and one.decision.resubmit for one in after)


def test_one_of_them_has_a_number_beyond_2_to_the_53() -> None:
    assert is_text(SHAPES["salesforce"].payload["fields"]["ERP_Number__c"])


def test_the_page_says_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    from gallery import page  # type: ignore[import-not-found]

    said = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert said == page()
    pictures = re.findall(r"\]\((images/gallery/[^)]+\.png)\)", said)
    assert len(pictures) == len(set(pictures)) == len(SHAPES) + 2
    folder = DOCS / "images" / "gallery"
    assert {f"images/gallery/{file.name}" for file in folder.glob("*.png")} == set(pictures)
    assert sum(file.stat().st_size for file in folder.glob("*.png")) < 3_000_000


def drawn(name: str) -> str:
    return str(card_of(SHAPES[name].before).blocks)
