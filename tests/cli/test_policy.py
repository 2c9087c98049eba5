"""`signoff policy …`, as a person and as a program reads it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from policy.policies import THE_ISSUES
from support import Core

from signoff.cli.main import main
from signoff.policy.classes import TABLE

ROOT = Path(__file__).parents[2]
REFUND = {
    "agent": "support-bot", "action": "refund.create", "reason": "twice",
    "payload": {"amount": 1200, "currency": "EUR", "customer": "cus_42"},
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The issue's policy, in a folder without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("SIGNOFF_APPROVERS", "SIGNOFF_CHANNEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path))
    (tmp_path / "policy.yml").write_text(THE_ISSUES)
    return "policy.yml"


def policy(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["policy", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_check_says_what_holds(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = policy(capsys, "check", file)
    assert (code, err) == (0, "")
    assert out.startswith(
        "policy.yml holds: 3 rules and 5 of the preset balanced, 0 examples\nautonomy is guided; digest "
    )


def test_check_warns_of_what_holds_and_may_not_be_meant(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, wanted in ((("check", file), 0), (("check", file, "--strict"), 1)):
        code, out, err = policy(capsys, *arguments)
        assert (code, err) == (wanted, "")
        warning = " ".join(out.splitlines()[2:])
        assert "policy.yml:18:5: warning: payload.amount has no lower bound" in warning
    plain = THE_ISSUES.replace("payload.amount <= 50", "payload.amount > 0 && payload.amount <= 50")
    Path(file).write_text(plain)
    code, out, _ = policy(capsys, "check", file, "--strict")
    assert code == 0 and "warning" not in out
    Path(file).write_text(plain + "internal_domains: [gmail.com]\n".replace("internal", "internals"))
    assert policy(capsys, "check", file, "--strict")[0] == 2


def test_explain_says_why_a_message_is_outside(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    for more, why in (
        ({}, ""),
        ({"webhook": "x"}, "nobody knows what webhook is"),
        ({"cc": "a@b.c"}, "cc is not"),
    ):
        payload = {"to": "ana@example.com", "subject": "Hello", **more}
        request = json.dumps({"action": "email.send", "payload": payload})
        code, out, _ = policy(capsys, "explain", file, "--request", request)
        assert code == 0 and (f"outside   {why}" in out if why else "outside  " not in out)


def test_check_names_every_fault_with_its_line(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(file).write_text(THE_ISSUES.replace("always_ask", "alway_ask").replace("[finance]", "[finanse]"))
    code, out, err = policy(capsys, "check", file)
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "policy.yml:4:1: alway_ask is no key here: did you mean always_ask?",
        "signoff: the policy is not taken: mend what stands above.",
    ]
    Path(file).write_text(THE_ISSUES.replace("[finance]", "[finanse]"))
    assert policy(capsys, "check", file)[2].startswith(
        "policy.yml:26:17: there is no group finanse: did you mean"
    )


@pytest.mark.parametrize("command", [["check"], ["test"], ["explain", "--request", "{}"], ["replay"]])
def test_every_command_refuses_a_bad_file_alike(
    file: str, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    Path(file).write_text("version: 2")
    assert policy(capsys, command[0], file, *command[1:])[0] == 2
    code, _, err = policy(capsys, command[0], "none.yml", *command[1:])
    assert code == 2 and "none.yml: cannot be read: No such file or directory" in err


@pytest.mark.parametrize("can", [True, False, "costly", "nope", None])
def test_explain_takes_what_an_agents_code_says_of_undoing(
    file: str, capsys: pytest.CaptureFixture[str], can: object
) -> None:
    request = json.dumps({**REFUND, "reversible": can})
    code, _, err = policy(capsys, "explain", file, "--request", request)
    assert (code, "is no field" in err) == (0 if can != "nope" else 2, False), err
    code, _, err = policy(capsys, "explain", file, "--request", request[:-1] + ', "reversibility": "costly"}')
    assert code == 2 and "not both" in err


def test_explain_says_which_rule_and_why_not_those_before_it(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = policy(capsys, "explain", file, "--request", json.dumps(REFUND))
    assert code == 0
    assert out.splitlines() == [
        "ask: the rule “large refunds”",
        "  rated     high risk (the policy), irreversible (the policy)",
        "  class     money",
        "  who       finance",
        "  how long  30 min",
        "  where     #finance-approvals",
        "  batch     has a card of its own: it cannot be undone",
        "  headline  Refund 1200 EUR to cus_42",
        "  requires  reason, impact, alternatives",
        "  lacks     impact, alternatives: so it is refused, and nobody is asked",
        "  passed over, in their order",
        "    line 16  small refunds: its condition does not hold",
    ]


LIMITED = """\
version: 1
agents: {bot: {limits: {per_day: {sum: payload.amount, most: 5000}}}}
rules:
  - {name: small, match: {action: pay}, verdict: allow,
     limits: {per_day: {sum: payload.amount, by: payload.currency, most: 2000}}}
  - {name: rest, match: {action: pay}, verdict: ask, approvers: [U0ANA]}
