"""Our checker, slack_sdk, blockkit and slackblocks on the same messages, modals and Homes.

Ours judges each as Slack does. The others may differ where `block_differences.py` says why, and nowhere else:
where a new version of one of them differs otherwise, somebody has learned something that we should look at.
"""

from __future__ import annotations

import pytest
from bot.block_cases import INVALID, VALID, Case
from bot.block_differences import TOO_LENIENT, TOO_STRICT
from bot.block_judges import JUDGES, takes

from signoff.bot.blocks import Problem, check_message, check_view

CASES = [*((case, True) for case in VALID), *((case, False) for case in INVALID)]


def ours(case: Case) -> list[Problem]:
    return check_message(case.thing) if case.surface == "message" else check_view(case.thing)


@pytest.mark.parametrize(("case", "right"), CASES, ids=[case.name for case, _ in CASES])
def test_ours_is_right_and_each_other_differs_only_where_it_is_said_why(case: Case, right: bool) -> None:
    problems = ours(case)
    assert (not problems) is right, problems
    differ = {judge for judge in JUDGES if takes(judge, case.surface, case.thing) is not right}
    told = {judge for judge, _, names in (TOO_STRICT if right else TOO_LENIENT) if case.name in names}
    assert differ == told & JUDGES.keys()


def test_the_table_is_large_and_names_no_case_twice() -> None:
    names = [case.name for case, _ in CASES]
    assert len(VALID) >= 30 and len(INVALID) >= 60 and len(set(names)) == len(names)
    assert (
        {case.surface for case in VALID} == {case.surface for case in INVALID} == {"message", "modal", "home"}
    )
    for differences, cases in ((TOO_STRICT, VALID), (TOO_LENIENT, INVALID)):
        told = [(judge, name) for judge, _, each in differences for name in each]
        assert len(set(told)) == len(told)
        assert {name for _, name in told} <= {case.name for case in cases}
