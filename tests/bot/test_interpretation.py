"""How an agent read its task: under *The agent says*, and on the small card of what the policy let run."""

from __future__ import annotations

import json

import pytest
from support import Core

from signoff.bot.cards.report_card import report_blocks
from signoff.bot.text.claims import claims

READ_AS = "“The last order” is the last one that was paid <!channel> \u202eevil"


@pytest.mark.parametrize("said", [READ_AS, " "])
def test_the_small_card_names_it_in_plain_text(core: Core, said: str) -> None:
    core.follow("rules: [{name: told, match: {action: 'refund.*'}, verdict: notify}]")
    approval = core.submit(interpretation=said)
    found = [one for one in report_blocks(approval) if one["block_id"].startswith("read_as:")]
    if not said.strip():
        assert found == [] and list(claims(approval.request)) == []
        return
    [ours, theirs] = found[0]["elements"]
    assert (ours["type"], ours["text"]) == ("mrkdwn", "The agent took its task to mean")
    assert theirs["type"] == "plain_text" and "the last one that was paid" in theirs["text"]
    assert "\u202e" not in json.dumps(found, ensure_ascii=False)


def test_it_stands_among_what_the_agent_says(core: Core) -> None:
    approval = core.submit(interpretation=READ_AS, reason="Ticket 991")
    assert [claim.label for claim in claims(approval.request)] == ["", "Took its task to mean"]
