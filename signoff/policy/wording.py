"""What a rule's condition may not mean, by how it is worded; pure. See `doubts`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from signoff.policy.expression import tokens_of
from signoff.policy.places import is_shared, is_suffix
from signoff.policy.terms import Term, alternatives, fields, terms
from signoff.policy.words import words


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


URLS = _names("url uri href link endpoint host hostname domain site website webhook origin callback redirect")
ADDRESSES = _names("to cc bcc email mail recipient recipients address addresses from sender emails receiver")
PATHS = _names("path file filename dir directory folder cwd filepath paths files")
CODE = _names("sql query statement command cmd script code shell bash program")
CLAIMS = _names("cost confidence attempts run")
SAID = _names(
    "reason justification approved approver confirmed confirm authorized authorised trusted safe verified "
    "urgent override force explanation purpose"
)
"""Fields of a payload that are an agent's own word, and change nothing about what runs."""
_LOWER = {"<": True, "<=": True, ">": False, ">=": False}
_HOST_IN_TEXT = re.compile(
    r"://|[a-z0-9-]\.(?:com|org|net|io|dev|test|example|internal|[a-z]{2})(?![a-z])", re.ASCII
)
_BARE_DOT = re.compile(r"[A-Za-z0-9]\.(?![*+?{])[A-Za-z0-9]")


@dataclass(frozen=True)
class Asked:
    """What a condition's rule does: whether it frees, and whether what it holds would run without it."""

    freeing: bool
    falls_free: Callable[[], bool]


def wordings(source: str, asked: Asked) -> Iterator[str]:
    """Each doubt about a condition, once."""
    found = terms(source)
    seen: set[str] = set()
    for part in (_shape, _bounds, _calls, _comparisons, _said):
        for doubt in part(source, found, asked):
            if doubt not in seen:
                seen.add(doubt)
                yield doubt


def _shape(source: str, found: tuple[Term, ...], asked: Asked) -> Iterator[str]:
    """What nobody can follow, or what is always so."""
    if not asked.freeing:
        return
    if ("sign", "?") in tokens_of(source):
        yield "`? :` may turn a test round: write what is fine with && and ||, without it"
    for sides in alternatives(source):
        below, above = (
            [{path for term in side if _bounded(term) is lower for path in term.paths} for side in sides]
            for lower in (True, False)
        )
        for place, paths in enumerate(below):
            others = set().union(*(one for other, one in enumerate(above) if other != place))
            for path in sorted(paths & others - above[place]):
                yield f"any {path} passes one side of || or the other: join its bounds with &&"
    if any(term.name == "!=" and term.paths == ("action",) and term.texts == ("",) for term in found):
        yield 'every action is other than "": name actions'


def _bounded(term: Term) -> bool | None:
    """Whether a comparison holds its left side from above (True) or from below (False)."""
    return None if term.name not in _LOWER else _LOWER[term.name] != term.negated


def _bounds(source: str, found: tuple[Term, ...], asked: Asked) -> Iterator[str]:
    """Comparisons without a lower bound."""
    upper: dict[str, str] = {}
    lower: dict[str, str] = {}
    for term in found:
        if term.name not in _LOWER:
            continue
        below = _LOWER[term.name] != term.negated
        for path in term.paths:
            (upper if below else lower)[path] = term.name
        for path in term.others:
            (lower if below else upper)[path] = term.name
        if asked.freeing and set(map(_root, term.paths)) & set(map(_root, term.others)) & {"payload"}:
            yield f"the agent chooses both sides of {term.name}: compare with a number that stands here"
    if asked.freeing:
        for path in sorted(upper.keys() - lower.keys() - CLAIMS):
            yield f"{path} has no lower bound, so -1000000 passes: add `{path} >= 0`"
        return
    for path in sorted(lower.keys() - upper.keys() - CLAIMS):
        if asked.falls_free():
            yield f"a negative {path} is not held by this rule, and runs: add `|| {path} < 0`"


