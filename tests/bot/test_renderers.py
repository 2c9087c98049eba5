"""What holds for every renderer: it never raises, hides nothing that it says it shows, and costs its size."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from payload.roles import seconds

from signoff.bot.text.payload import values
from signoff.bot.text.quotes import FSI, PDI
from signoff.bot.text.renderers import Seen, Summary, edits, mail, manifests, plan, registry, sql, tables
from signoff.bot.text.renderers.registry import summarise
from signoff.bot.text.row import Row, json_text, scalar_text
from signoff.bot.text.text import hides, visible

NAMES = [
    "sql", "query", "diff", "patch", "body", "html", "raw", "manifest", "plan", "edits", "old_string",
    "new_string", "oldText", "newText", "to", "cc", "bcc", "subject", "path", "resource_changes", "change",
    "actions", "address", "steps", "op", "urn", "Changes", "ResourceChange", "Action", "apiVersion", "kind",
    "metadata", "spec", "items", "name", "namespace", "rules", "subjects", "roleRef", "capabilities", "add",
]  # fmt: skip
WORDS = st.sampled_from(
    [
        "SELECT",
        "DELETE FROM t",
        " WHERE ",
        "1=1",
        "'",
        '"',
        "`",
        ";",
        "--",
        "/*",
        "*/",
        "$$",
        "(",
        ")",
        "\n",
        "#",
        "diff --git a/x b/x\n",
        "--- a\n",
        "+++ b\n",
        "@@ -1,2 +1 @@\n",
        "@@ ",
        "-x\n",
        "+y\n",
        " z\n",
        "\\ no\n",
        "*** Begin Patch\n",
        "*** Add File: a\n",
        "<<<<<<< SEARCH\n",
        "=======\n",
        ">>>>>>> REPLACE\n",
        "From: a@b.c\n",
        "To: c@d.e\n",
        "Subject: s\n",
        "Content-Type: multipart/mixed; boundary=b\n",
        "\n\n",
        "--b\n",
        "<p>",
        "<a href='http://x.y'>",
        "</a>",
        "<div style='display:none'>",
        "<!--",
        "-->",
        "&amp;",
        "x.y",
        "apiVersion: v1\n",
        "kind: Pod\n",
        "---\n",
        "privileged: true\n",
        "&a ",
        "*a",
        "<<: *a\n",
        "[",
        "{",
        ": ",
        "  # a.b will be destroyed\n",
        '- resource "a" "b" {\n',
        "Terraform will perform",
        "Plan: 1 to add",
        "\u202e",
        "\u200b",
        "א",
        "\r\n",
        "\ud83d\ude00",
        "é",
        "\x1b[31m",
        "=?utf-8?b?w6k=?=",
        "×",
        "›",
    ]
)
TEXTS = st.lists(WORDS | st.text(max_size=6), max_size=14).map("".join)
VALUES = st.recursive(
    TEXTS
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False, width=16),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=20,
)


def seen(value: Any, name: str = "x", schema: dict[str, Any] | None = None) -> Seen:
    return Seen(name, value, schema or {}, {})


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list) and value:
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value


def shown(summary: Summary) -> str:
    return "\n".join("\n".join((*row.path, row.text)) for row in summary.rows)


def sound(summary: Summary) -> None:
    assert summary.rows
    for row in summary.rows:
        texts = [
            *row.path,
            row.mark,
            *(text for text, _ in row.spans),
            *(one for line in row.table for one in line),
        ]
        assert all(text.count(FSI) == text.count(PDI) for text in texts), texts
        assert not any(hides(text.replace(FSI, "").replace(PDI, "")) for text in texts), texts
        assert all(style in ("", "bold", "italic", "code") for _, style in row.spans)
        assert row.form == "code" or "\n" not in row.text
        assert not row.table or len({len(line) for line in row.table}) == 1
    assert "summary by Signoff" in summary.rows[0].text


OURS = [edits, mail, manifests, plan, sql, tables]


@settings(max_examples=400, deadline=None)
@given(
    VALUES, st.sampled_from(NAMES), st.sampled_from([{}, {"format": "sql"}, {"format": "diff"}, {"items": 1}])
)
@example({"old_str": "a"}, "x", {})
@example([{"oldText": "a\r\n", "newText": "b\n"}], "x", {})
@example([{"a": 1}, {"a": "–"}], "x", {"items": {"properties": {"a": {}}}})
def test_no_renderer_raises_and_no_text_of_it_hides(value: Any, name: str, schema: dict[str, Any]) -> None:
    for renderer in OURS:
        summary = renderer.summarise(seen(value, name, schema))
        if summary is not None:
            sound(summary)
            assert summary.takes <= (value.keys() if isinstance(value, dict) else frozenset())


def lines(value: Any) -> list[str]:
    """A leaf as it may stand in a summary: a text by its lines, each visible."""
    if not isinstance(value, str):
        return [scalar_text(value)] if not isinstance(value, dict | list) else [json.dumps(value)]
    return visible(value.replace("\r\n", "\n"), keep="\n\t").split("\n")


@settings(max_examples=400, deadline=None)
@given(
    st.fixed_dictionaries({"old_string": TEXTS, "new_string": TEXTS}, optional={"replace_all": st.booleans()})
    | st.lists(
        st.fixed_dictionaries({"oldText": TEXTS, "newText": TEXTS, "path": TEXTS}), min_size=1, max_size=4
    )
    | st.lists(
        st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e"]), st.integers() | st.text(max_size=5)),
        min_size=2,
        max_size=9,
    )
    | TEXTS
    | VALUES
)
def test_what_counts_as_whole_shows_every_value(value: Any) -> None:
    summary = summarise(seen(value, "diff"))
    if summary is None or not summary.whole:
        return
    taken = {name: value[name] for name in summary.takes} if summary.takes else value
    text = re.sub("[\u2068\u2069]|\\\\u\\{d\\}", "", shown(summary)).replace("\\u{20}", " ")
    for leaf in leaves(taken):
        if not isinstance(value, str) and len(summary.rows) > 1 and summary.rows[1].table:
            cells = {cell for line in summary.rows[1].table for cell in line}
            assert scalar_text(leaf) in cells or f'"{scalar_text(leaf)}"' in cells
            continue
        for one in lines(leaf):
            bare = one[1:] if isinstance(value, str) else one  # a patch's marks stand apart
            bare = bare.replace("\\u{d}", "").replace("\\u{20}", " ")  # before a CR it is not the line's end
            named = scalar_text(leaf).replace("\\u{20}", " ").replace("\\u{d}", "")
            assert bare in text or named in text or scalar_text(leaf) in text


HEAD = "From: a@b\nTo: c@d\nSubject: x\n"
PART = "Content-Type: multipart/mixed; boundary=b{0}\n\n--b{0}\n"
PLAN = "Terraform will perform\n"
YAML = "apiVersion: v1\nkind: x\n"


def lines_of(line: str, size: int) -> str:
    return "".join(line.format(number) for number in range(size // (len(line) + 3)))


def deletes(size: int) -> dict[str, Any]:
    one = {"actions": ["delete"]}
    return {"resource_changes": [{"address": f"a{n}", "change": one} for n in range(size // 150)]}


KINDS: dict[str, tuple[str, Callable[[int], Any]]] = {
    "brackets": ("sql", lambda n: "DELETE FROM t WHERE " + "(" * (n // 5)),
    "conditions in conditions": ("sql", lambda n: "DELETE FROM t WHERE (" * (n // 105)),
    "alternatives": ("sql", lambda n: "DELETE FROM t WHERE " + "a=1 OR " * (n // 35)),
    "quotes without an end": ("sql", lambda n: "SELECT " + "'/*`$a$" * (n // 35)),
    "texts that run": ("sql", lambda n: "DO $$ DO 'DELETE' " * (n // 90)),
    "headers": ("diff", lambda n: "--- a\n+++ b\n@@ -1,9 +1,9 @@\n" * (n // 30)),
    "names of one file": ("diff", lambda n: "diff --git a/x b/x\n" + lines_of("rename from {}\n", n)),
    "changed lines": ("diff", lambda n: "--- a\n+++ b\n@@ -1 +1 @@\n" + "-a\n+b\n" * (n // 6)),
    "an edit of many lines": (
        "x",
        lambda n: {"old_string": "a\nb\n" * (n // 8), "new_string": "b\na\n" * (n // 8)},
    ),
    "many edits": (
        "x",
        lambda n: [{"oldText": "a\nb\n" * 3, "newText": "b\na\n" * 3} for _ in range(n // 110)],
    ),
    "deletes": ("x", deletes),
    "a printed plan": ("x", lambda n: PLAN + "  # a.b will be destroyed\n" * (n // 26)),
    "sentences in one line": ("x", lambda n: PLAN + ("# a" + " will be createdX" * 115 + "\n") * (n // 2000)),
    "YAML": ("x", lambda n: YAML + "a: 1\n" * (n * 3 // 8 // 5)),
    "aliases": ("x", lambda n: YAML + "a: &a [x]\nl:\n" + "- *a\n" * (n * 3 // 8 // 5)),
    "tags": ("body", lambda n: "<p>" + "<a href=http://x.y>x.y</a>" * (n // 26)),
    "tags that hide": ("body", lambda n: "<p>" + "<div hidden><b>" * (n // 15)),
    "marks of HTML": ("body", lambda n: "<p>" + "<!--<a <script " * (n // 15)),
    "quotes of HTML": ("body", lambda n: "<p>" + "<a \"<a '" * (n // 8)),
    "parts in parts": ("raw", lambda n: HEAD + "".join(PART.format(i) for i in range(14)) + "\n" * n),
    "headers of a mail": ("raw", lambda n: HEAD + "To: =?utf-8?q?a?=\n" * (n // 18) + "\n"),
    "one header": ("raw", lambda n: HEAD + "Content-Type: text/plain" + ";a=b" * (n // 4) + "\n\nx"),
    "a table": ("x", lambda n: [{f"c{i}": i for i in range(20)} for _ in range(n // 540)]),
}


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Without the collector of garbage: it costs what all other tests have left."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("uncollected")
def test_no_summary_costs_more_than_the_size_of_its_value(kind: str) -> None:
    name, make = KINDS[kind]
    quarter, full = make(62_500), make(250_000)
    took = seconds(lambda: summarise(seen(full, name)))
    assert took < 2
    if took > 0.1 and took / seconds(lambda: summarise(seen(quarter, name)), 2) > 8:  # others on the machine
        took = seconds(lambda: summarise(seen(full, name)), 4)
        assert took / seconds(lambda: summarise(seen(quarter, name)), 4) < 8


def test_every_renderer_of_ours_has_a_worst_case() -> None:
    used = set()
    for name, make in KINDS.values():
        found = [one for one in OURS if one.summarise(seen(make(3000), name)) is not None]
        used |= {one.__name__ for one in found[:1]}
    assert used == {one.__name__ for one in OURS}


# Others' renderers


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs functions as renderers of other packages."""

    def install(*found: Any) -> None:
        points = [EntryPoint(f"one{at}", f"tests:{at}", registry.GROUP) for at, _ in enumerate(found)]
        by_name = dict(zip([point.name for point in points], found, strict=True))
        monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.GROUP else [])
        monkeypatch.setattr(EntryPoint, "load", lambda self: _loaded(by_name[self.name]))
        registry._others.cache_clear()

    yield install
    registry._others.cache_clear()