"""


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (
            {"amount": 120, "currency": "EUR"},
            ["allow: the rule “small”", "120 of 5,000 in any 24 h", "120 of 2,000 EUR in any 24 h"],
        ),
        (
            {"amount": 2400.5, "currency": "EUR"},
            ["ask: the rule “small” has come to its sum of a day", "would be 2,400.50 of 2,000 EUR today"],
        ),
        ({"amount": 5, "currency": None}, ["ask: ", "payload.currency is no plain name, so it asks"]),
    ],
)
def test_explain_says_what_counts_for_which_sum(
    payload: dict[str, Any], says: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "limited.yml").write_text(LIMITED)
    request = json.dumps({"agent": "bot", "action": "pay", "payload": payload})
    code, out, _ = policy(capsys, "explain", str(tmp_path / "limited.yml"), "--request", request)
    assert code == 0 and all(part in " ".join(out.split()) for part in says), out


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ("{per_day: {sum: amount, most: 5}}", "sum"),
        ("{per_day: {sum: payload.amount}}", "most"),
        ("{per_day: {sum: payload.amount, most: -1}}", "most"),
        ("{per_day: {sum: payload.amount, most: many}}", "most"),
        ("{per_day: {sum: payload.amount, most: true}}", "most"),
        ("{per_day: {sum: 'payload.items[0]', most: 5}}", "sum"),
        ("{per_week: {sum: payload.amount, most: 5}}", "per_week"),
        ("{pending: 5}", "pending"),
    ],
)
def test_check_names_what_is_wrong_with_a_sum(
    limits: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = f"version: 1\nrules:\n  - {{name: a, verdict: allow, limits: {limits}}}\n"
    (tmp_path / "bad.yml").write_text(rule)
    code, _, err = policy(capsys, "check", str(tmp_path / "bad.yml"))
    assert code == 2 and "bad.yml:3:" in err and says in err


KEYS = ["verdict", "rule", "why", "channel", "approvers", "expires_in", "feedback", "talk", "batch", "digest"]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, {"verdict": "ask", "rule": "large refunds", "channel": "#finance-approvals",
              "approvers": ["finance"], "expires_in": 1800}),
        ({"payload": {"amount": 5, "currency": "EUR"}},
         {"verdict": "allow", "rule": "small refunds", "channel": None, "approvers": [], "expires_in": None}),
        ({"action": "iam.grant_admin"}, {"verdict": "block", "rule": None, "channel": None, "approvers": []}),
        ({"action": "run_command", "agent": "billing-bot"},
         {"verdict": "ask", "rule": None, "approvers": [], "channel": "#agent-review", "expires_in": 86400}),
    ],
)  # fmt: skip
def test_explain_as_json(
    file: str, capsys: pytest.CaptureFixture[str], change: dict[str, Any], wanted: dict[str, Any]
) -> None:
    Path("r.json").write_text(json.dumps({**REFUND, **change}))
    for source in ("r.json", "@r.json"):
        code, out, _ = policy(capsys, "explain", file, "--request", source, "--json")
        found = json.loads(out)
        assert code == 0 and list(found) == KEYS
        assert {key: found[key] for key in wanted} == wanted


def test_explain_reads_a_request_from_stdin_and_the_defaults_from_the_settings(
    file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNOFF_APPROVERS", "U0ANA")
    monkeypatch.setenv("SIGNOFF_CHANNEL", "approvals")
    Path(file).write_text("version: 1")
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(REFUND).encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    found = json.loads(policy(capsys, "explain", file, "--request", "-", "--json")[1])
    assert (found["approvers"], found["channel"]) == (["U0ANA"], "approvals")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("nothing.json", "nothing.json cannot be read"),
        ("{", "--request: It is not JSON"),
        ("[]", "cannot be read"),
        ('{"agent": "a", "action": "x y"}', "--request: action"),
        ('{"agent": "A", "action": "x"}', "--request: agent: a-z"),
        (
            '{"agent": "a", "action": "x", "colour": 1}',
            "--request: colour is no field of a request: there are",
        ),
        ('{"action": "x", "reversable": false}', "no field of a request: did you mean reversibility?"),
    ],
)
def test_a_request_that_is_none_is_usage(
    file: str, capsys: pytest.CaptureFixture[str], request_: str, said: str
) -> None:
    code, out, err = policy(capsys, "explain", file, "--request", request_)
    assert (code, out) == (2, "") and said in err


def test_what_a_request_holds_does_not_reach_the_terminal_raw(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    payload = {**REFUND["payload"], "customer": "a\u001b[31mb"}
    out = policy(capsys, "explain", file, "--request", json.dumps({**REFUND, "payload": payload}))[1]
    assert "\u001b" not in out


def test_what_a_claim_did_not_free_is_explained_as_if_it_were_not_claimed(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(file).write_text("version: 1\nrules: [{name: cheap, when: cost < 10.0, verdict: allow}]\n")
    out = policy(capsys, "explain", file, "--request", '{"action": "x.y", "cost": 1}')[1]
    assert "  passed over, in their order, as if the agent had claimed nothing\n     line 2  cheap: " in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "policy.yml"),
        ("classes",),
        *(("explain", "policy.yml", "--request", json.dumps({**REFUND, "action": action}))
          for action in ("refund.create", "search.web", "send_email", "iam.grant_admin", "frobnicate")),
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)  # fmt: skip
def test_a_terminal_of_80_columns_is_enough(
    file: str, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    out = policy(capsys, *arguments)[1]
    assert out and [line for line in out.splitlines() if len(line) > 80] == []


def test_a_file_that_cannot_be_read_is_named(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    for path, why in (("none.yml", "No such file"), (".", "Is a directory")):
        code, out, err = policy(capsys, "check", path)
        assert (code, out) == (2, "") and err.startswith(f"{path}: cannot be read: {why}")


def test_the_examples_are_tested(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = policy(capsys, "test", file)
    assert (code, out) == (1, "policy.yml has no examples: write some under `examples:`.\n")
    examples = """
