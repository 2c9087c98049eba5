"""What an agent's code says when it asks a person something → a question; pure.

Mistakes are told before anything is sent, each with the one thing to do, as `client.mistakes` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict, cast

from signoff.client.ask import Ask, build_for
from signoff.client.claims import Texts
from signoff.client.mistakes import check_claims, kind_of, unknown
from signoff.errors import Invalid
from signoff.models.messages import ApprovalRequest
from signoff.models.questions import (
    ACTION,
    MAX_ABOUT,
    MAX_ERROR,
    MAX_OPTION,
    MAX_QUESTION,
    MAX_SOURCE,
    MOST_OPTIONS,
    MOST_SOURCES,
    MOST_TRIES,
    QUESTION,
    WHYS,
    Question,
    Why,
)
from signoff.payload.blank import is_blank

Options = (
    Mapping[str, str | tuple[str, str]]
    | Sequence[str]
    | Sequence[tuple[str, str]]
    | Sequence[Mapping[str, str]]
)
"""By their ids, each a text, or a text and what more there is to say of it; or such in a list, which may
have its ids in itself: {"id": "a", "text": "Ann Smith", "about": "of Berlin"}."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Put(TypedDict, total=False):
    """How a question is put, and what may be said with it; see AskPerson."""

    options: Options | None
    several: bool
    date: bool
    free_text: bool | None
    default: str | None
    why: Why
    sources: Mapping[str, str] | Sequence[tuple[str, str]] | None
    tries: Mapping[str, object] | Sequence[tuple[str, object]] | None


class AskPerson(Put, total=False):
    """All that may be said with a question. Everything is optional.

    options: at most 10 to choose from, each a text of at most 150 characters: a dict of ids (a-z, A-Z, 0-9, -
        and _; what `answer.choice` gives) and texts, or a list of texts. A pair of a text and one more says
        more of an option, and so does {"id": …, "text": …, "about": …} in a list. In a list of texts, each is
        its own id where all of them could be one, as "red"; else they are called "1", "2" and so on.
    several: whether more than one option may be chosen: `answer.choices`.
    date: whether a date may be given: `answer.date`.
    free_text: whether a text may be given: `answer.text`. Without options and date it may, if not said.
    default: what the agent does where somebody says that it is for the agent to decide: an option's id or
        text, else a text. `answer.default` is True then. A question that nobody answers gives it never.
    why: "ambiguous", "conflict" (sources contradict each other), "failed" (what was tried went wrong),
        "scope" (how far to go), "preference" or "other".
    sources: what contradicts each other, a dict of names and texts; a conflict has two at least, at most 5.
    tries: what was tried, and what went wrong, a dict or pairs; at most 10.
    context: more facts, as a JSON object.
    run: names the agent's piece of work that this belongs to.
    key: asking again with the same key and content attaches to the first question.
    expires_in: seconds, or a timedelta, until an unanswered question ends; 24 hours if not said.
    conversation: the Slack channel, or the thread in one, that the agent would like; the policy decides.
    requested_by: for whom the agent does this.
    tags: a list of texts, of a-z, 0-9 and -.
    """

    context: Mapping[str, Any] | None
    run: str | None
    key: str | None
    expires_in: float | timedelta | None
    conversation: str | None
    requested_by: str | None
    tags: Texts


CLAIMS = frozenset(AskPerson.__annotations__) - frozenset(Put.__annotations__)
"""What is said with a question, and is no part of it."""


def read(question: object, said: Mapping[str, Any]) -> tuple[Question, dict[str, Any]]:
    """A question's text, and what was said with it → the question, and the claims that go beside it.

    Raises Invalid, with what to write.
    """
    if told := unknown(said, AskPerson.__annotations__, "There is no"):
        raise Invalid(told)
    values: dict[str, Any] = {"question": _text("The question", question, MAX_QUESTION)}
    ids = _options(said.get("options"), values)
    for name in ("several", "date"):
        _flag(name, said.get(name, False), values)
    free = said.get("free_text")
    _flag("free_text", not (values.get("options") or values["date"]) if free is None else free, values)
    _why(said, values)
    _pairs("sources", said.get("sources"), ("name", "text"), (MAX_OPTION, MAX_SOURCE), MOST_SOURCES, values)
    _pairs("tries", said.get("tries"), ("what", "error"), (MAX_ABOUT, MAX_ERROR), MOST_TRIES, values)
    if (default := said.get("default")) is not None:
        values["default"] = ids.get(_text("default", default, MAX_ABOUT), default)
    claims = {name: said[name] for name in CLAIMS if said.get(name) is not None}
    check_claims(claims)
    return Question.of(values), claims


def put(
    who: Callable[[], tuple[str, str | None]], question: object, said: Mapping[str, Any]
) -> tuple[Question, ApprovalRequest, str, str]:
    """The question, its request, the body of that, and its payload's digest: see `build_for`."""
    asks, claims = read(question, said)
    return asks, *build_for(who, ACTION, asks.payload(), cast("Ask", claims), kind=QUESTION)