def _loaded(found: Any) -> Any:
    if isinstance(found, Exception):
        raise found
    return found


def said(text: str, **more: Any) -> Callable[[Seen], Summary]:
    return lambda value: Summary((Row((), ((text, "italic"),), **more),), whole=True)


def test_a_renderer_of_another_package_is_asked_after_ours_and_never_shows_the_whole(others: Any) -> None:
    others(lambda value: None, said("a colour"))
    summary = summarise(seen("#ff0000", "colour"))
    assert summary is not None and shown(summary).strip() == "a colour" and not summary.whole
    ours = summarise(seen("DELETE FROM t", "sql"))
    assert ours is not None and "WHERE" in shown(ours)


def test_one_that_fails_is_passed_over_and_logged_without_the_payload(
    others: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(value: Seen) -> Summary:
        raise RuntimeError(f"secret {value.value}")

    others(ImportError("gone"), fails, said("ok"))
    summary = summarise(seen("sesame"))
    assert summary is None or "ok" in shown(summary)
    assert "RuntimeError" in caplog.text and "sesame" not in caplog.text
    assert values(None, {"a": "sesame"})[0].rows


@pytest.mark.parametrize("text", ["a\u202eb", "a\u200bb", "\x1b[31m"])
def test_what_another_package_lets_hide_is_not_shown(others: Any, text: str) -> None:
    others(said(text))
    assert summarise(seen("x")) is None
    others(said("fine", table=(("a", "b"), (text, "c"))))
    assert summarise(seen("x")) is None


def test_a_renderer_of_ours_that_fails_leaves_the_value_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(value: Seen) -> Summary | None:
        raise RecursionError

    monkeypatch.setattr(registry, "OURS", (fails, tables.summarise))
    [value, *_] = values(None, {"a": [{"b": n, "c": "x"} for n in range(9)]})
    assert value.rows[-1].table and "RecursionError" in caplog.text
    assert json_text({"b": 1})


def test_the_example_of_the_docs_is_a_renderer(others: Any) -> None:
    page = (Path(__file__).parents[2] / "docs" / "summaries.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    others(names["invoice"])
    summary = summarise(seen({"invoice_number": "R-1\u202e"}))
    assert summary is not None and shown(summary).strip() == "Invoice R-1\\u{202e}"