examples:
  - name: large ones ask
    request: {action: refund.create, payload: {amount: 1200}}
    verdict: ask
    rule: large refunds
    approvers: [finance]
    channel: "#finance-approvals"
  - request: {action: search.web}
    verdict: allow
    rule: null
"""
    Path(file).write_text(THE_ISSUES + examples)
    assert policy(capsys, "test", file)[:2] == (0, "2 of 2 examples are as wanted\n")
    Path(file).write_text(THE_ISSUES + examples.replace("amount: 1200", "amount: 120"))
    code, out, _ = policy(capsys, "test", file)
    assert code == 1
    assert out.splitlines() == [
        "policy.yml:36: large ones ask: wanted rule large refunds, got none; "
        "wanted approvers finance, got none; "
        "wanted channel #finance-approvals, got #agent-approvals; "
        "because: autonomy is guided: high risk, irreversible",
        "1 of 2 examples is as wanted",
    ]


MORE = """\
version: 1
batch: {most: 7, of: ["ticket.*"]}
questions: {per_hour: 20}
feedback: 10%
rules:
  - {name: tickets, match: {action: ticket.*}, verdict: ask, talk: +10m}
  - {name: refunds, match: {action: refund.create}, verdict: notify, undo_for: 1h,
     undo: {action: refund.cancel, payload: {id: $result.id}}}
examples:
  - {request: {action: ticket.tidy, reversible: true}, verdict: ask, batch: true, talk: +10m, feedback: 10%}
  - {request: {action: ticket.tidy, reversible: false}, verdict: ask, batch: false}
  - {request: {action: refund.create}, verdict: notify, undo: refund.cancel, undo_for: 1h}
  - {request: {kind: question, action: question}, verdict: ask}