def _calls(source: str, found: tuple[Term, ...], asked: Asked) -> Iterator[str]:
    measured = {path for term in found if term.name == "size" for path in term.paths}
    measured |= {
        path for term in found if term.name in ("!=", ">") for path in term.paths if term.others == ()
    }
    dots = {
        path
        for term in found
        if term.name == "contains" and ".." in "".join(term.texts)
        for path in term.paths
    }
    for term in found:
        path = term.paths[0] if term.paths else ""
        grants = asked.freeing != term.negated
        text = term.texts[0] if term.texts else ""
        if term.name in ("startsWith", "endsWith", "contains", "matches"):
            yield from _text_test(term, path, text, grants, asked)
        elif term.name == "all" and grants and path not in measured:
            yield f"`all` is true of an empty list: add `{path}.size() > 0`"
        elif term.name in ("exists", "exists_one") and grants:
            yield f"`{term.name}` says that one of {path} is so, and nothing of the others: use `all`"
        elif term.name == "any_glob":
            yield from _globs(term, path, grants, path in dots)
        elif term.name == "host_in":
            yield from _hosts(term, grants)


def _text_test(term: Term, path: str, text: str, grants: bool, asked: Asked) -> Iterator[str]:
    call = f"`{term.name}`"
    if asked.freeing and term.negated and term.texts and ".." not in text:
        yield f"{path} passes with all but what {call} names, in capitals, too: name what is fine"
    of_address = _is(path, ADDRESSES) or "@" in text
    of_url = _is(path, URLS) or (
        _HOST_IN_TEXT.search(text) is not None and not of_address and not _is(path, PATHS | CODE)
    )
    if term.name == "matches":
        if of_url and not _is_anchored(text):
            yield f"`matches` without ^ and $ finds its pattern anywhere in a URL: use host_in({path}, [...])"
        elif grants and not _is_anchored(text):
            yield f"`matches` without ^ and $ around all of its pattern finds it anywhere in {path}: add them"
        if _BARE_DOT.search(text) and _HOST_IN_TEXT.search(text.replace("\\.", ".")):
            yield "a dot in a pattern is any character, so other hosts match, too: write \\\\. or use host_in"
        if grants and re.search(r"\(\?[a-z]*i", text):
            yield "(?i) takes letters outside ASCII for ours, such as ſ for s: list the letters, as in [Ss]"
        return
    if of_url and not (
        term.name == "endsWith" and text.startswith(".") and _is(path, _names("host hostname domain"))
    ):
        yield f"{call} on a URL fits others, too (https://good.test.evil.test): use host_in({path}, [...])"
    elif (
        term.name == "endsWith" and grants and text[:1] not in (".", "@", "/") and _HOST_IN_TEXT.search(text)
    ):
        yield f"{call} without a dot or @ before the domain also fits evil{text}: use is_external or host_in"
    elif term.name != "contains" and of_address and grants:
        yield f"{call} on an address fits a list in one text, and names beside it: use !is_external({path})"
    elif term.name == "contains" and grants and not text.startswith(".."):
        yield f"`contains` says nothing about the rest of {path}: compare all of it, or use any_glob"
    elif term.name == "startsWith" and _is(path, PATHS) and grants:
        yield f"`{text}../etc` starts so, too: add `!{path}.contains('..')`"
    elif _is(path, CODE) and grants:
        yield f"{call} says nothing about what else {path} does, as in `…; DROP TABLE users`: ask about it"


def _globs(term: Term, path: str, grants: bool, guarded: bool) -> Iterator[str]:
    if _is(path, URLS) or any("://" in glob for glob in term.texts):
        yield f"any_glob takes a URL for text, so https://evil.test/.good.test fits: use host_in({path}, …)"
    elif _is(path, PATHS) and grants and not guarded and any("*" in glob for glob in term.texts):
        yield f"any_glob compares text, not paths, so /tmp/../etc is /tmp/*: add `!{path}.contains('..')`"
    elif _is(path, CODE) and grants and any("*" in glob for glob in term.texts):
        yield f"any_glob says nothing about what else {path} does, as in `…; rm -rf /`: ask about it"
    for glob in term.texts:
        if not glob.isascii():
            yield f"{glob!r} has a letter outside ASCII, and none that looks like it matches: is it meant?"


