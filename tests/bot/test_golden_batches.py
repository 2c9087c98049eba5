"""Cards of several requests as they are sent to Slack, kept as JSON: see `test_golden`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from signoff.bot.blocks import check_message
from signoff.bot.cards.batch_card import batch_card
from signoff.bot.gallery.batches import BATCHES
from signoff.bot.gallery.layouts import NOW

GOLDEN = Path(__file__).parent / "golden_batches"


@pytest.mark.parametrize("name", BATCHES)
def test_a_batchs_card_reads_as_it_did(name: str) -> None:
    drawn = batch_card(BATCHES[name], now=NOW)
    assert check_message(drawn.blocks, drawn.text) == []
    shown = {"text": drawn.text, "blocks": drawn.blocks, "metadata": drawn.metadata}
    found = json.dumps(shown, ensure_ascii=False, indent=1) + "\n"
    file = GOLDEN / f"{name}.json"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


def test_every_golden_batch_is_still_drawn() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(BATCHES)
