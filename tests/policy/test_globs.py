"""Globs, and which covers which."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.policy.classes import TABLE, fitting
from signoff.policy.globs import Globs, covers, fold

GLOB, NAME = st.text("ab.*?", min_size=1, max_size=7), st.text("ab.", max_size=8)


@settings(max_examples=100)
@given(GLOB, NAME)
def test_a_glob_matches_what_it_should(glob: str, name: str) -> None:
    assert Globs((glob,)).matches(name) == fnmatch.fnmatchcase(name, glob)


@settings(max_examples=200)
@given(GLOB, GLOB, NAME)
def test_what_is_covered_is_matched_by_the_cover(wide: str, narrow: str, name: str) -> None:
    if covers([wide], [narrow]) and Globs((narrow,)).matches(name):
        assert Globs((wide,)).matches(name)


@given(GLOB)
def test_a_glob_covers_itself_and_is_covered_by_the_star(glob: str) -> None:
    assert covers([glob], [glob]) and covers(["*"], [glob])


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("x.*", "x.y", True), ("x.*", "x.*", True), ("x.*", "x.y*", True), ("*", "?", True),
        ("?", "*", False),
        ("x.y", "x.*", False), ("x.*", "X.Y", True), ("x.*", "*", False), ("*.y", "x.*", False),
        ("a*b", "ab", True),
        ("a?", "ab", True), ("a?", "a", False), ("**", "*", True), ("*", "**", True),
    ],
)  # fmt: skip
def test_covers(wide: str, narrow: str, covered: bool) -> None:
    assert covers([wide], [narrow]) is covered


def test_brackets_and_letters_of_the_other_case() -> None:
    assert Globs(("iam.*",)).matches("IAM.Grant") and not Globs(("a[bc]",)).matches("ab")
    assert Globs(("a.*", "b.?")).first("b.c") == "b.?" and Globs(()).first("a") is None
    assert not Globs(("a",)).matches("a\n")


def test_a_glob_of_stars_is_quick() -> None:
    start = time.process_time()
    Globs(("*a" * 40 + "*b",)).matches("a" * 100)
    assert time.process_time() - start < 1


def test_no_name_stands_in_two_classes() -> None:
    names = [glob for one in TABLE for glob in one.globs.patterns if not set("*?") & set(glob)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("read", "read"), ("customer.get", "read"), ("search.web", "search"), ("web_search", "search"),
        ("draft_email", "draft"), ("email.draft", "draft"), ("create_draft", "draft"),
        ("slack.post", "message-inside"), ("slack.invite_guest", None),
        ("slack.send_message", "message-outside"), ("get_secret", "access-change"),
        ("get_password", "access-change"), ("list_api_keys", "access-change"),
        ("read_credentials", "access-change"), ("secrets.list", "access-change"),
        ("send_email", "message-outside"), ("email.send", "message-outside"), ("send_sms",
        "message-outside"),
        ("refund.create", "money"), ("payment", "money"), ("make_payment", "money"),
        ("transfer_funds", "money"),
        ("database_delete", "delete-data"), ("customer.delete", "delete-data"),
        ("delete_customer", "delete-data"),
        ("database_write", "write-data"), ("customer.update", "write-data"),
        ("update_customer", "write-data"),
        ("api_call", "api-call"), ("http.post", "api-call"), ("iam.grant_admin", "access-change"),
        ("grant_role", "access-change"), ("user.delete", "access-change"),
        ("deploy.staging", "deploy-staging"),
        ("deploy_staging", "deploy-staging"), ("deploy.production", "deploy-production"),
        ("deploy", "deploy-production"),
        ("web.deploy", "deploy-production"), ("run_command", "run-command"), ("shell.exec", "run-command"),
        ("run_tests", "run-tests"), ("pytest", "run-tests"), ("read_file", "file-read"),
        ("files.read", "file-read"),
        ("edit_file", "file-edit"), ("file_write", "file-edit"), ("files.edit", "file-edit"),
        ("DELETE_FILE", "file-delete"),
        ("files.delete", "file-delete"), ("file_delete", "file-delete"),
        ("search.delete_index", "delete-data"), ("get_and_delete_user", "delete-data"),
        ("frobnicate", None), ("", None),
    ],
)  # fmt: skip
def test_the_class_of_an_action(action: str, name: str | None) -> None:
    found = fitting(action)
    assert (found[0].name if found else None) == name


FOLDED = [
    ("taſk1", "task1"),
    ("\u212aelvin", "kelvin"),
    ("\u0130d", "id"),
    ("ıd", "id"),
    ("ﬁle", "file"),
    ("ｘ", "x"),
]


@pytest.mark.parametrize(("one", "other"), FOLDED, ids=ascii)
def test_no_letter_outside_ascii_is_taken_for_one_inside(one: str, other: str) -> None:
    for glob, name in (
        (one, other),
        (other, one),
        (other.upper(), one),
        (one, other.upper()),
        (one, one.upper()),
    ):
        same = glob.isascii() == name.isascii() and glob.lower() == name.lower()
        assert Globs((glob,)).matches(name) is same, (glob, name)
        assert Globs((f"*{glob}*",)).matches(f"a{name}b") is same
    assert not covers([one], [other]) and not covers([other], [one])
    assert not fitting(one) or fitting(one) != fitting(other)


@given(st.text(max_size=6), st.text(max_size=6))
def test_what_is_alike_is_alike_letter_by_letter(one: str, other: str) -> None:
    glob = "a" + one.replace("*", "").replace("?", "")
    assert Globs((glob,)).matches(glob)
    folded = fold(one)
    assert len(folded) == len(one) and fold(folded) == folded
    assert [letter.isascii() for letter in folded] == [letter.isascii() for letter in one]
    assert fold(one + other) == folded + fold(other)


@pytest.mark.parametrize(
    ("glob", "name"), [("Ä*", "äb"), ("*Σ", "ΑΣ"), ("ΟΔΟΣ", "οδος"), ("ПРИВЕТ", "привет")]
)
def test_other_alphabets_have_two_cases_too(glob: str, name: str) -> None:
    assert Globs((glob,)).matches(name)
