"""Untrusted text → safe Block Kit text; pure.

Three kinds of text stand on a card. What an agent or a person wrote goes through `visible` and into
plain_text or rich_text, where Slack reads no markup. What we made of ids, times and our own words is
`Trusted` and may stand in mrkdwn. There is no way from the first to the second but `sentence`, which is
kept for what a request is called: a policy's headline, or its first values; `escape` is for our own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, NewType

from signoff.bot.text.unseen import HIDDEN, Table, kinds_of
from signoff.models.messages import moment

Block = dict[str, Any]
"""A block, element or composition object, as Slack's JSON has it."""
Trusted = NewType("Trusted", str)
"""mrkdwn made of validated ids, times and our own words: the only text that `mrkdwn` takes."""

TEXT = 3000
"""Slack: characters of a text object."""
MOST_MARKS = 4
"""Combining marks in a row that are shown as they are; more of them bury the lines around."""
NEIGHBOURS = 40
"""Characters beyond a limit that are looked at, because they explain those before it."""
DATE_FORMS = {"when": "{date_short_pretty} {time}", "time": "{time}"}

_ID = re.compile(r"[UW][A-Z0-9]{1,40}")
_GROUP = re.compile(r"S[A-Z0-9]{1,40}")
_EASY = re.compile(r"[!-~]++(?: [!-~]++)*+")
_EASY_LINES = re.compile(r"[\n\t -~]*+")
_CONTROLS = re.compile(r"[^\n\r\t -~]")
_BROKEN_ESCAPE = re.compile(r"\\(?:u(?:\{[0-9a-f]{0,6})?)?\Z")
_LONGEST_ESCAPE = 10
# What has to be written out, in a text's kinds (see `unseen`): what is not seen, a backslash that could pass
# for one of ours, padding, marks that bury others, marks without a letter. No place is looked at twice.
_MARKS = r"(?<=[mM]{4})[mM]++|(?<![.cbu{xPoeaiyRkLmM])[mM]++"
_SPANS = re.compile(rf"\A | \Z|(?<= ) ++|[{HIDDEN}T]++|b(?=u\{{)|{_MARKS}")
_SPANS_IN_LINES = re.compile(rf"(?<![ tT])[ tT]++(?=c?n|\Z)| {{33,}}+|[{HIDDEN}]++|T++|b(?=u\{{)|{_MARKS}")
_HIDDEN = re.compile(rf"[{HIDDEN}]|\A[mM]|[mM]{{5}}")


def visible(text: str, keep: str = "", explain: bool = True) -> str:
    """`text` with everything that cannot be seen, or that moves other text, written as `\\u{202e}`.

    That is what Unicode calls control, format, private, unassigned, separator (but the ASCII space) or
    default-ignorable, blank characters, overlays, marks without a letter, and marks beyond four in a row;
    but what its neighbours `explain` is left alone, as a joiner in a Persian word (see `unseen`).
    Spaces at an end, and after a space, are written out as well. `keep` names what the caller can lay
    out: `"\\n"` or `"\\n\\t"` for text in lines; there, spaces count as padding only at a line's end or from
    33 in a row. A backslash before `u{` in the text itself is written `\\u{5c}`, so nothing can pass for an
    escape, and `actual` gets the text back exactly.
    """
    if _EASY.fullmatch(text) and "\\u{" not in text:
        return text
    kinds = kinds_of(text, keep, explain)
    spans = _SPANS_IN_LINES if "\n" in keep else _SPANS
    found: list[str] = []
    done = 0
    for span in spans.finditer(kinds):
        start, end = span.span()
        found.append(text[done:start])
        found.append(text[start:end].translate(_ESCAPES) if end - start > 1 else _ESCAPES[ord(text[start])])
        done = end
    return "".join((*found, text[done:])) if done else text


def _escape(char: str) -> str:
    return f"\\u{{{ord(char):x}}}"


_ESCAPES = Table(_escape)


def exact(text: str, keep: str = "") -> str:
    """`text` with all that is not ASCII, or could not be seen, as its escape: for two that look the same."""
    shown = visible(text, keep, explain=False)
    return shown if shown.isascii() else "".join(char if char.isascii() else _escape(char) for char in shown)


def actual(text: str) -> str:
    """What `visible` was given: reads the escapes back. Anything else stays as it is."""
    return re.sub(r"\\u\{([0-9a-f]{1,6})\}", lambda found: _char(found[1], found[0]), text)


