"""Reads of what not everybody may know: by the names of real tools, and by a policy's own fields."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from policy.policies import judged, policy
from support import a_request

from signoff.policy.classes import CLASSES, SENSITIVE, fitting
from signoff.policy.errors import PolicyError
from signoff.policy.evaluate import evaluate_edit
from signoff.policy.secret_files import names_secret_file
from signoff.policy.sensitive import THINGS, SensitiveFields, asks_for_sensitive, singular


def rows() -> list[tuple[str, str, bool]]:
    lines = Path(__file__).with_name("actions.md").read_text("utf-8").splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines]
    return [(action, name, also == "yes") for action, name, also in cells]


TABLE = rows()


def test_the_table_has_sixty_sensitive_names_and_their_neighbours() -> None:
    assert sum(also for _, _, also in TABLE) >= 60 and len(TABLE) - sum(also for _, _, also in TABLE) >= 25


@pytest.mark.parametrize(("action", "name", "also"), TABLE)
def test_the_class_of_a_read(action: str, name: str, also: bool) -> None:
    found = [one.name for one in fitting(action)]
    assert (found[0] if found else "none") == name
    assert (SENSITIVE in found) is also


@pytest.mark.parametrize(("action", "name", "also"), [row for row in TABLE if row[2]])
def test_a_sensitive_read_is_asked_about_whatever_the_level(action: str, name: str, also: bool) -> None:
    for preset in ("conservative", "balanced"):
        for more in ("", "\nautonomy: full_auto", "\nnever_ask: ['*']", "\nautonomy: autonomous"):
            found = judged(f"extends: {preset}{more}", action)
            assert found.effect == "ask" and found.risk in ("high", "critical"), found.why


@pytest.mark.parametrize("action", [row[0] for row in TABLE if row[1] in ("read", "search")])
def test_a_harmless_read_runs(action: str) -> None:
    for preset in ("conservative", "balanced"):
        found = judged(f"extends: {preset}", action)
        assert (found.effect, found.risk) == ("allow", "low"), found.why


def test_the_class_is_high_reads_only_and_can_be_freed_by_a_rule_of_ones_own() -> None:
    one = CLASSES[SENSITIVE]
    assert (one.risk, one.reversibility, one.read_only) == ("high", "irreversible", True)
    rule = "{name: payroll, match: {action: export_payroll, agent: hr-bot}, verdict: allow}"
    text = f"extends: balanced\nrules: [{rule}]"
    assert judged(text, "export_payroll", agent="hr-bot").effect == "allow"
    assert judged(text, "export_payroll", agent="other").effect == "ask"
    assert judged("extends: none\nblock: ['@sensitive-read']", "get_salaries").effect == "block"


def test_things_are_written_in_the_singular() -> None:
    assert all(
        "_".join(map(singular, one.split("_"))) in THINGS for one in THINGS if one != "drivers_license"
    )


FIELDS = (
    "extends: balanced\nsensitive_fields: [margin, vat_code, customer.iban, 'tier*', '*rating', homeTown]"
)


@pytest.mark.parametrize(
    "payload",
    [
        {"margin": 1}, {"fields": ["name", "margins"]}, {"where": {"Margin": {"gt": 5}}},
        {"sql": "SELECT margin FROM x"},
        {"columns": "name,VAT_CODE"}, {"select": "vatCode"}, {"select": "vat-codes"}, {"q": "customer.iban"},
        {"table": "tiers"}, {"fields": [["TIERED"]]}, {"f": [{"g": "creditRating"}]}, {"f": "home town"},
        {"f": "home_towns"}, {"a": "x" * 200 + " margin"},
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize(
    "action", ["get_customer", "search.orders", "database_read", "read_file", "customer.list"]
)
def test_a_read_that_names_a_field_of_the_policys_own_is_sensitive(action: str, payload: Any) -> None:
    assert judged("extends: balanced", action, payload).effect == "allow"
    found = judged(FIELDS, action, payload)
    assert (found.effect, found.risk, found.rule) == ("ask", "high", "balanced, sensitive reads")
    assert judged(FIELDS.replace("balanced", "conservative"), action, payload).effect == "ask"


@pytest.mark.parametrize(
    "payload",
    [{}, {"name": "Ana"}, {"fields": ["vat", "code"]}, {"q": "iban"}, {"f": "marginal"},
     {"f": "ratings agency x"},
     {"f": "vat codec"}, {"n": 7}, {"f": None}, {"f": "home, sweet town"}],
    ids=repr,
)  # fmt: skip
def test_a_read_that_names_none_runs(payload: Any) -> None:
    fields = FIELDS.replace(", '*rating'", "")
    assert judged(fields, "get_customer", payload).effect == "allow"


@pytest.mark.parametrize(
    "path",
    ["/home/ana/.ssh/id_rsa", ".env", "./.ENV", "app/.env.production", "~/.aws/credentials", "/etc/shadow",
     "C:\\Users\\ana\\.ssh\\config", "certs/server.key", "tls.pem", "file:///x/.netrc",
     "/proc/1/environ", ".env ",
     "../.kube/config", "secrets.yaml", "**/*.pem", "prod.env", "secrets.env", ".env~", ".env.bak", "#.env#",
     "~/.docker/config.json", "gcp/application_default_credentials.json", "terraform.tfstate",
     "terraform.tfstate.backup", "prod.tfvars", ".bash_history", "/root/.psql_history", "Default/Login Data",
     "**/id_*", "**/.e*", "id_?sa", "**/{a.md,.npmrc}", "client_secret_7.json", "**/*credentials",
     "vpn.ovpn"],
)  # fmt: skip
def test_reading_a_file_that_lets_somebody_in_is_sensitive(path: str) -> None:
    for payload in ({"path": path}, {"paths": ["README.md", path]}, {"options": {"file": path}}):
        for preset in ("conservative", "balanced"):
            assert judged(f"extends: {preset}", "read_file", payload).effect == "ask"


@pytest.mark.parametrize(
    "path",
    ["README.md", "src/env.py", ".env.example", "docs/keys.md", "shadow.css", "environ.py", "key",
     "secrets.md", ".github",
     "src/credentials.py", "a.b", "", ".", "/", "**/*.json", "**/*", "*.py", "src/**/test_*.py", "history.md",
     "docs/environment.md", "package.json", "**/*.yml"],
)  # fmt: skip
def test_reading_any_other_file_is_not(path: str) -> None:
    assert judged("extends: conservative", "read_file", {"path": path}).effect == "allow"


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("db.read", {"sql": "select ssn, salary from employees"}), ("database_read", {"table": "patients"}),
        ("list_employees", {"fields": ["salary", "ssn"]}), ("db.read", {"query": "SELECT * FROM payroll"}),
        ("get_rows", {"options": {"columns": "name,dateofbirth"}}),
        ("db.get", {"sql": "select u.ApiKey from u"}),
        ("list_records", {"tableName": "hr.bank_accounts"}), ("fetch", {"query": "{ user { creditCard } }"}),
        ("get_customer", {"select": {"name": 1, "passport_no": 1}}), ("db.read", {"sql": "x" * 200_000}),
        ("get_file", {"path": "/home/ana/.ssh/id_rsa"}),
    ],
    ids=lambda one: str(one)[:60],
)  # fmt: skip
def test_a_read_of_a_sensitive_table_or_column_is_sensitive(action: str, payload: dict[str, Any]) -> None:
    """Whether the policy names such fields or not."""
    for preset in ("conservative", "balanced"):
        assert judged(f"extends: {preset}", action, payload).effect == "ask"


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("search_web", {"query": "salary of a nurse"}), ("db.read", {"sql": "select id, name from orders"}),
        ("get_customer", {"fields": ["name", "city", "classname"]}), ("list_users", {"note": "no passwords"}),
        ("database_read", {"table": "page_views"}), ("search_web", {"q": "passport requirements"}),
    ],
    ids=lambda one: str(one)[:60],
)  # fmt: skip
def test_a_read_of_anything_else_is_not(action: str, payload: dict[str, Any]) -> None:
    assert judged("extends: balanced", action, payload).effect == "allow"


def test_an_actions_own_name_counts_and_a_draft_does_not() -> None:
    assert judged(FIELDS, "get_margins").effect == "ask"
    assert judged(FIELDS, "create_draft", {"body": "our margin"}).effect == "notify"
    assert judged(FIELDS, "edit_file", {"text": "margin: 1em"}).effect == "notify"


def test_a_change_by_a_person_is_judged_by_the_fields_it_names_then() -> None:
    found, request = (
        policy(FIELDS + "\nalways_ask: ['get_*']"),
        a_request("get_customer", {"fields": ["name"]}),
    )
    before = judged(found, "get_customer", {"fields": ["name"]})
    after = evaluate_edit(found, request, "some-bot", {"fields": ["margin"]}, before)
    assert (before.risk, after.risk) == ("low", "high")


@pytest.mark.parametrize("entry", ["", "*", "a*b", "*a*", "a b*", "ſsn", "a/b", "x" * 61, "a__", "a..b"])
def test_an_entry_that_is_no_field_is_refused(entry: str) -> None:
    with pytest.raises(PolicyError):
        policy(f"sensitive_fields: ['{entry}']")


def test_no_payload_makes_it_slow() -> None:
    """Some tenths of a second on a quiet machine, for a thousand fields."""
    fields = SensitiveFields(
        [f"field{n}_x" for n in range(400)] + [f"w{n}*" for n in range(300)] + ["q"] * 300
    )
    payloads: list[dict[str, Any]] = [
        {"a": "A" * 500_000}, {"a": "aB" * 250_000}, {"a": " ".join(f"v{n}" for n in range(80_000))},
        {"a": ["x"] * 60_000}, {"a": "field1 " * 70_000}, {"a": "_" * 500_000},
        {f"k{n}": n for n in range(50_000)},
    ]  # fmt: skip
    start = time.process_time()
    for payload in payloads:
        assert not fields.named_in("get_x", payload)
        asks_for_sensitive(payload)
        asks_for_sensitive({"fields": payload})
        names_secret_file(payload)
    assert time.process_time() - start < 5
