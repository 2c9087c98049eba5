"""What each role does with a request, as functions that need no server: so that it can be measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

from payload.costs import Case

from signoff.approvals import edits, transitions
from signoff.approvals.audit import salted
from signoff.approvals.kinds import kind_of
from signoff.bot.cards.card import card
from signoff.bot.cards.record import record_view
from signoff.bot.cards.report_card import report_blocks
from signoff.bot.forms.conflict import as_sent, lost_view
from signoff.bot.forms.edit_form import EditForm, can_edit
from signoff.bot.forms.modals import details_view, message_blocks, note_view, reject_view
from signoff.bot.forms.review import review_view
from signoff.bot.text.fold import shown_whole
from signoff.bot.text.views import ACTION
from signoff.client.ask import build_request
from signoff.errors import Invalid
from signoff.models import identity
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, payload_digest
from signoff.models.verdict import Verdict
from signoff.policy.evaluate import evaluate, evaluate_edit
from signoff.policy.loader import parse
from signoff.policy.policy import Policy

AGENT = "costly-bot"
POLICY = """\
version: 1
extends: balanced
internal_domains: [corp.com]
rules:
 - {name: sums, match: {action: 'email.*'}, when: 'payload.amount > 1000', verdict: ask}
 - {name: walk, match: {action: 'email.*'}, when: 'payload.l.exists(x, x == "?")', verdict: ask}
 - {name: hosts, match: {action: 'email.*'}, when: "host_in(payload.t, ['*.corp.com', 'a*b'])", verdict: ask}
 - {name: globs, match: {action: 'email.*'}, when: "any_glob(payload.t, ['*a*b*a*', '*/*?x'])", verdict: ask}
 - {name: looks, match: {action: 'email.*'}, when: "payload.t.matches('(a|b)*c(a|b){1,20}d')", verdict: ask}
 - {name: outside, match: {action: 'email.*'}, when: 'is_external(payload.l)', verdict: ask}
 - {name: all, match: {action: '*'}, verdict: ask, headline: "Send {t} to {l}"}
