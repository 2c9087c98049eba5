"""SQL by its verbs and tables, with warnings; pure. It warns, and never says that a statement is harmless."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.parts import headline, listed, said, warned
from signoff.bot.text.renderers.scripts import Script, others, scripts
from signoff.bot.text.renderers.statements import RUNS, VERBS, WARNED, WRITES, Statement
from signoff.bot.text.row import Row, Span, scalar_text
from signoff.bot.text.words import summaries as words

SHOWN = 6
"""Statements that are named, of those that nothing is warned of."""
_SURE = re.compile(r"(?:\A|[_\W]|(?<=[a-z]))(?:sql|SQL|Sql)(?:\Z|[_\W]|(?=[A-Z]))")
_MAYBE = frozenset({"query", "statement", "statements", "queries", "q", "command", "script"})
_STARTS = re.compile(
    r"(?:\s++|--[^\n]*+\n|/\*(?:[^*]|\*(?!/))*+\*/|\(|;)*+"
    r"(?P<verb>[A-Za-z]++)(?=\s|/\*|--|\(|\*|\"|`)(?P<rest>.{0,400})",
    re.DOTALL,
)
_LIKELY = re.compile(
    r"SELECT\b.*|INSERT\s+(?:INTO|IGNORE|OVERWRITE)\b.*|REPLACE\s+INTO\b.*|UPDATE\b.*?\bSET\b.*|DELETE\b.*?\bFROM\b.*"
    r"|(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:TABLE|VIEW|INDEX|DATABASE|SCHEMA|ROLE|USER|FUNCTION|TRIGGER"
    r"|TYPE|SEQUENCE|PROCEDURE|POLICY|EXTENSION|MATERIALIZED|UNIQUE)\b.*|TRUNCATE\s+\w.*|(?:GRANT|REVOKE)\b.*?\bON\b.*"
    r"|MERGE\s+INTO\b.*|WITH\b.*?\bAS\b.*|EXPLAIN\b.*|BEGIN\s*;.*|DO\s+\$.*",
    re.DOTALL | re.IGNORECASE,
)
_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(RUNS | WARNED | WRITES))})\b", re.IGNORECASE)
"""Of a text that is not read the words are told that change something."""


def summarise(seen: Seen) -> Summary | None:
    """A text that its name, its schema or its beginning calls SQL."""
    if not isinstance(seen.value, str) or not seen.value.strip():
        return None
    sure = bool(_SURE.search(seen.name)) or _described(seen)
    if not sure and not _likely(seen.value, seen.name.lower() in _MAYBE):
        return None
    if len(seen.value) > seen.room:
        return _unread(seen.value, words.SQL_LONG)
    first, second = scripts(seen.value)
    both = _are_two(first, second)
    statements = first.statements + (others(first.statements, second.statements) if both else [])
    if not any(statement.verbs for statement in statements):
        return _unread(seen.value) if sure and len(seen.value.split(None, 2)) > 2 else None
    odd = [words.SQL_TWO_WAYS] if both else []
    odd += [words.SQL_OPEN] if first.open or second.open else []
    warnings = [text for statement in statements for text in statement.warnings]
    rows = [warned(text) for text in dict.fromkeys([*odd, *warnings])]
    count = words.count(len(first.statements), "statement")
    return Summary((headline("SQL", count), *rows, *_listed(statements)))


def _described(seen: Seen) -> bool:
    kind = seen.schema.get("format"), seen.schema.get("contentMediaType")
    return kind[0] == "sql" or kind[1] in ("application/sql", "text/x-sql")


def _likely(text: str, named: bool) -> bool:
    """Whether a text begins as SQL does: with a verb that is written as one, and what belongs to it."""
    found = _STARTS.match(text)
    if not found or found["verb"].upper() not in VERBS:
        return False
    verb = found["verb"]
    if not named and not verb.isupper():
        return False
    return bool(_LIKELY.fullmatch(verb + found["rest"]))


def _are_two(first: Script, second: Script) -> bool:
    """Whether the two readings do not do the same."""
    return first is not second and [(one.verbs, one.warnings) for one in first.statements] != [
        (one.verbs, one.warnings) for one in second.statements
    ]


def _unread(text: str, why: str = words.SQL_UNREAD) -> Summary:
    verbs = list(dict.fromkeys(found[0].upper() for found in _WORDS.finditer(text)))
    return Summary((headline(why), *_told(verbs)))


def _told(verbs: list[str]) -> Iterator[Row]:
    if verbs:
        yield warned(words.sql_words(verbs))


def _listed(statements: list[Statement]) -> Iterator[Row]:
    """What is done to which tables, the same once; what is warned of first, and of the rest a few."""
    counts = Counter(_key(statement) for statement in statements if statement.verbs)
    keys = sorted(counts, key=lambda key: not key[2])
    most = max(sum(bool(key[2]) for key in keys), SHOWN)
    yield from listed([_spans(*key, counts[key]) for key in keys[:most]])
    if keys[most:]:
        yield said(words.and_more(sum(counts[key] for key in keys[most:])))


def _key(statement: Statement) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    return tuple(statement.verbs), tuple(statement.tables), bool(statement.warnings)


def _spans(verbs: tuple[str, ...], tables: tuple[str, ...], warns: bool, times: int) -> list[Span]:
    spans: list[Span] = [("⚠ ", "italic")] if warns else []
    spans.append((", ".join(verbs), "bold"))
    if tables:
        spans.append(("  " + ", ".join(scalar_text(name) for name in tables), ""))
    return [*spans, (f"  {words.times(times)}", "italic")] if times > 1 else spans
