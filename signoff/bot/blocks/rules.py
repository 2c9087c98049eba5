"""What rules are made of: a rule is a function of (check, value, pointer) that adds to `check.problems`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from signoff.bot.blocks.limits import URL


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that Slack would refuse: a JSON pointer such as "/blocks/3/text/text", and why."""

    pointer: str
    message: str


@dataclass(slots=True)
class Check:
    """What is known so far about one message, modal or home (`surface`)."""

    surface: str
    problems: list[Problem] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)
    action_ids: set[str] = field(default_factory=set)
    """Of the block at hand."""
    focused: bool = False
    markdown: int = 0
    """Characters in markdown blocks so far."""
    tables: int = 0

    def add(self, pointer: str, message: str) -> None:
        """Record a problem."""
        self.problems.append(Problem(pointer, message))


Rule = Callable[[Check, Any, str], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """An object of a known type: its fields, which of them it needs, and what no single field can say."""

    fields: dict[str, Rule]
    required: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    also: Rule | None = None

    def __call__(self, check: Check, value: Any, at: str) -> None:
        if not isinstance(value, dict):
            check.add(at, "must be an object")
            return
        for name in value:
            if name not in self.fields and name != "type":
                check.add(at, f"invalid additional property: {str(name)[:80]}")
        for name in self.required:
            if value.get(name) is None:
                check.add(at, f"missing required field: {name}")
        if self.one_of and not any(value.get(name) for name in self.one_of):
            check.add(at, f"missing required field: one of {', '.join(self.one_of)}")
        for name, rule in self.fields.items():
            if value.get(name) is not None:
                rule(check, value[name], f"{at}/{name}")
        if self.also is not None:
            self.also(check, value, at)


def string(most: int, least: int = 1) -> Rule:
    """A string of `least` to `most` characters."""

    def rule(check: Check, value: Any, at: str) -> None:
        if not isinstance(value, str):
            check.add(at, "must be a string")
        elif len(value) > most:
            check.add(at, f"must be less than {most + 1} characters")
        elif len(value) < least:
            check.add(at, f"must be more than {least - 1} characters")

    return rule


def text(most: int, *types: str) -> Rule:
    """A text object of 1 to `most` characters; of either type where none is named."""
    allowed = types or ("plain_text", "mrkdwn")
    inner = string(most)

    def rule(check: Check, value: Any, at: str) -> None:
        if not isinstance(value, dict) or value.get("type") not in allowed:
            check.add(at, f"must be a text object of type {' or '.join(allowed)}")
            return
        extra = "emoji" if value["type"] == "plain_text" else "verbatim"
        Shape({"text": inner, extra: boolean}, ("text",))(check, value, at)

    return rule


def plain(most: int) -> Rule:
    """A plain_text object."""
    return text(most, "plain_text")


def boolean(check: Check, value: Any, at: str) -> None:
    """True or false, not 1 or "true"."""
    if not isinstance(value, bool):
        check.add(at, "must be a boolean")


def integer(least: int, most: int) -> Rule:
    """An integer within bounds, both included."""

    def rule(check: Check, value: Any, at: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            check.add(at, f"must be an integer from {least} to {most}")

    return rule


def number(check: Check, value: Any, at: str) -> None:
    """A JSON number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        check.add(at, "must be a number")


def nullable(rule: Rule) -> Rule:
    """`rule`, or null."""
    return lambda check, value, at: None if value is None else rule(check, value, at)


def one_of(*values: str) -> Rule:
    """One of a few strings."""

    def rule(check: Check, value: Any, at: str) -> None:
        if not isinstance(value, str) or value not in values:
            check.add(at, f"must be one of: {', '.join(values)}")

    return rule


def matching(pattern: str, what: str, most: int = URL) -> Rule:
    """A string that a pattern matches whole; `what` names it in the refusal."""
    regex = re.compile(pattern)

    def rule(check: Check, value: Any, at: str) -> None:
        if not isinstance(value, str) or not regex.fullmatch(value):
            check.add(at, f"must be {what}")
        elif len(value) > most:
            check.add(at, f"must be less than {most + 1} characters")

    return rule


def items(rule: Rule, least: int, most: int) -> Rule:
    """An array of `least` to `most` items, each by `rule`."""

    def each(check: Check, value: Any, at: str) -> None:
        if not isinstance(value, list):
            check.add(at, "must be an array")
            return
        if len(value) > most:
            check.add(at, f"no more than {most} items allowed")
        if len(value) < least:
            check.add(at, f"must provide at least {least} items")
        for index, item in enumerate(value[: most + 1]):
            rule(check, item, f"{at}/{index}")

    return each


def typed(table: dict[str, Rule], *names: str) -> Rule:
    """An object whose `type` is one of `names` (all of the table where none is given)."""

    def rule(check: Check, value: Any, at: str) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in (names or table):
            check.add(f"{at}/type", f"unsupported type: {str(kind)[:80]}")
        else:
            table[kind](check, value, at)

    return rule


def once(rule: Rule, seen: str, complaint: str) -> Rule:
    """`rule`, and the value may not stand in the set `check.<seen>` already."""

    def unique(check: Check, value: Any, at: str) -> None:
        rule(check, value, at)
        known: set[str] = getattr(check, seen)
        if isinstance(value, str):
            if value in known:
                check.add(at, complaint)
            known.add(value)

    return unique


any_url = matching(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", "a valid URL")
web_url = matching(r"https?://[^\s/]\S*", "a valid http or https URL")
