"""What stands on a card is read as something else."""

from __future__ import annotations

import re
from typing import Any

from attacks.person import Person
from attacks.world import World, held
from signoff.sandbox.remote import nodes, words

HIDDEN = "\u202e\u2066\u2069\u200b\u2028\u00ad\u2800\U000e0041"
MARKUP = "<!channel> <@U0ANA00001> *bold* `code` <https://evil.example|Approve> :rocket:"


def _card(world: World, action: str, payload: dict[str, Any], **said: Any) -> str:
    """All there is to read on its card; raises GotThrough where an agent's text is markup."""
    ticket, card = world.asked("eye-bot", action, payload, **said)
    ticket.cancel()
    for node in nodes(card["blocks"]):
        text = node.get("text")
        held(node.get("type") != "mrkdwn" or "evil" not in str(text), f"markup: {text}")
        held(
            node.get("type") not in ("link", "broadcast", "emoji"), f"it stands there as a {node.get('type')}"
        )
    return words(card)


def characters_that_nobody_sees(world: World) -> None:
    """Directions turned, blanks, tags: each has to stand there as an escape."""
    shown = _card(world, "asked.hidden", {"note": f"safe{HIDDEN}fdp.exe"})
    for char in HIDDEN:
        held(f"\\u{{{ord(char):x}}}" in shown, f"U+{ord(char):04X} does not stand there")


def an_escape_that_is_none(world: World) -> None:
    """The characters of an escape, written out by the agent."""
    shown = _card(world, "asked.escape", {"note": "\\u{202e}x"})
    held("\\u{5c}u{202e}x" in shown, "it passes for an escape of ours")


def markup_of_slack(world: World) -> None:
    """Mentions, links, bold text, emoji: in the payload, in names, and in all that an agent may say."""
    _card(
        world, "asked.markup", {MARKUP: MARKUP}, reason=MARKUP, impact=MARKUP, undo=MARKUP, title=MARKUP[:90],
        alternatives=[MARKUP],
    )  # fmt: skip


def letters_of_another_alphabet(world: World) -> None:
    """`pаypal` with a Cyrillic letter: the card has to warn of it, and not of everyday text."""
    _warns(world, "asked.mixed", {"to": "pаypal@example.com"}, "Cyrillic", "alphabets")
    plain = _card(world, "asked.plain", {"to": "paypal@example.com", "text": "Grüße aus Köln, 9 €"})
    held("Cyrillic" not in plain and "alphabets" not in plain, f"warned of everyday text: {plain}")


def whole_words_of_another_alphabet(world: World) -> None:
    """`аррӏе.com`, full-width and mathematical digits: the card has to name what they are."""
    _warns(world, "asked.apple", {"to": "https://аррӏе.com/x"}, "Cyrillic")
    _warns(world, "asked.wide", {"amount": "１２０"}, "full-width")
    _warns(world, "asked.bold", {"amount": "𝟏𝟐𝟎"}, "mathematical")


def points_and_slashes_that_are_none(world: World) -> None:
    """`bank․com`, `corp.com∕login.evil.com`: the card has to name what is no part of an address."""
    _warns(world, "asked.point", {"url": "bank․com"}, "only looks like")
    _warns(world, "asked.slash", {"url": "https://corp.com∕login.evil.com"}, "only looks like")


def two_names_that_look_alike(world: World) -> None:
    """`é` as one character and as two, in one object."""
    _warns(world, "asked.twins", {"caf\u00e9": 1, "cafe\u0301": 999_999}, "look alike")


def a_line_is_read_in_another_order(world: World) -> None:
    """Hebrew letters around amounts in a line of ours, as the edit's `before → after`: each is isolated."""
    person = Person(world, world.approver)
    ticket, card = world.asked("eye-bot", "asked.order", {"אב": "אב 120"})
    person.click(card, "edit")
    form = person.form("edit")
    person.submit(form, **{form["blocks"][0]["label"]["text"]: "גד 80"})
    shown = words(person.form("difference"))
    person.close()
    ticket.cancel()
    [before] = re.findall("(.?)אב 120", shown)
    [after] = re.findall("(.?)גד 80", shown)
    held(before in OPENS and after in OPENS, f"nothing keeps them apart: {shown!r}")


def _warns(world: World, action: str, payload: dict[str, Any], *named: str) -> None:
    shown = _card(world, action, payload)
    held(any(one in shown for one in named), f"nothing is said of {named[0]}: {shown}")


OPENS = ("\u2066", "\u2067", "\u2068")
"""What begins a part of a line that is read by itself."""
