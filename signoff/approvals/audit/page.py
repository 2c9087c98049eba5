"""An export as a page to read: no script, nothing from elsewhere, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from signoff.approvals.audit.selection import COLUMNS

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Signoff: the audit log</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em; color: #1d1c1d; background: #fff }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3em .6em; border-bottom: 1px solid #ddd }
td { overflow-wrap: anywhere; unicode-bidi: isolate }
td.code { font: 12px/1.5 ui-monospace, monospace }
</style>
</head>
<body>
<h1>Signoff: the audit log</h1>
<p>This page is for reading. What it shows is proven by <code>signoff-verify.py bundle</code>, with the public
key as the server's operators publish it, not as <code>keys.txt</code> beside it says.</p>
"""
_CODE = frozenset(("data", "payload", "previous", "hash", "approval_id"))


def lines(told: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The page, in parts: what was exported, then a row a line."""
    yield _HEAD
    yield "<table>\n"
    for name, value in told.items():
        yield f"<tr><th>{escape(name)}</th><td class='code'>{_shown(value)}</td></tr>\n"
    yield "</table>\n<h2>Lines</h2>\n<table>\n<tr>"
    yield "".join(f"<th>{escape(name)}</th>" for name in COLUMNS)
    yield "</tr>\n"
    for row in rows:
        cells = (_cell(name, row[name]) for name in COLUMNS)
        yield f"<tr>{''.join(cells)}</tr>\n"
    yield "</table>\n</body>\n</html>\n"


def _cell(name: str, value: Any) -> str:
    kind = " class='code'" if name in _CODE else ""
    return f"<td{kind}>{_shown(value)}</td>"


def _shown(value: Any) -> str:
    """A value, escaped; what is invisible, or turns the direction of text, as an escape."""
    text = "" if value is None else str(value)
    return escape("".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text))