def _text(name: str, value: object, most: int) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{name} is {kind_of(value)}: write text.")
    if is_blank(value):
        raise Invalid(f"{name} says nothing: write text.")
    if len(value) > most:
        raise Invalid(f"{name} has {len(value):,} characters: at most {most:,} are taken.")
    return value


def _flag(name: str, value: object, values: dict[str, Any]) -> None:
    if not isinstance(value, bool):
        raise Invalid(f"{name} is {kind_of(value)}: write True or False.")
    values[name] = value


def _why(said: Mapping[str, Any], values: dict[str, Any]) -> None:
    why = said.get("why", "other")
    if why not in WHYS:
        shown = repr(why[:60]) if isinstance(why, str) else kind_of(why)
        listed = ", ".join(f'"{one}"' for one in WHYS)
        near = unknown([why], WHYS, "There is no why") if isinstance(why, str) else ""
        raise Invalid(near or f"why is {shown}: write one of {listed}.")
    values["why"] = why


def _options(given: object, values: dict[str, Any]) -> dict[str, str]:
    """Add the options; their ids, by id and by text, as a default may name them."""
    if given is None:
        return {}
    if isinstance(given, str | bytes) or not isinstance(given, Mapping | Sequence):
        raise Invalid(f'options is {kind_of(given)}: write {{"a": "Ann Smith", "b": "Al Smith"}}, or a list.')
    if not given:
        raise Invalid("options is empty: leave it out where people are to write a text.")
    if len(given) > MOST_OPTIONS:
        raise Invalid(
            f"There are {len(given):,} options: at most {MOST_OPTIONS} are taken. Ask a narrower question, "
            "or with free_text=True."
        )
    listed = given.values() if isinstance(given, Mapping) else given
    said = [_option(one) for one in listed]
    if isinstance(given, Mapping):
        ids = [_option_id(one) for one in given]
    elif all(isinstance(one, Mapping) and "id" in one for one in listed):
        ids = [_option_id(one["id"]) for one in listed]
    else:
        texts = [text for text, _ in said]
        own = all(map(_ID.fullmatch, texts)) and len(set(texts)) == len(texts)
        ids = texts if own else [str(number) for number in range(1, len(texts) + 1)]
    values["options"] = [
        {"id": name, "text": text, "about": about} for name, (text, about) in zip(ids, said, strict=True)
    ]
    by_text = {text: name for name, (text, _) in zip(ids, said, strict=True)}
    return by_text | {name: name for name in ids}


def _option(given: object) -> tuple[str, str]:
    if isinstance(given, str):
        return _text("An option", given, MAX_OPTION), ""
    if isinstance(given, tuple | list) and len(given) == 2:
        about = given[1]
        text = _text("An option", given[0], MAX_OPTION)
        return text, _text("What is said of an option", about, MAX_ABOUT) if about != "" else ""
    if isinstance(given, Mapping) and "text" in given and not set(given) - {"id", "text", "about"}:
        return _option((given["text"], given.get("about", "")))
    raise Invalid(f'An option is {kind_of(given)}: write a text, or a pair ("Ann Smith", "of Berlin").')


def _option_id(given: object) -> str:
    if not isinstance(given, str) or not _ID.fullmatch(given):
        shown = repr(given[:60]) if isinstance(given, str) else kind_of(given)
        raise Invalid(f"An option's id is {shown}: it has 1 to 40 of a-z, A-Z, 0-9, - and _.")
    return given


def _pairs(
    name: str,
    given: object,
    names: tuple[str, str],
    most: tuple[int, int],
    many: int,
    values: dict[str, Any],
) -> None:
    """Add what comes in pairs: a dict, pairs, or objects of just these names."""
    if given is None:
        return
    example = f'{name}=[("{names[0]}", "{names[1]}")]'
    if isinstance(given, str | bytes) or not isinstance(given, Mapping | Sequence):
        raise Invalid(f"{name} is {kind_of(given)}: write a dict, or pairs, {example}.")
    if len(given) > many:
        raise Invalid(f"{name} has {len(given):,}: at most {many} are taken.")
    found = []
    for one in given.items() if isinstance(given, Mapping) else given:
        pair: Any = tuple(one.get(part) for part in names) if isinstance(one, Mapping) else one
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise Invalid(f"{name} holds {kind_of(one)}: write pairs, {example}.")
        first, second = pair
        if isinstance(second, BaseException):
            second = f"{type(second).__name__}: {second}"[: most[1]]
        found.append(
            {
                names[0]: _text(f"{name}: the {names[0]}", first, most[0]),
                names[1]: _text(f"{name}: the {names[1]}", second, most[1]),
            }
        )
    values[name] = found
