"""What a policy that holds may not mean: what `signoff policy check` warns of; pure.

A fault keeps a policy from being used; a doubt does not. Each says what passes that nobody may have thought
of, and what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from signoff.models.verdict import RISKS
from signoff.policy import times
from signoff.policy.classes import CLASSES, TABLE
from signoff.policy.document import Document, Path
from signoff.policy.globs import covers
from signoff.policy.order import FREEING
from signoff.policy.places import is_provider, is_shared, is_suffix
from signoff.policy.proofs import session_doubt
from signoff.policy.questions import ACTION, only_questions, passes_questions
from signoff.policy.rules import Contents, Match, Rule
from signoff.policy.wording import Asked, wordings
from signoff.policy.words import words

PROBES = (
    "refund.create", "send_email", "files.read", "db.drop", "deploy.production", "iam.grant_admin", "x",
    "frobnicate_it", "A.b-c:d/e",
)  # fmt: skip
"""Actions so different that a list which has all of them has everything."""
Doubt = tuple[Path, str]
TAGS = frozenset(tag for one in TABLE for tag in one.tags)
"""Tags that an action has by its class, whatever its agent claims."""


def doubts(found: Document, contents: Contents, judge: Callable[[str, Contents], str]) -> list[Doubt]:
    """All doubts about a policy that holds, each with its place in the file.

    `judge` says what becomes of an action under contents: `allow`, `notify`, `ask` or `block`.
    """
    file = _File(found.values, contents, judge)
    return [*file.domains(), *file.lists(), *file.rules(), *file.stops(), *times.doubts(found, contents)]


@dataclass(frozen=True)
class _File:
    values: dict[str, Any]
    contents: Contents
    judge: Callable[[str, Contents], str]

    @cached_property
    def _own(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.contents.rules if not rule.source)

    def domains(self) -> Iterator[Doubt]:
        """Of `internal_domains`."""
        for index, entry in enumerate(self.values.get("internal_domains", ())):
            domain, path = entry.removeprefix("*."), ("internal_domains", index)
            if is_provider(domain):
                yield path, f"anybody gets an address at {domain}: name your company's own domains"
            elif is_suffix(domain):
                yield path, f"{entry} is no company's domain, but a suffix or a bare name: write example.com"
            elif is_shared(domain):
                yield path, f"anybody gets a name below {domain}: name your company's own one"

    def stops(self) -> Iterator[Doubt]:
        """Of who may stop and resume."""
        stop = self.contents.stop
        people = {one for name in stop.who for one in self.contents.groups.get(name, (name,))}
        if stop.resume == "second" and len(people) == 1 and not people & {"members"}:
            [one] = people
            if not one.startswith("S"):
                yield (
                    ("stop", "who"),
                    "who resumes has to be another person than who stopped, and this is one alone: name a "
                    "second one, or write resume: any",
                )

    def lists(self) -> Iterator[Doubt]:
        """Of the lists, and of what the file says about actions and agents at large."""
        values, contents = self.values, self.contents
        for index, entry in enumerate(values.get("never_ask", ())):
            if _is_everything([entry]):
                yield (
                    ("never_ask", index),
                    "this lets everything run that no rule and no list holds: name actions",
                )
            for part, other in (("block", contents.block), ("always_ask", contents.always_ask)):
                if entry in other.entries or (entry[:1] != "@" and covers(_globs(other.entries), [entry])):
                    yield (
                        ("never_ask", index),
                        f"{part} has {entry}, too, and wins: take it out of one of them",
                    )
            if entry.lower() == ACTION:
                yield ("never_ask", index), "a question is always asked or blocked: take it out"
        for entry, risk in values.get("risk", {}).items():
            if RISKS.index(risk) < RISKS.index("high") and _is_everything([entry]):
                yield ("risk", entry), f"actions that nobody knows count as {risk} then: rate those you know"
        for entry, undo in values.get("reversibility", {}).items():
            if undo != "irreversible" and _is_everything([entry]):
                yield (
                    ("reversibility", entry),
                    f"actions that nobody knows count as {undo} then: rate those you know",
                )
        for name, said in values.get("agents", {}).items():
            if said.get("autonomy") == "full_auto" and covers([name], ["*"]):
                yield (
                    ("agents", name, "autonomy"),
                    "every agent, also one that is new, is full_auto: name agents",
                )

    def rules(self) -> Iterator[Doubt]:
        """Of the file's own rules."""
        for index, rule in enumerate(self._own):
            path: Path = ("rules", index)
            yield from self._breadth(index, rule, path)
            yield from self._reach(index, rule, path)
            yield from self._tags(rule, path)
            yield from self._sums(rule, path)
            if rule.session and (doubt := session_doubt(rule, self.contents)):
                yield (*path, "session"), doubt
            if rule.when is not None:
                asked = Asked(rule.verdict in FREEING, partial(self._falls_free, rule))
                yield from (((*path, "when"), one) for one in wordings(rule.when.source, asked))

    def _breadth(self, index: int, rule: Rule, path: Path) -> Iterator[Doubt]:
        if rule.verdict not in FREEING or not _is_unbound(rule) or not _matches_everything(rule.match):
            return
        first = (
            "nothing after it decides" if index < len(self._own) - 1 or self.contents.rules[-1].source else ""
        )
        more = f", and {first}" if first else ""
        yield path, f"this rule lets everything run that no list holds{more}: name actions, or take it out"

    def _reach(self, index: int, rule: Rule, path: Path) -> Iterator[Doubt]:
        """That it cannot decide: a list has all that it matches, or an earlier rule of the same condition."""
        actions = rule.match.action.patterns if rule.match.action else ()
        classes = sorted(rule.match.action_class or ()) if not actions else ()
        lists = [("block", self.contents.block, True)]
        lists.append(("always_ask", self.contents.always_ask, rule.verdict in FREEING))
        for name, entries, counts in lists:
            held = bool(actions) and covers(_globs(entries.entries), actions)
            held = held or (bool(classes) and all(f"@{one}" in entries.entries for one in classes))
            if counts and held:
                what = "blocks" if name == "block" else "holds"
                yield (
                    path,
                    f"this rule decides nothing, as {name} {what} all that it matches: take one of them out",
                )
                return
        for earlier in self._own[:index]:
            if earlier.sums and rule.verdict == "ask":
                continue  # what its sum does not let run comes here
            if only_questions(rule) and passes_questions(earlier):
                continue
            same = (
                earlier.when is not None and rule.when is not None and earlier.when.source == rule.when.source
            )
            constant = (
                earlier.when is not None and earlier.when.constant and not _matches_everything(earlier.match)
            )
            if (same or constant) and _is_wider(earlier.match, rule.match):
                yield (
                    path,
                    f"this rule may never decide, as {earlier.name!r} before it matches the same: move it up",
                )
                return

    def _tags(self, rule: Rule, path: Path) -> Iterator[Doubt]:
        claimed = sorted((rule.match.tags or frozenset()) - TAGS)
        if not claimed or TAGS & (rule.match.tags or frozenset()):
            return
        said = ", ".join(claimed)
        if rule.verdict in FREEING:
            yield (
                (*path, "match", "tags"),
                f"only an agent says {said}, and a claim frees nothing: decide by action, class or payload",
            )
        elif self._falls_free(rule):
            yield (
                (*path, "match", "tags"),
                f"an agent that does not say {said} is not held by this rule: match actions or a class",
            )

    def _sums(self, rule: Rule, path: Path) -> Iterator[Doubt]:
        for one in rule.sums if rule.verdict in FREEING else ():
            if one.by and (rule.when is None or one.by not in rule.when.source):
                yield (
                    (*path, "limits", "per_day", "by"),
                    f"each value that agents write into {one.by} has a sum of its own: name them in `when`",
                )

    def _falls_free(self, rule: Rule) -> bool:
        """Whether what this rule asks about or blocks would run without it."""
        rest = tuple(one for one in self.contents.rules if one is not rule)
        without = replace(self.contents, rules=rest)
        return self.judge(_sample(rule.match), without) in FREEING