"""
ACTION_NAME = "email.send"
Step = tuple[str, Callable[[], Any]]


@cache
def policy() -> Policy:
    """What judges all of them."""
    return parse(POLICY.encode(), "costs").policy


def body(case: Case) -> str:
    """The request as it stands in the stream."""
    nonce = identity.new_nonce()
    sent = payload_digest(case.payload)
    said: dict[str, Any] = {
        "id": str(identity.request_id("approval", AGENT, ACTION_NAME, sent, nonce)),
        "nonce": nonce,
        "action": ACTION_NAME,
        "payload": case.payload,
    }
    said |= {"context": case.context} if case.context else {}
    said |= {"schema": case.schema} if case.schema is not None else {}
    said |= {"reason": case.reason} if case.reason else {}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def client(case: Case) -> Iterator[Step]:
    """An agent asks."""
    said: dict[str, Any] = {"reversible": True, "context": case.context, "reason": case.reason}
    said |= {"schema": case.schema} if case.schema is not None else {}
    yield "ask", lambda: _refusable(lambda: build_request(AGENT, ACTION_NAME, case.payload, cast(Any, said)))


def intake(case: Case) -> Iterator[Step]:
    """An entry is read, judged, and made into rows."""
    entry, judges = body(case).encode(), policy()

    def take() -> None:
        request = ApprovalRequest.decode(entry)
        assert request.commits(AGENT)
        _rows(kind_of(request).check(request), evaluate(request, AGENT, judges))

    yield "take", lambda: _refusable(take)


def approval(case: Case) -> Approval | None:
    """The request as it waits for a decision; None where it was refused."""
    try:
        request = ApprovalRequest.decode(body(case))
        request = kind_of(request).check(request)
    except Invalid:
        return None
    return _rows(request, evaluate(request, AGENT, policy()))


def worker(case: Case) -> Iterator[Step]:
    """A card is drawn: while it waits, and afterwards."""
    waits = approval(case)
    if waits is None:
        return
    rows = _kept(waits)
    yield "card", lambda: card(_loaded(rows))
    yield "card, edited", lambda: card(_edited(_loaded(rows)))
    yield "report", lambda: report_blocks(_loaded(rows))
    yield "record", lambda: record_view(_loaded(rows), 0)


def bot(case: Case) -> Iterator[Step]:
    """Somebody clicks."""
    waits = approval(case)
    if waits is None:
        return
    rows = _kept(waits)
    yield "review", lambda: review_view(_loaded(rows), 1)
    yield "review, last page", lambda: review_view(_loaded(rows), 10_000)
    yield "details", lambda: details_view(_loaded(rows))
    yield "reject", lambda: reject_view(_loaded(rows))
    yield "changed", lambda: message_blocks(cast(Any, "x"), _edited(_loaded(rows)))
    if shown_whole(waits):
        yield "note", lambda: note_view(_loaded(rows))
    yield "lost", lambda: lost_view(cast(Any, "x"), as_sent(_loaded(rows)), _changed(waits.payload))
    yield "decide", lambda: _refusable(lambda: edits.check_edit(_loaded(rows), _changed(waits.payload)))
    judges = policy()
    yield (
        "judge",
        lambda: evaluate_edit(judges, waits.request, AGENT, _changed(waits.payload), waits.verdict),
    )
    if can_edit(waits):
        yield "edit", lambda: EditForm(_loaded(rows), "draft").view()
        entered = _entered(waits)
        yield "edit, submitted", lambda: _submitted(_loaded(rows), entered)


ROLES: dict[str, Callable[[Case], Iterator[Step]]] = {
    "client": client,
    "intake": intake,
    "worker": worker,
    "bot": bot,
}


def seconds(act: Callable[[], Any], times: int = 2) -> float:
    """What it costs in this thread's own time, at its fastest: others on the machine are not counted."""
    found = []
    for _ in range(times):
        start = time.thread_time()
        act()
        found.append(time.thread_time() - start)
    return min(found)


def _rows(request: ApprovalRequest, verdict: Verdict) -> Approval:
    before = SimpleNamespace(now=10**15, agent_known=True, hooked=False)
    draft = transitions.draft(AGENT, request, verdict, cast(Any, before), None)
    for written in (transitions._values(draft), transitions._payload(draft)):
        for value in written.values():
            salted(draft.salt, str(value))
    return draft.approval


def _kept(found: Approval) -> tuple[Approval, str, str]:
    return found, found.request.claims(), found.payload_text


def _loaded(rows: tuple[Approval, str, str]) -> Approval:
    """An Approval as the store reads it."""
    found, claims, text = rows
    request = ApprovalRequest.from_rows(claims, json.loads(text)).with_text(text)
    return replace(found, request=request, payload=json.loads(text), payload_text=text)


def _changed(payload: dict[str, Any]) -> dict[str, Any]:
    changed = dict(payload)
    for name, value in payload.items():
        if isinstance(value, str):
            changed[name] = value[: len(value) // 2] + "?" + value[len(value) // 2 :]
        elif isinstance(value, list):
            changed[name] = [*value[:-1], "?"]
        elif isinstance(value, dict):
            changed[name] = value | {"more": 1}
    return changed | {"more": 1}


def _edited(found: Approval) -> Approval:
    return replace(found, payload=_changed(found.payload), version=2, status="approved")


def _entered(found: Approval) -> dict[str, Any]:
    """The state of a form in which a text was changed; every other input is as it was."""
    view = EditForm(found, "draft").view()
    state: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] == "input" and block["element"]["type"] == "plain_text_input":
            state[block["block_id"]] = {ACTION: {"value": block["element"].get("initial_value", "") + "1"}}
    return {**view, "state": {"values": state}}


def _submitted(found: Approval, view: dict[str, Any]) -> None:
    form = EditForm.read(view, found, {})
    if not form.errors and form.following is None:
        _ = form.difference


def _refusable(act: Callable[[], Any]) -> None:
    with suppress(Invalid):
        act()