def _hosts(term: Term, grants: bool) -> Iterator[str]:
    for glob in term.texts:
        bare = glob.removeprefix("*.")
        if not glob.isascii():
            yield f"{glob!r} matches no host, as hosts are ASCII: write its punycode, xn--…"
        elif not grants:
            continue
        elif re.search(r"\*[A-Za-z0-9-]", glob):
            yield f"{glob!r} also fits evil{glob.lstrip('*')}: write *.{glob.lstrip('*.')}"
        elif glob.rstrip("*") != glob:
            yield f"{glob!r} also fits {glob.rstrip('*.') or 'x'}.evil.test: end it with the domain"
        elif glob.startswith("*.") and (is_suffix(bare) or is_shared(bare)):
            yield f"anybody gets a name below {bare}: name the host itself"


def _comparisons(source: str, found: tuple[Term, ...], asked: Asked) -> Iterator[str]:
    for term in found:
        same = (term.name in ("==", "in")) != term.negated
        if term.name not in ("==", "!=", "in"):
            continue
        texts = tuple(filter(None, term.texts or term.left_texts))
        if term.name == "in" and term.others and not term.negated and asked.freeing and not term.texts:
            if not set(map(_root, term.others)) <= {"tags"}:
                yield f"`in` says that {term.others[0]} has it, and nothing of what else it has: use `all`"
        elif not texts or not _from_payload(term):
            continue
        elif asked.freeing and not same:
            path = (term.paths or term.others)[0]
            yield (
                f"all but what is named passes, also {path} in capitals or as a list: name what is fine: "
                f'`{path} in ["a", "b"]`'
            )
        elif not asked.freeing and same and asked.falls_free():
            path = (term.paths or term.others)[0]
            yield (
                f"{path} in capitals, or as a list, is not held by this rule, and runs: name what is fine: "
                f'`!({path} in ["a", "b"])`'
            )


def _said(source: str, found: tuple[Term, ...], asked: Asked) -> Iterator[str]:
    """Rules that free by what an agent says of itself."""
    if not asked.freeing:
        return
    read = fields(source)
    claimed = sorted({_root(path) for path in read} & (CLAIMS | {"tags"}))
    if claimed:
        yield f"what an agent claims frees nothing ({', '.join(claimed)}): decide by action, class or payload"
    for path in sorted(read):
        if _root(path) == "payload" and set(_last(path)) & SAID:
            yield f"{path} is the agent's own word, and says nothing about what runs: decide by other fields"


def _from_payload(term: Term) -> bool:
    return any(
        _root(path) not in ("action", "agent", "risk", "reversibility", "tags", "run") for path in term.paths
    ) or (not term.paths and any(_root(path) == "payload" for path in term.others))


def _is_anchored(pattern: str) -> bool:
    """Whether all of a pattern has to fit: ^ and $ around it, no | outside brackets, and no lines."""
    bare = re.sub(r"^\(\?[a-z]+\)", "", pattern)
    if re.match(r"\(\?[a-z]*m", pattern):
        return False
    begins, ends = bare.startswith(("^", "\\A")), bare.endswith(("$", "\\z")) and not bare.endswith("\\$")
    depth = 0
    for place, letter in enumerate(bare):
        if letter in "([" and bare[place - 1 : place] != "\\":
            depth += 1
        elif letter in ")]" and bare[place - 1 : place] != "\\":
            depth -= 1
        elif letter == "|" and depth <= 0:
            return False
    return begins and ends


def _root(path: str) -> str:
    return path.partition(".")[0]


def _last(path: str) -> list[str]:
    return words(path.rpartition(".")[2])


def _is(path: str, names: frozenset[str]) -> bool:
    """Whether the last name of a path has one of these words in it: `callbackUrl` is a URL's."""
    return bool(path) and not names.isdisjoint(
        one.rstrip("s") if one.rstrip("s") in names else one for one in _last(path)
    )
