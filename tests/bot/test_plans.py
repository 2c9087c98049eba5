"""Plans on a card: counts, and every delete and replace by name, first."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.text.fold import fold
from signoff.bot.text.payload import values
from signoff.bot.text.quotes import quoted
from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.plan import summarise
from signoff.bot.text.row import scalar_text


def of(value: Any) -> Summary:
    summary = summarise(Seen("plan", value, {}, {}))
    assert summary is not None
    return summary


def told(value: Any) -> list[str]:
    return [row.text for row in of(value).rows]


def change(address: str, *actions: str, **more: Any) -> dict[str, Any]:
    return {"address": address, "change": {"actions": list(actions)}, **more}


PLAN = {
    "format_version": "1.2",
    "resource_changes": [
        *(change(f"aws_instance.web[{n}]", "create") for n in range(30)),
        change("aws_iam_role.deploy", "update"),
        change("aws_db_instance.main", "delete"),
        change("aws_s3_bucket.logs", "delete", "create"),
        change("aws_s3_bucket.data", "create", "delete"),
        change("aws_vpc.main", "no-op"),
        change("aws_eip.one", "forget"),
        change("aws_eip.two", "no-op") | {"change": {"actions": ["no-op"], "importing": {"id": "i"}}},
        change("module.a.x.y", "no-op", previous_address="x.y"),
        change("aws_odd.one", "explode"),
    ],
    "output_changes": {"url": {"actions": ["update"]}, "same": {"actions": ["no-op"]}},
}


@pytest.mark.parametrize(
    "value", [PLAN, PLAN["resource_changes"], json.dumps(PLAN), json.dumps(PLAN, indent=2)]
)
def test_forty_changes_are_one_page_that_names_every_delete(value: Any) -> None:
    lines = told(value)
    assert lines[0].startswith(
        "1 to delete, 2 to replace: deleted, and made anew, 1 to forget: goes on, but is managed no longer, "
        "1 with an action that Signoff does not know, 1 to import, 1 to move, 1 to change, 30 to create"
    )
    assert lines[1:6] == [
        "⚠ 1 to delete:", "aws_db_instance.main", "⚠ 2 to replace: deleted, and made anew:",
        "aws_s3_bucket.logs", "aws_s3_bucket.data",
    ]  # fmt: skip
    assert "aws_odd.one  (explode)" in lines and "x.y → module.a.x.y" in lines
    assert "aws_instance.web[29]" in lines[-1] and not of(value).whole
    assert sum(line.count("\n") + 1 for line in lines) < 60


def test_five_thousand_deletes_are_all_named() -> None:
    names = [f"aws_x.y[{n}]" for n in range(5000)]
    text = "\n".join(told({"resource_changes": [change(name, "delete") for name in names]}))
    assert "5,000 to delete" in text and set(names) <= set(re.split(", |\n", text))


def card(payload: dict[str, Any]) -> str:
    """What the card's rows say."""
    rows = fold(values(None, payload), 1500, 15, 6000).rows
    return "\n".join(f"{' › '.join(row.path)}: {row.text}" for row in rows)


def test_sixty_deletes_are_all_named_on_one_card() -> None:
    names = [f"aws_instance.web[{n}]" for n in range(60)]
    text = card({"plan": {"resource_changes": [change(name, "delete") for name in names]}})
    assert all(name in text for name in names)


BESIDE = {
    "workspace": "prod",
    "StackName": "prod-eu",
    "environment": "live",
    "config": {"aws:region": "eu-west-1"},
}


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("written", [True, False])
def test_what_tells_production_from_a_trial_stands_on_the_card(inside: bool, written: bool) -> None:
    plan = PLAN | BESIDE | {"variables": {"stage": {"value": "prod-1"}}, "prior_state": {"a": {"b": 1}}}
    payload: dict[str, Any] = {"plan": json.dumps(plan)} if written else {"plan": plan} if inside else plan
    text = card(payload)
    for value in ("prod", "prod-eu", "live", "eu-west-1", "prod-1", "1 to delete", "aws_db_instance.main"):
        assert value in text


