"""Cards as they are sent to Slack, kept as JSON, so that no change of a word goes unseen.

After an intended change: `GOLDEN=write python -m pytest tests/bot/test_golden.py`, and read the difference.
"""

import json
import os
from pathlib import Path

import pytest

from signoff.bot.blocks import check_message
from signoff.bot.gallery.layouts import SETS, card_of

GOLDEN = Path(__file__).parent / "golden"
CASES = (
    SETS["cards"]
    | {f"question-{name}": case for name, case in SETS["questions"].items()}
    | {f"undo-{name}": case for name, case in SETS["undo"].items()}
    | {f"stop-{name}": case for name, case in SETS["stops"].items()}
    | {f"talk-{name}": case for name, case in SETS["talks"].items()}
    | {f"feedback-{name}": case for name, case in SETS["feedback"].items()}
    | {f"votes-{name}": case for name, case in SETS["votes"].items()}
)


@pytest.mark.parametrize("name", CASES)
def test_a_card_reads_as_it_did(name: str) -> None:
    drawn = card_of(CASES[name])
    assert check_message(drawn.blocks) == []
    shown = {"text": drawn.text, "blocks": drawn.blocks, "metadata": drawn.metadata}
    found = json.dumps(shown, ensure_ascii=False, indent=1) + "\n"
    file = GOLDEN / f"{name}.json"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


def test_every_golden_card_is_still_drawn() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(CASES)