def _char(digits: str, otherwise: str) -> str:
    code = int(digits, 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else otherwise


def hides(text: str) -> bool:
    """True where something in `text` cannot be seen as it is: more than spaces, tabs and line ends."""
    return hidden(text) is not None


def hidden(text: str) -> str | None:
    """The first such character; None where there is none."""
    if text.isascii():
        found = _CONTROLS.search(text)
        return found[0] if found else None
    found = _HIDDEN.search(kinds_of(text.replace("\r", " "), "\n\t"))
    return text[found.end() - 1] if found else None


def length(text: str) -> int:
    """The most that Slack can count for `text`: UTF-16 units, with & < > as the entities it stores."""
    units = len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
    return units + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))


def cut(text: str, limit: int, more: str = "…") -> str:
    """`text`, already visible, in at most `limit` of `length`; what was cut ends in `more`."""
    if len(text) <= limit and length(text) <= limit:
        return text
    return _head(text, limit - length(more)) + more


def glimpse(text: str, limit: int, keep: str = "") -> str:
    """The beginning of any text, made visible, in at most `limit`: of a long one the rest is not read."""
    return cut(visible(text[: limit + NEIGHBOURS], keep), limit)


def pieces(text: str, limit: int) -> Iterator[str]:
    """`text`, already visible, in pieces of at most `limit` (12 or more), which joined are `text` again.

    Never in the middle of an escape; after a line's end where there is one in the second half.
    """
    at = 0
    while len(text) - at > limit or length(text[at:]) > limit:
        head = _head(text, limit, at) or text[at]
        line = head.rfind("\n") + 1
        head = head[:line] if line > len(head) // 2 else head
        yield head
        at += len(head)
    if at < len(text):
        yield text[at:]


def _head(text: str, limit: int, at: int = 0) -> str:
    head = text[at : at + max(limit, 0)]
    while length(head) > limit:
        head = head[: -max((length(head) - limit) // 5, 1)]
    if at + len(head) < len(text):
        broken = _BROKEN_ESCAPE.search(head, max(len(head) - _LONGEST_ESCAPE, 0))
        head = head[: broken.start()] if broken else head
    return head


def plain(text: str) -> Block:
    """plain_text of our own words, or of what went through `visible`; Slack refuses it empty."""
    return {"type": "plain_text", "text": text, "emoji": False}


def literal(text: str, style: str = "") -> Block:
    """A piece of rich text, which Slack shows letter by letter; `style` is bold, italic, code or none."""
    return {"type": "text", "text": text, **({"style": {style: True}} if style else {})}


def rich(block_id: str, *elements: Block) -> Block:
    """A rich_text block."""
    return {"type": "rich_text", "block_id": block_id, "elements": list(elements)}


def line(*spans: Block) -> Block:
    """Pieces of rich text in one paragraph."""
    return {"type": "rich_text_section", "elements": list(spans)}


def mrkdwn(trusted: Trusted) -> Block:
    """A mrkdwn text object; `verbatim`, so that Slack makes no links of its own."""
    return {"type": "mrkdwn", "text": trusted, "verbatim": True}


def escape(ours: str) -> Trusted:
    """Our own words for mrkdwn. Slack: & < > are written as entities, nothing else."""
    return Trusted(ours.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


_MARKUP = re.compile(r"[*~`]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=[A-Za-z0-9_+'-]++:)")
"""What Slack would read as markup or as an emoji. An underscore inside a word it leaves alone."""


def sentence(text: str) -> Trusted:
    """What a request is called, which may hold an agent's values, for mrkdwn; `text` is one visible line.

    No character of it works as markup: what would is written as its escape, as what cannot be seen is.
    """
    return escape(_MARKUP.sub(lambda found: _escape(found[0]), text))


def date(microseconds: int, form: Literal["when", "time"] = "when") -> Trusted:
    """A time in the reader's own zone and language; elsewhere as UTC. Takes microseconds since 1970."""
    when = moment(microseconds)
    fallback = f"{when:%H:%M} UTC" if form == "time" else f"{when.day} {when:%b %H:%M} UTC"
    return Trusted(f"<!date^{microseconds // 1_000_000}^{DATE_FORMS[form]}|{fallback}>")


def mention(approver: str) -> Trusted:
    """`<@U…>` of a user's id, `<!subteam^S…>` of a group's; raises ValueError for anything else."""
    if _ID.fullmatch(approver):
        return Trusted(f"<@{approver}>")
    if _GROUP.fullmatch(approver):
        return Trusted(f"<!subteam^{approver}>")
    raise ValueError(f"{approver!r} is not the id of a Slack user or user group")


def call(app: str) -> Trusted:
    """How the app, by its user's id, is spoken to: its mention, whatever it is called in this workspace.

    Where Slack has not said who it is, the manifest's name.
    """
    return Trusted(f"<@{app}>" if _ID.fullmatch(app) else "@signoff")


def is_id(approver: str) -> bool:
    """True for what `mention` takes."""
    return bool(_ID.fullmatch(approver) or _GROUP.fullmatch(approver))
