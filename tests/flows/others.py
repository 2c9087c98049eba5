"""What people do beside deciding: read a conversation, hand a question on, call a result right, undo."""

from __future__ import annotations

from typing import Any

from flows.local import SHARED, Local
from flows.person import ANA, BEN
from support import eventually

from signoff.models.feedback import KIND
from signoff.models.messages import Outcome
from signoff.models.questions import ACTION, QUESTION

POLICY = """\
version: 1
reversibility: {"branch.*": reversible, "label.*": reversible}
rules:
  - name: undone
    match: {action: label.add}
    verdict: notify
    undo_for: 1h
    undo: {action: label.remove, payload: {id: $result.id, text: $payload.text}}
"""
TYPED = "What_would_have_been_right?"
DONE = {
    ("action", "conversation"), ("action", "conversation_older"), ("action", "conversation_newer"),
    ("action", "hand"), ("view", "hand"), ("action", "undo"), ("view", "undo"), ("view", "feedback"),
    ("action", "feedback_partly"), ("action", "feedback_wrong"), ("action", "feedback_right"),
    ("action", "details"), ("action", "none"), ("view", "none"), ("action", "stop"), ("view", "stop"),
    ("action", "stop_known"), ("action", "resume"), ("view", "resume"),
}  # fmt: skip


def others(local: Local, word: str) -> set[tuple[str, str]]:
    """Each of these with `word` in every text, to the end of it; what was pressed and sent."""
    _reads(local, word)
    _hands_on(local, word)
    _answers_none(local, word)
    _says_whether_it_was_right(local, word)
    _undoes(local, word)
    _stops(local, word)
    return DONE


def _reads(local: Local, word: str) -> None:
    ana = local.person(ANA)
    turns = [{"role": "user", "text": f"{n} {word * 60}"[:1900]} for n in range(60)]
    asked = local.ask(payload={"to": word}, context={"conversation": turns})
    ana.choose(local.card(asked), "details")
    ana.press(ana.view("details"), "conversation")
    ana.press(ana.view("conversation", "page 1 of"), "conversation_older")
    ana.press(ana.view("conversation", "page 2 of"), "conversation_newer")
    ana.view("conversation", "page 1 of")
    ana.close_all()


def _hands_on(local: Local, word: str) -> None:
    ana = local.person(ANA)
    asked = local.ask(kind=QUESTION, action=ACTION, payload={"question": word, "free_text": True})
    ana.click(local.card(asked), "hand")
    form = ana.view("hand")
    state = {"to": {"value": {"type": "users_select", "selected_user": BEN}}}
    local.slack.act(type="submit", user=ANA, view_id=form["id"], state=state)
    eventually(lambda: local.server.approvals.get(asked).handed_to == BEN)
    ana.close_all()


def _answers_none(local: Local, word: str) -> None:
    ana = local.person(ANA)
    options = [{"id": str(n), "text": f"{word[:9]} {n}"} for n in range(3)]
    asked = local.ask(kind=QUESTION, action=ACTION, payload={"question": word, "options": options})
    ana.click(local.card(asked), "none")
    ana.submit(ana.view("none"), What_is_right_instead=(word * 300)[:2900].strip())
    eventually(lambda: local.server.approvals.get(asked).status == "answered")


def _says_whether_it_was_right(local: Local, word: str) -> None:
    ana = local.person(ANA)
    result: dict[str, Any] = {f"{word[:9]}{at}": (word * 9)[:70] for at in range(8)}
    for answer in ("partly", "wrong", "right"):
        shown = local.ask(
            kind=KIND, action="report.build", payload={"result": result | {"n": answer}}, title=word.strip()
        )
        ana.click(local.card(shown), "record")
        ana.view("record")
        ana.close_all()
        ana.click(local.card(shown), f"feedback_{answer}")
        if answer != "right":
            ana.submit(ana.view("feedback", word[:9]), **{TYPED: (word * 300)[:2900].strip()})
        eventually(lambda shown=shown: local.server.approvals.get(shown).status == "answered")  # type: ignore[misc]


def _undoes(local: Local, word: str) -> None:
    ana, approvals = local.person(ANA), local.server.approvals
    sent = local.ask(action="label.add", payload={"text": (word * 90)[:900]}, reversibility="reversible")
    one = approvals.get(sent)
    approvals.report(one.agent, one.request_id, Outcome(succeeded=True, result={"id": word}))
    local.deliver(sent)
    card = next(m for m in local.slack.messages(SHARED) if m["ts"] == approvals.get(sent).card.message)
    ana.click(card, "undo")
    ana.submit(ana.view("undo", word[:9]))
    eventually(lambda: approvals.get(sent).undo.done is not None)
    ana.close_all()


def _stops(local: Local, word: str) -> None:
    ana, ben, approvals = local.person(ANA), local.person(BEN), local.server.approvals
    asked = local.ask(action="stop.me", payload={"to": word}, reversibility="reversible")
    ana.click(local.card(asked), "approve")
    eventually(lambda: approvals.get(asked).status == "approved")
    local.deliver(asked)
    ana.choose(local.card(asked), "stop")
    ana.submit(ana.view("stop"), Why=(word * 100)[:500].strip())
    ana.press(ana.view("stopped", "unconfirmed"), "stop_known")
    ana.view("stopped", "unconfirmed")
    ana.close_all()
    ben.use_command("resume")
    listed = ben.told_now(0, "is stopped")
    ben.click(listed, "resume")
    ben.submit(ben.view("resume"))
    ben.view("resumed")
    ben.close_all()
    local.slack.act(type="open_home", user=ANA)
    home = eventually(lambda: local.draw_homes() or local.slack.views(ANA)["home"])
    ana.press(home, "stop")
    ana.view("stop")
    ana.close_all()
    ben.use_command("history")  # its Details… are a button
    ben.click(ben.told_now(0, "stop.me"), "details")
    ben.view("record")
    ben.close_all()
