"""Payloads and claims that want to deceive whoever reads the card: through the whole road."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

import pytest
from flows.person import ANA, Someone, buttons, card, cards, nodes, redrawn, text_of
from flows.road import Road
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import eventually, undelivered

from signoff import Invalid

MARK = "zq9"
"""Stands in every text of the agent's, so that it can be found again."""
BIDI = "\u202e\u2066\u200b\u2028\U000e0041"
MARKUP = "<!channel> <!here> <@U0ANA00001> *bold* ~x~ `code` <https://evil.example|Approve> :rocket:"
EVIL = f"{MARK} {MARKUP} {BIDI}"
HIDDEN = ("Cf", "Cc", "Zl", "Co")
"""Unicode's categories of what nobody sees."""


def deep(levels: int) -> Any:
    return {"a": deep(levels - 1)} if levels else EVIL


PAYLOADS = {
    "markup": {EVIL: EVIL, "to": [EVIL, {"x": EVIL}], "<!channel>": "<!everyone>"},
    "long": {"text": f"{MARK} " + "<&>" * 60_000},
    "bidi": {"text": f"{MARK} {BIDI}" * 3000},
    "fields": {f"{MARK}{number}": number for number in range(4500)},  # of 10,000 values at most, names too
    "deep": {"a": deep(29)},
    "names": {f"{MARK}{'n' * 3000}": {"<!here>" * 300: 1}},
    "empty": {"": "", " ": None, "\n": [], "\u200b": {}},
    "numbers": {MARK: [1e15, -0.0, 2**53 - 1, 1e-7] * 50},
    "lines": {MARK: "\n" * 2000 + "the end"},
    "marks": {MARK: "e" + "\u0301" * 5000},
}
CLAIMS = {
    "reason": EVIL, "impact": EVIL, "undo": EVIL, "title": EVIL[:150], "alternatives": [EVIL] * 10,
    "context": {EVIL: EVIL}, "run": EVIL[:100], "conversation": "<!channel>",
}  # fmt: skip
LONG_CLAIMS = {name: EVIL * 25 for name in ("reason", "impact", "undo")} | {"context": {"x": EVIL * 500}}


OURS = re.compile(
    r"<(?:!date\^[0-9]+\^[^|<>]*\|[^|<>]*|@U[A-Z0-9]+|!subteam\^S[A-Z0-9]+|https?://[^|<> ]+\|[^|<>]*)>"
    r"|\*[A-Z][A-Za-z ]+:?\*"
)
"""What works in a message's top-level text and is ours: times, people, links to cards, states in bold."""


def rendered(road: Road) -> list[Any]:
    """All that was ever sent to be shown: messages, views, answers to clicks and to commands."""
    found: list[Any] = []
    for entry in road.slack.log():
        if entry["kind"] == "call" and entry["method"].split(".")[0] in ("chat", "views"):
            found.append(entry["arguments"])
        elif entry["kind"] == "envelope":
            found.append(entry.get("response"))
        elif entry["kind"] == "response_url":
            found.append({k: v for k, v in entry.items() if k != "kind"})
    return found


def check_all(road: Road) -> None:
    """No word of an agent's is markup anywhere, and nothing shown holds a hidden character."""
    for thing in rendered(road):
        if isinstance(thing, dict) and isinstance(thing.get("text"), str):
            said = [line for line in thing["text"].split("\n") if MARK in line or "evil.example" in line]
            works = OURS.sub(
                "", "\n".join(said)
            )  # it says what the agent said too, and nothing of that works
            assert not re.search(r"[<>*~]|```|:[a-z0-9_+'-]+:|[a-z0-9]://", works), works
        for node in nodes(thing):
            text = node.get("text")
            if node.get("type") == "mrkdwn":
                assert MARK not in text and "evil.example" not in text, text
                assert node.get("verbatim") is True
            elif isinstance(text, str) and node.get("type") in ("plain_text", "text"):
                hidden = [c for c in text if unicodedata.category(c) in HIDDEN and c not in "\n\t"]
                assert not hidden, (hidden, text[:200])
                if node["type"] == "plain_text":
                    assert node.get("emoji") is not True
            assert node.get("type") not in ("link", "broadcast", "markdown"), node
            if node.get("type") in ("user", "usergroup"):
                raise AssertionError(f"a mention: {node}")