def _sample(match: Match) -> str:
    """An action that a rule is about."""
    if match.action:
        return match.action.patterns[0].replace("*", "x").replace("?", "x")
    names = [one for name in sorted(match.action_class or ()) for one in CLASSES[name].globs.patterns]
    return names[0].replace("*", "x") if names else "frobnicate"


def _globs(entries: tuple[str, ...]) -> list[str]:
    return [one for one in entries if not one.startswith("@")]


def _is_everything(globs: list[str]) -> bool:
    return not globs[0].startswith("@") and all(covers(globs, [probe]) for probe in PROBES)


def _is_unbound(rule: Rule) -> bool:
    return rule.when is None or rule.when.constant


def _matches_everything(match: Match) -> bool:
    several = [(match.risk, len(RISKS)), (match.reversibility, 3), (match.action_class, len(TABLE))]
    if match.tags is not None or any(one is not None and len(one) < all_ for one, all_ in several):
        return False
    if match.action is None:
        return True
    bare = tuple(one for one in match.action.patterns if not re.search(r"[A-Za-z0-9]", one))
    joints = [probe for probe in PROBES if len(words(probe)) > 1]
    return (bool(bare) and all(covers(bare, [probe]) for probe in joints)) or all(
        covers(match.action.patterns, [probe]) for probe in PROBES
    )


def _is_wider(wide: Match, narrow: Match) -> bool:
    same = replace(wide, action=None, agent=None) == replace(narrow, action=None, agent=None)
    bare = replace(wide, action=None, agent=None) == Match()
    for one, other in ((wide.action, narrow.action), (wide.agent, narrow.agent)):
        if one is not None and not covers(one.patterns, other.patterns if other else ("*",)):
            return False
    return same or bare
