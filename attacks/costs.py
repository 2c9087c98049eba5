"""One request that costs more than its size: another agent asks and another person clicks meanwhile."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from attacks.person import Person
from attacks.world import World, held, until
from signoff import SignoffError
from signoff.client.ask import build_request

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from payload.costs import KINDS

COSTLY = "costly-bot"
MORE = 2.0
"""Seconds that another agent's answer, and another person's click, may take longer than before."""


@contextmanager
def _asking(world: World, *kinds: str) -> Iterator[None]:
    """Inside the `with` an agent asks for these, each as large as may be, as fast as it can.

    They are made before, so that what is measured is what they cost the server.
    """
    made = [_request(kind, 1 - turn / 1000) for turn in range(3) for kind in kinds]
    world.redis_url(COSTLY)
    thread = threading.Thread(target=lambda: [world.post(COSTLY, "request", *one) for one in made])
    thread.start()
    try:
        yield
    finally:
        thread.join(60)
        for request_id, _ in made:
            with suppress(SignoffError):
                world.agent(COSTLY).cancel(request_id)


def _request(kind: str, share: float) -> tuple[str, str]:
    """Its id and its body."""
    case = KINDS[kind](share)
    said: dict[str, Any] = {"context": case.context, "reason": case.reason, "schema": case.schema}
    request, body, _ = build_request(COSTLY, "asked.costly", case.payload, cast(Any, said))
    return str(request.id), body


def _clicked(world: World, number: int) -> float:
    """Seconds from the click to the receipt."""
    ticket, card = world.asked("calm-bot", f"refund.calm{number}", {"n": number})
    began = time.monotonic()
    world.click(card, "approve")
    ticket.wait(60)
    return time.monotonic() - began


def _costs_others_nothing(world: World, *kinds: str) -> None:
    number = int(time.monotonic() * 1000)
    before = max(world.serves(), _clicked(world, number))
    with _asking(world, *kinds):
        served = max(world.serves() for _ in range(5))
        clicked = max(_clicked(world, number + turn) for turn in (1, 2))
    held(served < before + MORE, f"another agent waited {served:.1f} s, before {before:.1f} s")
    held(clicked < before + MORE, f"a click took {clicked:.1f} s, before {before:.1f} s")


def long_texts(world: World) -> None:
    """250 kB of tabs, of spaces at line ends, of marks, of what is hidden."""
    _costs_others_nothing(world, "tabs", "spaces at line ends", "marks alone", "hidden everywhere")


def many_values(world: World) -> None:
    """Thousands of numbers, odd names, nested objects."""
    _costs_others_nothing(world, "whole numbers in both", "tiny numbers", "many odd fields", "deep")


def lists_of_allowed_values(world: World) -> None:
    """Schemas of thousands of allowed values over thousands of values."""
    _costs_others_nothing(world, "enum of fractions", "enum of objects", "alternatives", "choices")


def schemas_that_refer_to_themselves(world: World) -> None:
    """Fields that share one description, a mesh of references, dependencies, patterns."""
    _costs_others_nothing(world, "references", "a mesh", "dependent", "patterns of names", "combined")


def a_review_of_the_costliest_holds_up_a_click(world: World) -> None:
    """24,000 tabs, opened by one person with Review… while another approves something else."""
    text = "x\n" + "\t" * 24_000 + "x"
    number = int(time.monotonic() * 1000)
    before = _clicked(world, number)
    ticket, card = world.asked("costly-bot", "asked.tabs", {"t": text})
    other, calm = world.asked("calm-bot", f"refund.tabs{number}", {"n": 1})
    opener = threading.Thread(target=world.click, args=(card, "review", world.other))
    opener.start()
    began = time.monotonic()
    answer = world.click(calm, "approve")
    other.wait(60)
    took = time.monotonic() - began
    opener.join(30)
    ticket.cancel()
    Person(world, world.other).close()
    held(answer.get("acked") and took < before + MORE, f"it took {took:.1f} s, before {before:.1f} s")


def more_values_than_are_taken(world: World) -> None:
    """`[0]*125000` and `[1]*115000` in 480 kB, sent by hand: refused, and nobody waits."""
    body = build_request("wide-bot-2", "asked.wide", {"l": [0]}, {})[0].encode()
    large = body.replace('"l":[0]', f'"l":[{",".join("0" * 125_000)}]')
    large = large[:-1] + f',"context":{{"l":[{",".join("1" * 115_000)}]}}}}'
    request = build_request("wide-bot-2", "asked.wide", {"l": [0]}, {})[0]
    world.post("wide-bot-2", "request", str(request.id), large)
    took = world.serves()
    found = until("an answer", world.agent("wide-bot-2").resume(str(request.id)).get)
    held(found.status == "invalid" and took < MORE, f"it is {found.status}, another waited {took:.1f} s")


def a_schema_that_is_too_costly_hides_that_it_was_not_looked_at(world: World) -> None:
    """1,500 fractions allowed, 3,000 sent: its card has to say that nobody has checked it."""
    schema = {
        "type": "object", "properties": {"l": {"items": {"enum": [n + 0.37 for n in range(1_500)]}}}
    }  # fmt: skip
    payload = {"l": [(n % 1_500) + 0.37 for n in range(3_000)]}
    ticket, card = world.asked("costly-bot", "asked.unchecked", payload, schema=schema)
    held("too costly to check" in str(card["blocks"]), "the card does not say so")
    ticket.cancel()
