"""Edits and patches on a card: what goes and what comes, old before new, in every form that tools have."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.bot.text.fold import fold
from signoff.bot.text.payload import values
from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.edits import PAIRS, summarise


def of(value: Any, name: str = "x", **schema: Any) -> Summary:
    summary = summarise(Seen(name, value, schema, {}))
    assert summary is not None
    return summary


def told(value: Any, name: str = "x") -> list[str]:
    return [row.text for row in of(value, name).rows]


@pytest.mark.parametrize(("old", "new"), PAIRS)
@pytest.mark.parametrize("turned", [False, True])
def test_old_stands_before_new_in_whatever_order_they_were_sent(old: str, new: str, turned: bool) -> None:
    names = [(old, "a\nrisk\nc"), (new, "a\nsafe\nc")]
    summary = of(dict(reversed(names) if turned else names) | {"path": "f"})
    assert summary.whole and summary.takes == {old, new}
    assert summary.rows[0].text.startswith("1 line removed, 1 added")
    assert summary.rows[1].text.split("\n") == ["  a", "- risk", "+ safe", "  c"]


def test_a_list_of_edits_names_its_files_and_what_else_stands_in_each() -> None:
    edits = [
        {"newText": "b\nc", "oldText": "a", "path": "one.py", "all": True, "why": {"x": 1}},
        {"newText": "", "oldText": "gone", "path": "two.py"},
    ]
    lines = told(edits, "edits")
    assert lines[0].startswith("2 edits, 2 files, 2 lines removed, 2 added")
    assert lines[1:4] == ["one.py", "two.py", "edit 1 of 2  path one.py  all true"]
    assert '"x": 1' in lines[5] and lines[6] == "- a\n+ b\n+ c"
    assert lines[-1] == "- gone" and of(edits).whole


def card(payload: dict[str, Any]) -> str:
    """What the card's rows say."""
    return "\n".join(row.text for row in fold(values(None, payload), 1500, 15, 6000).rows)


PATCH = "--- a/src/f{n}.py\n+++ b/src/f{n}.py\n@@ -1 +1 @@\n-a\n+b\n"


@pytest.mark.parametrize("name", ["path", "file_path", "filename"])
@pytest.mark.parametrize("of_lines", [1, 30])
def test_every_file_of_many_is_named_before_any_line(name: str, of_lines: int) -> None:
    long = "\n".join(f"x{n}" for n in range(of_lines))
    names = [f"src/f{n}.py" for n in range(40)]
    edits = [{"oldText": long, "newText": f"{long}!", name: one} for one in names]
    for payload in ({"edits": edits}, {"diff": "".join(PATCH.format(n=n) for n in range(40))}):
        text = card(payload)
        first = min(at for at in (text.find("edit 1 of"), text.find("--- a/")) if at >= 0)
        assert all(one in text[:first] for one in names)


@pytest.mark.parametrize("at", [0, 5, 30, 99])
def test_a_change_behind_much_that_is_shared_stands_on_the_card(at: int) -> None:
    old = [f"line {n}" for n in range(100)]
    new = [*old[:at], "risk", *old[at + 1 :]]
    one = {"old_string": "\n".join(old), "new_string": "\n".join(new)}
    hunk = [f" {text}" for text in old]
    hunk[at : at + 1] = [f"-{old[at]}", "+risk"]
    patch = "--- a/f\n+++ b/f\n@@ -1,100 +1,100 @@\n" + "\n".join(hunk) + "\n"
    for payload in (one, {"edits": [one]}, {"diff": patch}):
        text = card(payload)
        assert "+ risk" in text and f"- line {at}" in text and "unchanged" in text
        left = sum(int(found) for found in re.findall(r"… (\d+) lines? unchanged", text))
        assert left == 100 - 1 - min(at, 3) - min(99 - at, 3)
        assert not fold(values(None, payload), 1500, 15, 6000).whole
        every = "\n".join(row.text for value in values(None, payload) for row in value.all_rows)
        assert all(f"line {n}" in every for n in range(100) if n != at)


@given(st.lists(st.sampled_from("abc"), max_size=60), st.lists(st.sampled_from("abc"), max_size=60))
def test_what_is_left_out_of_an_edit_is_counted(old: list[str], new: list[str]) -> None:
    summary = of({"old_string": "\n".join(old), "new_string": "\n".join(new)})
    lines = [line for row in summary.rows[1:] for line in row.text.split("\n")]
    left = sum(int(found[1]) for line in lines if (found := re.fullmatch(r"… (\d+) lines? unchanged", line)))
    same, gone = (sum(line.startswith(mark) for line in lines) for mark in ("  ", "- "))
    assert left + same + gone == len(old) and bool(left) != summary.whole