def whole(road: Road, approval_id: str) -> None:
    """Where Approve stands, the card shows everything; else Review… leads to all of it."""
    message, ana = card(road.slack, approval_id), Someone(road.slack, ANA)
    names = buttons(message)
    assert ("approve" in names) != ("review" in names)
    assert "approve" not in names or "more line" not in text_of(message)
    if "review" in names:
        ana.click(message, "review")
        view = ana.view("review")
        assert (view["submit"]["text"] == "Approve") == ("Page 1 of" not in text_of(view))
        ana.close_all()


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_card_stands_and_nothing_of_the_agent_is_markup(road: Road, name: str) -> None:
    ana, payload = Someone(road.slack, ANA), PAYLOADS[name]
    road.slack.act(type="open_home", user=ANA)
    claims: dict[str, Any] = LONG_CLAIMS if name in ("long", "names") else CLAIMS
    ticket = road.agent("evil-bot").request("evil.act", payload, reversible=True, **claims)
    message = card(road.slack, ticket.id)
    assert len(json.dumps(message["blocks"])) < 60_000
    whole(road, ticket.id)
    ana.choose(message, "details")
    ana.view("details", MARK)
    ana.close_all()
    told = len(ana.told())
    road.slack.act(type="command", user=ANA, channel="C0APPROVE1", command="/approvals", text="")
    ana.told_now(told, "evil.act")
    road.slack.act(type="open_home", user=ANA)
    if "edit" in buttons(message):
        ana.click(message, "edit")
        form = ana.view("edit")
        ana.submit(form)
        ana.close_all()
    ana.reject(message, EVIL)
    redrawn(road.slack, ticket.id, "*Rejected*", MARK)
    eventually(lambda: not undelivered(road.store))
    check_all(road)
    assert len(cards(road.slack, ticket.id)) == 1


def test_a_folded_payload_has_no_approve_anywhere(road: Road) -> None:
    ana = Someone(road.slack, ANA)
    ticket = road.agent("evil-bot").request("evil.act", PAYLOADS["fields"], reversible=True)
    message = card(road.slack, ticket.id)
    menu = next(n for n in nodes(message["blocks"]) if n.get("action_id") == "more")
    offered = {option["value"].split(":")[0] for option in menu["options"]}
    assert "details" in offered and offered <= {"details", "ask", "alike", "stop"}
    assert "approve" not in buttons(message)
    ana.click(message, "review")
    view = ana.view("review", "Page 1 of")
    assert view["submit"]["text"] == "Next"
    ana.close_all()
    assert ticket.cancel().status == "cancelled"


def test_an_outcome_and_an_edit_that_are_hostile_stay_text(road: Road) -> None:
    ana, agent = Someone(road.slack, ANA), road.agent("evil-bot")
    ticket = agent.request("evil.act", {"note": MARK}, reversible=True)
    ana.click(card(road.slack, ticket.id), "edit")
    ana.submit(ana.view("edit"), note=EVIL.replace(BIDI, ""))
    ana.submit(ana.view("difference"))
    assert ticket.wait(60).payload == {"note": EVIL.replace(BIDI, "")}
    agent.report(ticket.id, succeeded=True, note=EVIL * 20)
    redrawn(road.slack, ticket.id, "*Done*", MARK)
    eventually(lambda: not undelivered(road.store))
    check_all(road)


LETTERS = "ab <>&*_~`@#!|:/\\\n\t\r\u202e\u200b\u0301\ufeff\U0001f680é"
WORDS = st.text(st.sampled_from(LETTERS), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.dictionaries(WORDS, VALUES, max_size=6), reason=WORDS)
def test_whatever_an_agent_sends_a_card_stands(road: Road, payload: dict[str, Any], reason: str) -> None:
    ticket = road.agent("evil-bot").request("evil.act", payload, reason=reason, reversible=True)
    whole(road, ticket.id)
    assert ticket.cancel().status == "cancelled"


@pytest.mark.parametrize(
    "payload",
    [
        {"a": "x" * 262_144},
        {"a": float("nan")},
        {"a": 2**53},
        {"a": "\ud800"},
        {"a": "\x00"},
        {"a": deep(40)},
    ],
)
def test_what_cannot_be_shown_or_signed_is_never_sent(road: Road, payload: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        road.agent("evil-bot").request("evil.act", payload, reversible=True)
