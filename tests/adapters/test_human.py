"""People as a model's tool, and what who comes from HumanLayer finds: the page's own code."""

from __future__ import annotations

import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from signoff import AsyncSignoff, NotVerified, Signoff
from signoff.adapters import human
from signoff.adapters.human import NOTHING, HumanLayer, human_as_tool
from signoff.errors import Invalid, Unreachable
from signoff.testing import Approvals

PAGE = (Path(__file__).parents[2] / "docs" / "from-humanlayer.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_a_model_reads_what_a_person_says(signoff_approvals: Approvals) -> None:
    tool = human_as_tool(Signoff())
    assert (tool.__name__, list(inspect.signature(tool).parameters)) == ("contact_human", ["message"])
    signoff_approvals.answer(text="The blue one.")
    assert tool("Which one?") == "The blue one."
    asked = human_as_tool(
        Signoff(), options={"a": "Ann", "b": "Al"}, several=True, free_text=True, default="a"
    )
    signoff_approvals.answer(["a", "b"], text="both")
    assert asked("Who?") == "Ann\nAl\nboth"
    signoff_approvals.answer(none=True, text="Cara")
    assert asked("Who?") == "None of the options:\nCara"
    signoff_approvals.answer(default=True)
    assert asked("Who?") == "Test reviewer leaves it to you. Your own default:\nAnn"
    signoff_approvals.answer(date="2026-12-01")
    assert human_as_tool(Signoff(), date=True)("When?") == "2026-12-01"
    assert len({request.payload["question"] for request in signoff_approvals.requests}) == 3


def test_where_nobody_answers_it_says_that_nothing_was_decided(signoff_approvals: Approvals) -> None:
    tool, texts = human_as_tool(Signoff(), timeout=5), set()
    for say in (signoff_approvals.expire, signoff_approvals.block, signoff_approvals.leave_pending):
        say()
        texts.add(tool("Which one?"))
    assert len(texts) == 3 and all(text.endswith(NOTHING) for text in texts)
    assert NOTHING in tool("   ")
    with pytest.raises(NotVerified):
        human.untold(NotVerified())
    assert NOTHING in human.untold(Unreachable("redis://secret@host")) and "secret" not in human.untold(
        Unreachable("redis://secret@host")
    )
    assert "too long" in human.untold(Invalid("too long."))


def test_a_long_message_is_cut_in_the_question_and_whole_beside_it(signoff_approvals: Approvals) -> None:
    signoff_approvals.answer(text="Yes")
    human_as_tool(Signoff())("x" * 3000)
    [request] = signoff_approvals.requests
    assert len(request.payload["question"]) == 1000 and request.context == {"message": "x" * 3000}


def test_a_coroutine_is_made_for_asyncio(signoff_approvals: Approvals) -> None:
    signoff_approvals.answer(text="Yes")
    tool = human_as_tool(AsyncSignoff())
    assert inspect.iscoroutinefunction(tool) and tool.__name__ == "contact_human"

    async def main() -> list[str]:
        return await asyncio.gather(tool("One?"), tool("Two?"))

    assert asyncio.run(main()) == ["Yes", "Yes"]
    signoff_approvals.expire()
    assert asyncio.run(main())[0].endswith(NOTHING)


@pytest.mark.filterwarnings("ignore:send_email. nobody said whether it can be undone")
def test_what_the_page_shows_runs_as_it_stands(signoff_approvals: Approvals) -> None:
    signoff_approvals.answer("cus_42")
    signoff_approvals.answer("friendly", question="How shall I*")
    names: dict[str, Any] = {"__name__": "page"}
    for block in BLOCKS:
        exec(compile(block, "docs/from-humanlayer.md", "exec"), names)
    assert names["said"] == "As a friend" and names["customer"] == "cus_42"
    signoff_approvals.approve("send_email")
    assert names["send_email"]("ann@example.com", "Hello", "…") == "sent to ann@example.com"
    signoff_approvals.reject("send_email", "Not today.")
    told = names["send_email"]("ann@example.com", "Hello", "…")
    assert "Not today." in told and "was not run" in told
    signoff_approvals.answer(text="Go on", question="May I*")
    assert names["tools"][1]("May I go on?") == "Go on"
    assert len(BLOCKS) == 3 and isinstance(names["hl"], HumanLayer)