def test_a_removal_needs_no_new_text() -> None:
    assert told({"old_str": "a"})[1] == "- a"
    assert summarise(Seen("x", {"old_str": 1, "new_str": "a"}, {}, {})) is None
    assert summarise(Seen("x", [{"oldText": "a", "newText": "b"}, {"other": 1}], {}, {})) is None


def test_line_ends_are_told_of_once_and_a_difference_between_them_is_seen() -> None:
    assert told({"old_str": "a\r\nb\r\n", "new_str": "a\r\nc\r\n"})[1:] == [
        "Lines end with CR and LF.",
        "  a\n- b\n+ c",
    ]
    assert "old text end with CR and LF" in told({"old_str": "a\r\nb\r\n", "new_str": "a\nc\n"})[1]
    assert told({"old_str": "a\n", "new_str": "a"})[1] == "  a\n\\ only the old text ends with a line end"


GIT = """diff --git a/app.py b/app.py
index 1..2 100644
--- a/app.py
+++ b/app.py
@@ -1,3 +1,3 @@ def f
 one
-two
+TWO
 three
diff --git a/old.txt b/old.txt
deleted file mode 100644
--- a/old.txt
+++ /dev/null
@@ -1 +0,0 @@
-gone
"""


def test_a_patch_is_told_by_files_and_lines_what_is_deleted_first() -> None:
    summary = of(GIT)
    lines = [row.text for row in summary.rows]
    assert lines[0].startswith("2 files, 2 lines removed, 1 added")
    assert lines[1] == "old.txt  deleted, 1 line removed, 0 added" and lines[2].startswith("app.py  1 line")
    assert "- two\n+ TWO\n  three" in lines[-1] and summary.whole


@pytest.mark.parametrize(
    "text",
    [
        GIT.replace("-1,3 +1,3", "-1,1 +1,1"),  # it has more lines than it says
        GIT.replace("-1,3 +1,3", "-1,30 +1,30"),  # fewer
        "--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n a\n--- a/etc/passwd\n+++ b/etc/passwd\n@@ -1 +1 @@\n-x\n+y\n",
        "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n+smuggled\n",
    ],
)
def test_a_header_that_lies_is_told_of(text: str) -> None:
    lines = told(text)
    assert any("does not fit" in line for line in lines)
    assert ("passwd" in text) == any(line.startswith("etc/passwd") for line in lines)


def test_lines_that_look_like_headers_are_lines_where_the_hunk_says_so() -> None:
    lines = told("--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1,2 @@\n--- drop it\n+++ keep it\n x\n")
    assert (
        lines[0].startswith("1 file, 1 line removed, 1 added") and "- -- drop it\n+ ++ keep it" in lines[-1]
    )


def test_all_names_of_a_file_stand_there() -> None:
    text = "diff --git a/safe b/evil\nrename from safe\nrename to evil\n--- a/safe\n+++ b/other\n"
    text += "@@ -1 +1 @@\n-a\n+b\n"
    assert any(line.startswith("safe → evil → other  renamed") for line in told(text))
    assert "made executable" in " ".join(told("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n"))


def test_patches_and_blocks_of_other_tools_are_read() -> None:
    lines = told(
        "*** Begin Patch\n*** Update File: a.py\n@@ def f\n-x\n+y\n*** Delete File: b.py\n*** End Patch"
    )
    assert lines[0].startswith("2 files, 1 line removed, 1 added") and lines[1].startswith("b.py  deleted")
    lines = told("a.py\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n")
    assert lines[1].startswith("a.py") and "- old\n=======\n+ new" in lines[-1]
    lines = told("------- SEARCH\nold\n=======\nnew\n+++++++ REPLACE")
    assert lines[0].startswith("1 file, 1 line removed, 1 added") or lines[0].startswith("1 line removed")


def test_prose_with_dashes_is_no_patch() -> None:
    for text in ("--- a memo\nDear all,\n- one\n+ two", "- a\n- b", "@@ hello", "a --- b"):
        assert summarise(Seen("body", text, {}, {})) is None


def test_nothing_in_a_line_passes_for_a_mark() -> None:
    [*_, code] = told({"old_str": "x\u202ey", "new_str": "- not removed\n\u200b+ x"})
    assert code.split("\n") == ["- x\\u{202e}y", "+ - not removed", "+ \\u{200b}+ x"]