_NAMES = re.compile(r"(?:\A|(?<=, ))(?:“[^”]*”|[^“,]+)")
"""Names in a list of many on one line."""


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(min_size=1, max_size=20)
            | st.sampled_from(["a\nb", "\u202ea", "a\u200b", "⚠ 0 to delete:"]),
            st.sampled_from(
                [("delete",), ("delete", "create"), ("create", "delete"), ("delete", "x"), ("create",)]
            ),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_every_delete_is_named_whatever_its_name(entries: list[tuple[str, tuple[str, ...]]]) -> None:
    text = "\n".join(told({"resource_changes": [change(name, *actions) for name, actions in entries]}))
    shown = text.split("\n")
    for name, actions in entries:
        bare = scalar_text(name)
        forms = {bare, quoted(bare)}
        here = [at for at, line in enumerate(shown) if line == bare or forms & set(_NAMES.findall(line))]
        assert here
        if "delete" in actions:
            later = [at for at, line in enumerate(shown) if line.endswith(" to create:")]
            assert here[0] < min(later, default=len(shown))


def test_what_cannot_be_read_is_counted_and_a_name_that_stands_twice_hides_nothing() -> None:
    assert any(
        "2 entries could not be read" in line
        for line in told({"resource_changes": [1, {}, change("a", "read")]})
    )
    twice = (
        '{"resource_changes": [{"address": "a", "change": {"actions": ["delete"]}}], "resource_changes": []}'
    )
    assert summarise(Seen("plan", twice, {}, {})) is None


PRINTED = """
\x1b[1mTerraform will perform the following actions:\x1b[0m

\x1b[1m  # aws_instance.web\x1b[0m must be \x1b[1m\x1b[31mreplaced\x1b[0m
-/+ resource "aws_instance" "web" {
      ~ ami = "a" -> "b" # forces replacement
    }

  # aws_db_instance.main will be destroyed
  # (because aws_db_instance.main is not in configuration)
  - resource "aws_db_instance" "main" {
    }

  # module.x["a b"].aws_s3_bucket.y["will be created"] will be updated in-place
  ~ resource "aws_s3_bucket" "y" {
    }

  # aws_a.b has moved to aws_a.c
    resource "aws_a" "c" {}

Plan: 1 to add, 1 to change, 2 to destroy.
"""


def test_a_printed_plan_is_read_too() -> None:
    lines = told(PRINTED)
    assert lines[0].startswith("1 to delete, 1 to replace: deleted, and made anew, 1 to move, 1 to change")
    assert lines[1:5] == [
        "⚠ 1 to delete:", "aws_db_instance.main", "⚠ 1 to replace: deleted, and made anew:",
        "aws_instance.web",
    ]  # fmt: skip
    assert 'module.x["a b"].aws_s3_bucket.y["will be created"]' in lines
    assert not any("differ" in line for line in lines)


def test_a_delete_that_has_lost_its_sentence_is_found_and_false_figures_are_told_of() -> None:
    text = PRINTED.replace("  # aws_db_instance.main will be destroyed\n", "")
    assert "aws_db_instance.main" in told(text)
    assert any("figures differ" in line for line in told(PRINTED.replace("2 to destroy", "0 to destroy")))


def test_cousins_are_read() -> None:
    steps = [{"op": "delete", "urn": "urn:pulumi:prod::app::aws:s3::logs"}, {"op": "same", "urn": "urn:b"}]
    assert "urn:pulumi:prod::app::aws:s3::logs" in told({"steps": steps})
    changes = [
        {
            "ResourceChange": {
                "Action": "Remove",
                "LogicalResourceId": "Db",
                "ResourceType": "AWS::RDS::DBInstance",
            }
        },
        {"ResourceChange": {"Action": "Modify", "LogicalResourceId": "Web", "Replacement": "Conditional"}},
    ]
    lines = told({"Changes": changes, "StackName": "shop"})
    assert "Db AWS::RDS::DBInstance" in lines and "⚠ 1 that may be replaced: deleted, and made anew:" in lines
    assert of({"Changes": changes, "note": "mine"}).takes == {"Changes"}
