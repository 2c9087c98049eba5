"""Lists of like objects: as text where they are short, else as Slack's table where it takes one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bot.test_delivery import Slack
from hypothesis import given, settings
from hypothesis import strategies as st
from support import Core

from signoff.bot.blocks import check_message
from signoff.bot.cards.card import card
from signoff.bot.cards.table import counted, has_table, table_block, without_tables
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.gallery.approval import made_up
from signoff.bot.slack.client import Posted
from signoff.bot.slack.errors import SlackRefused
from signoff.bot.text.renderers import Seen
from signoff.bot.text.renderers.tables import summarise
from signoff.bot.text.row import Row

ODD = st.characters(min_codepoint=1, exclude_categories=["Cs"])


def rows_of(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"sku": f"A-{n}", "qty": n, "who": "ana", "note": "x" * 20, "ok": True, **more} for n in range(count)
    ]


def test_columns_stand_in_the_schemas_order_and_each_value_as_what_it_is() -> None:
    items = [{"a": "1", "b": 1, "c": None, "d": "–", "e": "x"}, {"b": 2.5, "a": "", "c": True, "d": "z"}]
    schema = {"items": {"properties": {"b": {}, "a": {}}}}
    summary = summarise(Seen("l", items, schema, {}))
    assert summary is not None and summary.whole
    assert summary.rows[1].table == (
        ("b", "a", "c", "d", "e"),
        ("1", '"1"', "null", '"–"', "x"),
        ("2.5", '""', "true", "z", "–"),
    )
    assert summary.rows[1].text.split("\n") == [
        "1. b 1 · a “1” · c null · d “–” · e x",
        "2. b 2.5 · a “” · c true · d z",
    ]


def test_no_value_imitates_a_column_or_a_row() -> None:
    items = [{"a": "x · b 9\n", "b": n, "c": 1, "d": 2, "e": 3} for n in range(3)]
    assert summarise(Seen("l", items, {}, {})) is None, "a text in lines is no cell"
    items = [{"a": "x · b 9 2. a", "b": n, "c": 1, "d": 2, "e": 3} for n in range(3)]
    summary = summarise(Seen("l", items, {}, {}))
    assert summary is not None and "a “x · b 9 2. a” · b 0" in summary.rows[1].text


@pytest.mark.parametrize(
    "items",
    [[], [{"a": 1}], [{"a": 1}, 2], [{"a": 1}, {"b": 2}] * 5, [{"a": {}}] * 9,
     [{f"c{n}": 1 for n in range(21)}] * 3,
     [{"a": "x" * 300}] * 9, [{"a": 1, "b": 2}] * 3, "text", {"a": 1}],
)  # fmt: skip
def test_what_is_no_table_or_stands_better_as_bullets_is_left_alone(items: Any) -> None:
    assert summarise(Seen("l", items, {}, {})) is None


@pytest.mark.parametrize(("count", "tabled"), [(3, False), (7, False), (40, True), (400, True)])
def test_a_short_list_is_whole_as_text_and_a_long_one_is_a_table_without_approve(
    count: int, tabled: bool
) -> None:
    drawn = card(made_up({"lines": rows_of(count), "to": "ana"}))
    assert has_table(drawn.blocks) == tabled and check_message(drawn.blocks, drawn.text) == []
    text = json.dumps(drawn.blocks)
    assert ('"action_id": "approve"' in text) != tabled and ('"action_id": "review"' in text) == tabled
    assert "A-2" in text and f"{count} rows" in text
    as_text = without_tables(drawn.blocks)
    assert not has_table(as_text) and check_message(as_text, drawn.text) == []
    assert "A-2" in json.dumps(as_text) and len(as_text) == len(drawn.blocks)


def test_a_decided_card_has_no_table() -> None:
    assert not has_table(card(made_up({"lines": rows_of(60)}, status="rejected")).blocks)


def test_of_two_long_lists_one_is_a_table() -> None:
    drawn = card(made_up({"one": rows_of(60), "two": rows_of(60)}))
    assert [block["type"] for block in drawn.blocks].count("data_table") == 1
    assert check_message(drawn.blocks, drawn.text) == [] and counted(drawn.blocks) < 10_000


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"a": st.text(ODD, max_size=180), "b": st.text(ODD, max_size=30) | st.none() | st.integers(0, 9)}
        ),
        min_size=20,
        max_size=110,
    )
)
def test_slack_takes_every_table_and_its_text(items: list[dict[str, Any]]) -> None:
    drawn = card(made_up({"lines": items}))
    assert check_message(drawn.blocks, drawn.text) == []
    assert check_message(without_tables(drawn.blocks), drawn.text) == []


def test_a_caption_counts_the_rows_that_do_not_fit() -> None:
    block = table_block(Row(("lines",), (), table=(("a",), *[("x" * 150,)] * 250)), "id")
    assert block["caption"] == "lines: the first 100 of 250 rows" and len(block["rows"]) == 101
    block = table_block(Row((), (), table=(("a",), *[("&" * 190,)] * 90)), "id")
    assert "of 90 rows" in block["caption"] and check_message([block]) == []


class Strict(Slack):
    """A workspace that takes no data table, and other things only where they are allowed."""

    def __init__(self, *others: str) -> None:
        super().__init__()
        self.tables = 0
        self.others = others
        self.blocks: list[Any] = []

    def _judge(self, blocks: Any) -> None:
        if has_table(blocks):
            self.tables += 1
            raise SlackRefused("invalid_blocks", "unsupported type: data_table")
        if self.others:
            raise SlackRefused(*self.others)
        self.blocks = blocks

    def post(self, channel: str, text: str, *rest: Any, thread_ts: str | None = None, **more: Any) -> Posted:
        self._judge(rest[0])
        return super().post(channel, text, *rest, thread_ts=thread_ts, **more)

    def update(self, channel: str, ts: str, text: str, *rest: Any, **more: Any) -> None:
        self._judge(rest[0])
        super().update(channel, ts, text, *rest, **more)


def test_where_slack_takes_no_table_the_card_goes_as_text_and_that_is_remembered(core: Core) -> None:
    slack = Strict()
    delivery = Delivery(core.approvals, slack, Admins(slack, ()))  # type: ignore[arg-type]
    for number in range(3):
        approval = core.submit(f"a{number}", payload={"lines": rows_of(60)})
        delivery.deliver(approval.id)
        found = core.store.get(approval.id)
        assert found and found.delivered_revision == found.revision
    assert (slack.tables, len(slack.posted)) == (1, 3)
    assert "A-2" in json.dumps(slack.blocks) and not has_table(slack.blocks)


def test_a_card_that_is_refused_as_text_too_is_told_to_admins_as_any_other(core: Core) -> None:
    slack = Strict("invalid_blocks", "other")
    told: list[str] = []
    admins = Admins(slack, ())  # type: ignore[arg-type]
    admins.tell = told.append  # type: ignore[method-assign, assignment]
    delivery = Delivery(core.approvals, slack, admins)  # type: ignore[arg-type]
    for number in range(2):
        delivery.deliver(core.submit(f"a{number}", payload={"lines": rows_of(60)}).id)
    assert slack.tables == 2 and slack.posted == [] and len(told) >= 1
