"""The tables of levels, risk and presets, line by line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from policy.policies import judged

LEVELS = ("supervised", "guided", "autonomous", "full_auto")
TABLE = """
| action | supervised | guided | autonomous | full_auto |
| read files | ask | allow | allow | allow |
| edit files | ask | allow | allow | allow |
| delete files | ask | ask | ask | allow |
| run tests | ask | allow | allow | allow |
| run arbitrary commands | ask | ask | allow | allow |
| deploy to staging | ask | ask | allow | allow |
| deploy to production | ask | ask | ask | ask |
| send to the outside | ask | ask | ask | ask |
"""
ACTIONS = {
    "read files": ("read_file", "file.read", "files.read", "file_read", "fs.read"),
    "edit files": ("edit_file", "file.edit", "files.edit", "file_write"),
    "delete files": ("delete_file", "file.delete", "files.delete", "file_delete"),
    "run tests": ("run_tests", "tests.run"),
    "run arbitrary commands": ("run_command", "shell.exec", "bash", "execute_command"),
    "deploy to staging": ("deploy_staging", "deploy.staging", "deploy_to_staging"),
    "deploy to production": ("deploy_production", "deploy.production", "deploy"),
    "send to the outside": ("send_email", "email.send", "send_message", "send_sms", "publish"),
}
READ_ONLY = ("read files",)


def rows() -> list[tuple[str, str, str, str]]:
    """(action's row, action, level, wanted), for every cell."""
    found = []
    for line in TABLE.strip().splitlines()[1:]:
        row, *answers = (cell.strip() for cell in line.strip("| ").split("|"))
        for level, wanted in zip(LEVELS, answers, strict=True):
            # The issue: `allow` under autonomous is `notify` where the class is not read-only.
            told = "notify" if (wanted, level) == ("allow", "autonomous") and row not in READ_ONLY else wanted
            found += [(row, action, level, told) for action in ACTIONS[row]]
    return found


@pytest.mark.parametrize(("row", "action", "level", "wanted"), rows())
def test_the_table_of_levels(row: str, action: str, level: str, wanted: str) -> None:
    payload = {"to": "ana@partner.test"}
    assert judged(f"autonomy: {level}", action, payload).effect == wanted
    assert judged(f"agents: {{some-bot: {{autonomy: {level}}}}}", action, payload).effect == wanted


def test_the_docs_show_this_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
    for row in ACTIONS:
        cells = [wanted for line, action, _, wanted in rows() if line == row and action == ACTIONS[row][0]]
        assert f"| {row} | {' | '.join(cells)} |" in page


@pytest.mark.parametrize(
    ("risk", "reversibility", "wanted"),
    [
        ("low", "reversible", "allow"),
        ("low", "irreversible", "ask"),
        ("low", "costly", "ask"),
        ("medium", "reversible", "ask"),
        ("high", "reversible", "ask"),
        ("high", "irreversible", "ask"),
        ("critical", "irreversible", "ask"),
    ],
)
def test_impact_and_reversibility_under_guided(risk: str, reversibility: str, wanted: str) -> None:
    text = f"autonomy: guided\nrisk: {{x.y: {risk}}}\nreversibility: {{x.y: {reversibility}}}"
    verdict = judged(text, "x.y")
    assert (verdict.effect, verdict.risk, verdict.reversibility) == (wanted, risk, reversibility)
    # The card asks once more wherever it cannot be undone: high and irreversible with confirmation.
    assert verdict.reversibility_from == verdict.risk_from == "policy"


@pytest.mark.parametrize("level", LEVELS)
def test_an_action_in_no_class_is_always_asked_about(level: str) -> None:
    verdict = judged(f"autonomy: {level}", "frobnicate")
    assert (verdict.effect, verdict.risk, verdict.reversibility) == ("ask", "high", "irreversible")
    assert (verdict.risk_from, verdict.reversibility_from) == ("nobody", "nobody")


def test_full_auto_asks_for_an_action_in_no_class_whatever_its_risk() -> None:
    assert judged("autonomy: full_auto\nrisk: {frobnicate: low}", "frobnicate").effect == "ask"


@pytest.mark.parametrize(
    ("confidence", "risk"), [(None, "low"), (0.5, "low"), (0.49, "medium"), (0, "medium")]
)
def test_a_low_confidence_raises_the_risk_by_one_step(confidence: float | None, risk: str) -> None:
    verdict = judged("autonomy: guided", "files.edit", confidence=confidence)
    assert (verdict.risk, verdict.effect) == (risk, "allow" if risk == "low" else "ask")


def test_a_low_confidence_raises_no_further_than_critical() -> None:
    assert judged("autonomy: guided", "iam.grant", confidence=0.1).risk == "critical"


@pytest.mark.parametrize(("attempts", "wanted"), [(None, "allow"), (2, "allow"), (3, "ask"), (9, "ask")])
@pytest.mark.parametrize("how", ["level", "never_ask", "rule"])
def test_three_failed_attempts_always_ask(attempts: int | None, wanted: str, how: str) -> None:
    text = {
        "level": "autonomy: full_auto",
        "never_ask": "autonomy: guided\nnever_ask: [files.edit]",
        "rule": "rules: [{name: edits, match: {action: files.edit}, verdict: allow}]",
    }[how]
    assert judged(text, "files.edit", attempts=attempts).effect == wanted


OUTSIDE, INSIDE = {"to": "eve@evil.test"}, {"to": "ana@example.com"}
PRESETS: list[tuple[str, str, Any, str]] = [
    # conservative asks for send_email, send_message, every outside api_call, file_write, file_delete
    ("conservative", "send_email", INSIDE, "ask"),
    ("conservative", "send_email", OUTSIDE, "ask"),
    ("conservative", "email.send", INSIDE, "ask"),
    ("conservative", "send_message", INSIDE, "ask"),
    ("conservative", "message.send", OUTSIDE, "ask"),
    ("conservative", "api_call", {"url": "https://api.partner.test/x"}, "ask"),
    ("conservative", "api_call", {}, "ask"),
    ("conservative", "file_write", {}, "ask"),
    ("conservative", "file.write", {}, "ask"),
    ("conservative", "file_delete", {}, "ask"),
    ("conservative", "files.delete", {}, "ask"),
    ("conservative", "files.read", {}, "allow"),
    # balanced: mail to the outside, file_delete, api_call to production.* and payments.*, database_write to
    # users, orders, payments
    ("balanced", "send_email", OUTSIDE, "ask"),
    ("balanced", "send_email", INSIDE, "notify"),
    ("balanced", "file_delete", {}, "ask"),
    ("balanced", "file_write", {}, "notify"),
    ("balanced", "api_call", {"url": "https://production.example.com/x"}, "ask"),
    ("balanced", "api_call", {"url": "https://payments.example.com"}, "ask"),
    ("balanced", "api_call", {"url": "http://payments:8080/charge"}, "ask"),
    ("balanced", "api_call", {"url": "https://staging.example.com"}, "notify"),
    ("balanced", "api_call", {"url": "https://x@staging.example.com"}, "ask"),
    ("balanced", "database_write", {"table": "users"}, "ask"),
    ("balanced", "database.write", {"table": "public.orders"}, "ask"),
    ("balanced", "database_write", {"table": '"Payments"'}, "ask"),
    ("balanced", "database_write", {}, "ask"),
    ("balanced", "db_write", {"table": "users"}, "ask"),
    ("balanced", "sql-execute", {"sql": "UPDATE users SET admin = 1"}, "ask"),
    ("balanced", "api_call", {"host": "production.example.com"}, "ask"),
    ("balanced", "api_call", {"url": "/v1/payments"}, "ask"),
    ("balanced", "database_write", {"table": "page_views"}, "notify"),
    # permissive: file_delete, database_delete, payment over 1,000
    ("permissive", "file_delete", {}, "ask"),
    ("permissive", "database_delete", {}, "ask"),
    ("permissive", "database.delete", {}, "ask"),
    ("permissive", "payment", {"amount": 1000.5}, "ask"),
    ("permissive", "payment.create", {"amount": 1001}, "ask"),
    ("permissive", "payment", {"amount": 1000}, "allow"),
    ("permissive", "payment", {"amount": "1"}, "ask"),
    ("permissive", "payment", {}, "ask"),
    ("permissive", "file_write", {}, "notify"),
    ("permissive", "send_email", INSIDE, "notify"),
]


@pytest.mark.parametrize(("preset", "action", "payload", "wanted"), PRESETS)
def test_the_presets(preset: str, action: str, payload: Any, wanted: str) -> None:
    verdict = judged(f"extends: {preset}\ninternal_domains: [example.com]", action, payload)
    assert verdict.effect == wanted, verdict.why


@pytest.mark.parametrize("preset", ["conservative", "balanced", "permissive"])
@pytest.mark.parametrize("action", ["deploy.production", "deploy_production", "send_email", "email.send"])
def test_every_preset_keeps_production_and_the_outside_in_always_ask(preset: str, action: str) -> None:
    text = (
        f"extends: {preset}\nautonomy: full_auto\nnever_ask: ['*']\n"
        "rules: [{name: everything, verdict: allow}]"
    )
    verdict = judged(text, action, OUTSIDE)
    assert verdict.effect == "ask" and verdict.rule != "everything"


@pytest.mark.parametrize("action", ["send_delete_notice", "send_password_reset", "purge_list.publish"])
def test_what_fits_two_classes_is_held_by_what_is_always_asked_of_either(action: str) -> None:
    for text in ("autonomy: full_auto", "autonomy: full_auto\nnever_ask: ['*']", "extends: permissive"):
        verdict = judged(text, action, OUTSIDE)
        assert (verdict.effect, verdict.why) == ("ask", "always_ask lists @message-outside") or verdict.rule
    assert judged("extends: none\nautonomy: full_auto\nblock: ['@message-outside']", action).effect == "block"
    assert judged("extends: none\nautonomy: guided\nnever_ask: ['@message-outside']", action).effect == "ask"


def test_a_files_own_rules_come_before_its_presets() -> None:
    text = "extends: balanced\nrules: [{name: tmp, match: {action: file_delete}, verdict: allow}]"
    assert judged(text, "file_delete").rule == "tmp"


def test_autonomy_of_the_file_wins_over_its_presets() -> None:
    assert judged("extends: permissive\nautonomy: supervised", "file_write").effect == "ask"
    assert judged("extends: permissive\nautonomy: supervised", "payment", {"amount": 1}).effect == "ask"


def test_a_file_that_says_nothing_asks_for_everything() -> None:
    assert judged("", "files.read").effect == "ask"


def test_extends_none_takes_even_the_base_away() -> None:
    assert judged("extends: none\nautonomy: full_auto", "send_email", OUTSIDE).effect == "allow"
    assert judged("autonomy: full_auto", "send_email", OUTSIDE).effect == "ask"