"""


def test_what_a_batch_a_question_and_an_undo_come_to_is_explained_and_tested(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(file).write_text(MORE)
    assert policy(capsys, "test", file)[:2] == (0, "4 of 4 examples are as wanted\n")

    def explained(*more: str, **request: Any) -> str:
        code, out, _ = policy(
            capsys, "explain", file, "--request", json.dumps({"agent": "bot", **request}), *more
        )
        assert code == 0
        return " ".join(out.split())

    tidy = explained(action="ticket.tidy", reversible=True)
    assert "batch may share a card with others, 7 at most, that ask the same people there" in tidy
    assert "10 min more once its agent is asked" in tidy and "Of a batch about 3 at most" in tidy
    assert "batch has a card of its own: it cannot be undone" in explained(
        action="ticket.tidy", reversible=False
    )
    asked = explained(kind="question")
    assert "how often 20 questions of bot in any hour" in asked and "batch" not in asked
    found = json.loads(explained("--json", kind="question"))
    assert (found["per_hour"], found["batch"]) == (20, None)
    found = json.loads(explained("--json", action="refund.create"))
    assert (found["undo"], found["undo_for"], found["batch"]) == ("refund.cancel", 3600, None)
    wrong = MORE.replace("batch: true, talk: +10m", "batch: false, talk: +20m").replace(
        "undo_for: 1h}", "undo_for: 2h}"
    )
    Path(file).write_text(wrong)
    code, out, _ = policy(capsys, "test", file)
    assert code == 1 and "wanted batch no, got yes; wanted talk 1200, got 600" in out
    assert "wanted undo_for 7200, got 3600" in out
    Path(file).write_text(MORE.replace("batch: true, talk: +10m", "batch: true, talk: +2d"))
    code, _, err = policy(capsys, "check", file)
    assert code == 2 and "talk: write a time from +1s to +1d" in err


def test_the_example_in_the_repository_holds_and_is_the_one_that_ships(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shipped = ROOT / "signoff" / "policy" / "example.yml"
    assert shipped.read_bytes() == (ROOT / "policy.example.yml").read_bytes()
    assert policy(capsys, "check", str(shipped))[0] == policy(capsys, "test", str(shipped))[0] == 0


def test_the_schema_is_valid_and_holds_for_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = policy(capsys, "schema")
    schema = json.loads(out)
    jsonschema_rs.meta.validate(schema)
    assert code == 0
    for file in (ROOT / "policy.example.yml", *(ROOT / "signoff" / "policy" / "presets").glob("*.yml")):
        assert jsonschema_rs.is_valid(schema, yaml.safe_load(file.read_text()))


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = policy(capsys, "classes")
    assert code == 0 and all(f"@{one.name}: {one.what}\n" in out for one in TABLE)
    assert "signoff-actions, version 2" in out
    found = json.loads(policy(capsys, "classes", "--json")[1])
    assert (found["name"], found["version"], len(found["classes"])) == ("signoff-actions", 2, len(TABLE))
    assert set(found["classes"][0]) == {
        "class",
        "what",
        "risk",
        "reversibility",
        "read_only",
        "tags",
        "actions",
        "words",
    }


def test_replay_says_what_would_change_and_what_people_made_of_it(
    core: Core, agent_env: None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("policy.yml").write_text(THE_ISSUES)
    approval = core.submit("other-bot", payload={"amount": 40, "currency": "EUR"})
    core.approvals.decide(approval.id, 1, "U0ANA", "reject")
    core.submit("other-bot", payload={"amount": 500})
    code, out, _ = policy(capsys, "replay", "policy.yml", "--since", "30d")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "2 requests, judged by policy.yml"
    assert ["allow", "0", "1"] in [line.split() for line in lines]
    assert "       1  ask → allow  refund.create: the rule “small refunds”" in lines
    assert f"          they were: 1 rejected; the last: {approval.request_id}" in lines
    assert "    line 20  large refunds" in lines and "    line 16  small refunds" not in lines
    found = json.loads(policy(capsys, "replay", "policy.yml", "--json")[1])
    assert (found["requests"], found["changed"], found["now"]) == (2, 1, {"allow": 1, "ask": 1})
    assert found["changes"][0]["ended"] == {"rejected": 1} and "large refunds" in found["never_hit"]


def test_replay_says_where_what_was_asked_together_would_stand(
    core: Core, agent_env: None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("policy.yml").write_text(
        "version: 1\nextends: none\nbatch: {of: ['ticket.*']}\nquestions: {per_hour: 1}\n"
    )
    for number in range(4):
        action = "ticket.tidy" if number else "branch.delete"
        core.submit(action=action, payload={"n": number}, reversibility="reversible", batch="ab" * 16)
        question = {"question": f"Which of {number}?", "free_text": True}
        core.submit(kind="question", action="question", payload=question)
    code, out, _ = policy(capsys, "replay", "policy.yml")
    assert code == 0 and "of 1 batch 3 requests would share a card, 4 did then" in out
    assert "       1  would not: it cannot be undone" in out
    assert "question: billing-bot may ask questions once in any hour" in " ".join(out.split())
    found = json.loads(policy(capsys, "replay", "policy.yml", "--json")[1])
    assert found["batches"] == {
        "batches": 1, "shared_then": 4, "shared": 3, "alone": {"it cannot be undone": 1},
    }  # fmt: skip
    assert (found["undoable"], found["more_time"], found["now"]) == (0, 0, {"ask": 5, "refused": 3})


def test_replay_of_nothing_says_so(core: Core, agent_env: None, capsys: pytest.CaptureFixture[str]) -> None:
    Path("policy.yml").write_text(THE_ISSUES)
    for since in ("1h", "0d", "999999999d"):
        code, out, _ = policy(capsys, "replay", "policy.yml", "--since", since)
        assert (code, out) == (0, "No request came in within that time: there is nothing to judge.\n")
