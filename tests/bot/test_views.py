"""Views that are put into a modal while Slack is slow, away, or refuses; and what a person meanwhile did."""

from __future__ import annotations

from typing import Any

import pytest

from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.slack.views import UNKNOWN, Place, Views

GONE, REFUSED = SlackRefused("not_found"), SlackRefused("invalid_arguments")
LOST, AWAY = SlackUnavailable("x", 0.0), SlackUnavailable("x", 0.0, undone=True)
OVERTAKEN = SlackRefused("hash_conflict")
PAUSES = (0.0,) * 8


class Script:
    """A Slack whose answers to views.update are given: one a call (None: it is shown), the last for ever."""

    def __init__(self, *answers: Exception | None) -> None:
        self._answers = list(answers)
        self.calls: list[dict[str, Any]] = []

    def update_view(self, view_id: str, view: dict[str, Any], **where: Any) -> None:
        self.calls.append({"view_id": view_id, "name": view["name"], "view": view, **where})
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer is not None:
            raise answer


def fill(slack: Script, view_id: str = "V1", *names: str) -> bool:
    views = [{"name": name} for name in names or ("big",)]
    return Views(slack, PAUSES).fill("ours", view_id, *views)  # type: ignore[arg-type]


def replace(slack: Script, *names: str) -> bool:
    views = [{"name": name} for name in names or ("big",)]
    return Views(slack, PAUSES).replace(Place("V1", "h1"), *views)  # type: ignore[arg-type]


def test_what_slack_does_not_know_yet_is_asked_for_again() -> None:
    slack = Script(GONE, GONE, AWAY, None)
    assert fill(slack) and len(slack.calls) == 4
    assert {call["external_id"] for call in slack.calls} == {"ours"}
    assert {call["view"]["external_id"] for call in slack.calls} == {"ours.shown"}


def test_after_a_lost_answer_nothing_is_put_over_what_came_after_it() -> None:
    slack = Script(LOST, GONE, None)
    assert fill(slack) and len(slack.calls) == 2, "the id has changed: it is shown, and maybe left already"
    slack = Script(LOST, OVERTAKEN)
    assert replace(slack) and [call["hash_"] for call in slack.calls] == ["h1", "h1"]


def test_who_has_closed_it_is_left_alone() -> None:
    slack = Script(GONE)
    assert not fill(slack, "") and len(slack.calls) == len(PAUSES) + 1
    assert not replace(Script(GONE)) and not replace(Script(OVERTAKEN))


def test_a_slack_that_takes_no_ids_of_ours_in_updates_is_given_its_own() -> None:
    slack = Script(*[GONE] * (UNKNOWN + 1), None, GONE)
    assert fill(slack)
    own = [call for call in slack.calls if call["view_id"]]
    assert [call["view_id"] for call in own] == ["V1"] and "external_id" not in own[0]
    slack = Script(*[GONE] * (UNKNOWN + 1), None, None)
    assert fill(slack) and slack.calls[-1]["external_id"] == "ours", "it came late, over what was shown"


@pytest.mark.parametrize("put", [fill, replace])
def test_where_slack_refuses_a_view_the_next_takes_its_place(put: Any) -> None:
    slack = Script(REFUSED, None)
    assert put(slack, *(["V1"] if put is fill else []), "big", "small")
    assert [call["name"] for call in slack.calls] == ["big", "small"]
    with pytest.raises(SlackRefused):
        put(Script(REFUSED), *(["V1"] if put is fill else []), "big", "small")


@pytest.mark.parametrize("error", [AWAY, LOST])
@pytest.mark.parametrize("put", [fill, replace])
def test_a_slack_that_stays_away_is_told(put: Any, error: Exception) -> None:
    slack = Script(error)
    with pytest.raises(SlackUnavailable):
        put(slack)
    assert len(slack.calls) == len(PAUSES) + 1
