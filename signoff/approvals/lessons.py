"""What agents learn: read from what people decided, answered and corrected; nothing here changes a state.

Alike lessons are one, with a count. Each time counts for half as much a month later, and the highest sum
comes first: so do the newest and the most frequent. No name or id of anybody whom the log knows is in any of
them, and no hour at which anything was said.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from signoff.approvals.nobody import Names
from signoff.models import known_people, taught
from signoff.models import lessons as learnt
from signoff.models.lessons import CHANGES, HIDDEN, LIMIT, MOST, SAID, VALUE, Changed, Lesson, Lessons
from signoff.models.messages import moment
from signoff.models.store import Store
from signoff.payload.canonical import canonical
from signoff.policy.policy import Policy
from signoff.policy.sensitive import asks_for_sensitive

HALVED: Final = 30 * 24 * 3600 * 1_000_000
"""Microseconds after which what was said counts for half."""
_MISSING: Final = object()


@dataclass
class _Alike:
    """Lessons that are one: how often, the last time, and what it counts for."""

    lesson: Lesson
    count: int = 0
    last: int = 0
    weight: float = 0.0

    def add(self, at: int, now: int) -> None:
        """Once more."""
        self.count += 1
        self.last = max(self.last, at)
        self.weight += 0.5 ** (max(now - at, 0) / HALVED)

    @property
    def whole(self) -> Lesson:
        """The lesson with its count, and the month of the last time."""
        return self.lesson.model_copy(update={"count": self.count, "last": f"{moment(self.last):%Y-%m}"})


class _Names:
    """Takes people out of what anybody wrote."""

    def __init__(self, known: known_people.Known, rows: Iterable[taught.Taught]) -> None:
        names, ids = set(known.names), set(known.ids)
        for row in rows:  # as they were called then
            names |= {row.name.strip()} if row.name else set()
            ids |= {row.by_id} if row.by_id else set()
        self._people = Names(names, ids)

    def without(self, said: str) -> str:
        """The text, at most `SAID` characters of it, with nobody's name or id."""
        found = self._people.without(said[: 4 * SAID])
        return found if len(found) <= SAID else f"{found[: SAID - 1]}…"


class LessonBook:
    """Reads lessons for agents. `policy` gives the one in force: it says who sees whose."""

    def __init__(self, store: Store, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._policy = policy

    def of(self, agent: str, action: str | None = None, limit: int = LIMIT) -> Lessons:
        """What this agent can learn, the newest and most frequent first; `limit` is from 1 to 100.

        Of its own work, and of that of others whose lessons the policy shares with it.

        The database's errors pass.
        """
        policy, limit = self._policy(), min(max(limit, 1), MOST)
        agents = (agent, *policy.learns_from(agent))
        with self._store.reading() as connection:
            rows, now = taught.read(connection, agents, action)
            known = known_people.read(connection)
        names = _Names(known, rows)
        found: dict[Any, _Alike] = {}
        for row in rows:
            lesson = _lesson(row, names, policy)
            if lesson is not None:
                found.setdefault(_likeness(lesson), _Alike(lesson)).add(row.at, now)
        order = sorted(found.values(), key=lambda one: (-one.weight, -one.last))
        return Lessons(one.whole for one in order[:limit])

    def text(self, lessons: Iterable[Lesson], tokens: int = learnt.TOKENS) -> str:
        """Lessons as a text for a prompt, of at most so many tokens and marked as data."""
        return learnt.text(lessons, tokens)


def _likeness(lesson: Lesson) -> Any:
    """What two lessons have in common that are one: their words but for case and spaces."""
    said = (lesson.reason, lesson.correction, lesson.question, lesson.answer)
    words = tuple(" ".join(one.casefold().split()) for one in said)
    changes = tuple((one.field, one.old, one.new) for one in lesson.changes)
    return lesson.kind, lesson.agent, lesson.action, lesson.resubmit, words, changes


def _lesson(row: taught.Taught, names: _Names, policy: Policy) -> Lesson | None:
    """What a row teaches; None where that is nothing, as its payload is erased or too long to compare."""
    bare = Lesson(kind=row.kind, agent=row.agent, action=row.action)
    said: dict[str, Any] = {}
    match row.kind:
        case "right" | "partly" | "wrong":
            said = {"correction": names.without(row.said)}
        case "rejected":
            said = {"reason": names.without(row.said), "resubmit": bool(row.resubmit)}
        case "edited":
            changes = tuple(_changes(row, policy))
            said = {"reason": names.without(row.said), "changes": changes} if changes else {}
        case "answered":
            question, answer = map(names.without, _answered(row))
            said = {"question": question, "answer": answer} if question else {}
    return bare.model_copy(update=said) if said else None


def _changes(row: taught.Taught, policy: Policy) -> Iterator[Changed]:
    if row.sent is None or row.approved is None:
        return
    differing = _differing("", json.loads(row.sent), json.loads(row.approved))
    for _, (path, was, now) in zip(range(CHANGES), differing, strict=False):
        hidden = _is_hidden(row.action, path, policy)
        yield Changed(field=path[:SAID], old=_value(was, hidden), new=_value(now, hidden))


def _differing(path: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(was, dict) and isinstance(now, dict):
        for name in [*was, *(name for name in now if name not in was)]:
            place = f"{path}.{name}" if path else name
            yield from _differing(place, was.get(name, _MISSING), now.get(name, _MISSING))
    elif was is _MISSING or now is _MISSING or canonical(was) != canonical(now):
        yield path, was, now


def _value(value: Any, hidden: bool) -> str | None:
    if value is _MISSING:
        return None
    if hidden:
        return HIDDEN
    said = json.dumps(value, ensure_ascii=False)
    return said if len(said) <= VALUE else f"{said[: VALUE - 1]}…"


def _is_hidden(action: str, path: str, policy: Policy) -> bool:
    """Whether a field holds what not everybody may know, by its name: as the policy says, or our own list."""
    if asks_for_sensitive({"fields": path}):
        return True
    return policy.contents is not None and policy.contents.sensitive.named_in("", {path: ""})


def _answered(row: taught.Taught) -> tuple[str, str]:
    """The question, and what was answered, in the words of the options."""
    if row.sent is None or row.answer is None:
        return "", ""
    asked, said = json.loads(row.sent), json.loads(row.answer)
    if not isinstance(asked, dict) or not isinstance(said, dict):
        return "", ""
    texts: defaultdict[str, str] = defaultdict(str)
    for option in asked.get("options") or ():
        if isinstance(option, dict):
            texts[str(option.get("id"))] = str(option.get("text", ""))
    chosen = [texts[str(one)] or str(one) for one in said.get("choice") or ()]
    parts = [*chosen, *(str(said[name]) for name in ("date", "text") if said.get(name))]
    if said.get("none"):
        parts.insert(0, "None of these")
    if said.get("default"):
        parts.insert(0, "You decide")
    return str(asked.get("question", "")), "; ".join(parts)
