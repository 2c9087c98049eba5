"""Values in our own sentences and lines: held together whatever direction they are read in, and in quotes
that nothing in them can close; pure.
"""

from __future__ import annotations

import re

FSI, PDI = "\u2068", "\u2069"
"""Unicode's first strong isolate, and its end: what is between them does not move what is around it."""
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_QUOTES = re.compile(
    '["“”„‟«»‹›〝〞〟＂″‶‴‷⁗❝❞「」『』⹂〃˝˶\u02ba\u02ee\u05f4\u1cd3\U0001f676\U0001f677\U0001f678]'
    "|(?:(?<=['’‘‛＇′‵`´\u02b9\u02bc\u05f3])|(?=.['’‘‛＇′‵`´\u02b9\u02bc\u05f3]))"
    "['’‘‛＇′‵`´\u02b9\u02bc\u05f3]"
)
"""Double quotes, what looks like them in any script, and two single ones beside each other."""
_GERSHAYIM = re.compile("(?<=[\u05d0-\u05ea])\u05f4(?=[\u05d0-\u05ea]{1,3}(?![\u05d0-\u05ea]))")
"""As it is written in Hebrew, before the end of an acronym, where no sentence ends."""
_IN_QUOTES = re.compile("(?<=“)[^“”]++(?=”)")
_PLAIN = re.compile(r"[A-Za-z0-9_.@+:/#-]+", re.ASCII)
_STRINGS = re.compile(r'"((?:[^"\\]|\\.)*+)"')


def isolated(text: str) -> str:
    """A visible value for a line of ours, so that `אב 120 → גד 80` reads old first, then new."""
    if text.isascii() or not _RTL.search(text):
        return text
    return "\n".join(f"{FSI}{line}{PDI}" if line and _RTL.search(line) else line for line in text.split("\n"))


def quoted(text: str) -> str:
    """A visible value in a sentence of ours, in quotes that it cannot close: its own are escapes."""
    spelled = {found.start() for found in _GERSHAYIM.finditer(text)}
    inner = _QUOTES.sub(
        lambda found: found[0] if found.start() in spelled else f"\\u{{{ord(found[0]):x}}}", text
    )
    return f"“{isolated(inner)}”"


def value_of(text: str) -> str:
    """A visible value in a line of ours: as it is where it is one plain word, else in quotes."""
    if len(text) > 1 and text[0] == text[-1] == '"':  # a text that could be read as another type
        return quoted(text[1:-1])
    return text if _PLAIN.fullmatch(text) else quoted(text)


def code(text: str) -> str:
    """A visible text in backticks; its own are escapes."""
    inner = text.replace("`", "\\u{60}")
    return f"`{isolated(inner)}`"


def isolated_sentence(text: str) -> str:
    """A visible sentence of the policy's, whose values stand in quotes: each isolated, then all of it."""
    if text.isascii() or not _RTL.search(text):
        return text
    return f"{FSI}{_IN_QUOTES.sub(lambda found: isolated(found[0]), text)}{PDI}"


def isolated_strings(json_text: str) -> str:
    """JSON, visible and indented, with each of its texts isolated: `"אב": 120` keeps its order."""
    if json_text.isascii() or not _RTL.search(json_text):
        return json_text
    return _STRINGS.sub(lambda found: f'"{isolated(found[1])}"', json_text)
