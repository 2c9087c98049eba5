"""What is counted of questions, undoing and feedback, from the rows."""

from __future__ import annotations

from approvals.test_feedback import ALWAYS, ran
from approvals.test_undo import FREE, let_run
from support import Core, a_request

from signoff.models.figures import Figures
from signoff.models.messages import Outcome
from signoff.models.questions import ACTION, QUESTION


def test_questions_what_was_undone_and_feedback_are_counted(core: Core) -> None:
    for number, why in enumerate(["ambiguous", "scope", "scope"]):
        asked = {"question": f"Which {number}?", "free_text": True, "why": why}
        core.approvals.submit("billing-bot", a_request(ACTION, asked, kind=QUESTION))
    core.follow(ALWAYS)
    for number, said in enumerate(["wrong", "right", "right"]):
        core.approvals.feedback.give(ran(core, payload={"n": number}).id, "U0ANA", said, "Round up.")
    first = let_run(core, {"id": "re_7"}, more=FREE)
    undo = core.approvals.undo.ask(first.id, "U0ANA")
    figures = Figures(core.store)
    figures.read()
    assert figures.undone == {}, "nobody has undone it yet"
    core.approvals.report(undo.agent, undo.request_id, Outcome(succeeded=True))
    figures.read()
    assert figures.questions == {"ambiguous": 1, "scope": 2}
    assert figures.undone == {"refunds": 1}
    assert figures.feedback == {"wrong": 1, "right": 2}
