"""request, wait, status, cancel, report, against a real Redis and a real database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from support import Core, eventually

from signoff import Blocked
from signoff import Signoff as Client
from signoff.cli import guide, main
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest

PAYLOAD = '{"customer": "cus_42", "amount": 120}'
KEYS = [
    "id", "status", "action", "agent", "payload", "edited", "reason", "decided_by", "decided_at", "receipt",
    "permalink", "rule", "why", "answer", "kind", "batch", "notes", "talks",
]  # fmt: skip
WHAT = ("--agent", "billing-bot", "--action", "refund.create", "--payload")
Signoff = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("intake")


def only(core: Core) -> Approval | None:
    waiting = core.store.waiting()
    return core.store.get(waiting[0][0]) if waiting else None


@contextmanager
def when_asked(core: Core, do: Callable[[Approval], Any]) -> Iterator[None]:
    """Do something to the one pending approval as soon as there is one."""
    faults: list[BaseException] = []

    def wait() -> None:
        try:
            do(eventually(lambda: only(core)))
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=wait)
    thread.start()
    yield
    thread.join(30)
    assert not faults


def approve(core: Core, **more: Any) -> Callable[[Approval], Any]:
    return lambda one: core.approvals.decide(one.id, one.version, "U0ANA", "approve", **more)


def reject(core: Core, **more: Any) -> Callable[[Approval], Any]:
    return lambda one: core.approvals.decide(one.id, one.version, "U0BEN", "reject", **more)


def expire(core: Core) -> Callable[[Approval], Any]:
    def do(one: Approval) -> None:
        with core.store.transaction() as connection:
            connection.execute(text("UPDATE approval SET expires_at = 1 WHERE id = :id"), {"id": one.id})
        core.approvals.expire(one.id)

    return do


def refuse(core: Core, status: Any) -> Callable[[Approval], Any]:
    def do(one: Approval) -> None:
        core.redis.delete(f"signoff:dec:{one.agent}:{one.request_id}")
        core.approvals.refuse(one.agent, one.request_id, status, "because")

    return do


def ask(signoff: Signoff, *more: str) -> tuple[int, str, str]:
    return signoff("request", "refund.create", "--payload", PAYLOAD, "--reversible", *more)


def test_an_approved_request_is_0_and_prints_who_when_and_what_to_run(core: Core, signoff: Signoff) -> None:
    with when_asked(core, approve(core, reason="as agreed by phone")):
        code, out, err = ask(signoff, "--wait", "--timeout", "60")
    first, note, payload = out.splitlines()
    assert code == 0
    assert first.startswith("Approved by ana (U0ANA) at 20") and first.endswith("UTC")
    assert note == "Note: as agreed by phone"
    assert json.loads(payload) == json.loads(PAYLOAD)
    assert "asked, and waiting" in err


def test_json_is_one_line_with_always_the_same_keys(core: Core, signoff: Signoff) -> None:
    with when_asked(core, approve(core, payload={"customer": "cus_42", "amount": 80})):
        code, out, _ = ask(signoff, "--wait", "--json", "--timeout", "60")
    assert code == 0
    assert out.count("\n") == 1
    told = json.loads(out)
    assert list(told) == KEYS
    assert told["payload"] == {"customer": "cus_42", "amount": 80}
    assert (told["status"], told["edited"], told["decided_by"]) == ("approved", True, "U0ANA")
    assert told["decided_at"].endswith("Z")
    assert signoff("verify", told["receipt"], *WHAT, json.dumps(told["payload"]))[0] == 0
    assert signoff("verify", told["receipt"], *WHAT, PAYLOAD)[0] == 8
    code, again, _ = signoff("status", told["id"], "--json")
    assert (code, json.loads(again)) == (0, told)


def test_an_edited_payload_is_named_so(core: Core, signoff: Signoff) -> None:
    with when_asked(core, approve(core, payload={"customer": "cus_42", "amount": 80})):
        _, out, _ = ask(signoff, "--wait", "--timeout", "60")
    assert out.splitlines()[0].endswith(", edited")


ENDS: list[tuple[str, int, Callable[[Core], Callable[[Approval], Any]]]] = [
    ("rejected", 3, lambda core: reject(core, reason="Wrong customer")),
    ("expired", 4, expire),
    ("cancelled", 5, lambda core: lambda one: core.approvals.cancel(one.agent, one.request_id, "no more")),
    ("blocked", 9, lambda core: lambda one: core.approvals._endings.end(one, "blocked", actor="policy")),
    ("invalid", 2, lambda core: refuse(core, "invalid")),
]


@pytest.mark.parametrize(("status", "code", "end"), ENDS, ids=[status for status, _, _ in ENDS])
def test_each_end_has_its_exit_code_and_no_payload(
    core: Core, signoff: Signoff, status: str, code: int, end: Callable[[Core], Callable[[Approval], Any]]
) -> None:
    with when_asked(core, end(core)):
        found, out, _ = ask(signoff, "--wait", "--json", "--timeout", "60")
    told = json.loads(out)
    assert (found, told["status"], told["payload"], list(told)) == (code, status, None, KEYS)
    assert told["action"] == "refund.create"
    code_now, lines, _ = signoff("status", told["id"])
    assert code_now == code
    assert lines.lower().startswith(status)
    assert signoff("wait", told["id"])[0] == code
    assert signoff("verify", told["receipt"], *WHAT, PAYLOAD)[0] == code


@pytest.mark.parametrize("status", ["limited", "duplicate"])
def test_a_request_that_was_refused_unread_is_9(core: Core, signoff: Signoff, status: str) -> None:
    request_id = ask(signoff)[1].strip()
    refuse(core, status)(eventually(lambda: only(core)))
    for command in ("status", "wait"):
        code, out, _ = signoff(command, request_id, "--json")
        assert (code, json.loads(out)["status"], json.loads(out)["reason"]) == (9, status, "because")


def test_a_rejection_tells_who_and_why_and_hides_nothing_in_control_characters(
    core: Core, signoff: Signoff
) -> None:
    with when_asked(core, reject(core, reason="no\x1b[2J\u202e way", resubmit=True)):
        code, out, _ = ask(signoff, "--wait", "--timeout", "60")
    assert code == 3
    assert out.splitlines()[0].startswith("Rejected by ben (U0BEN)")
    assert "come back with changes" in out
    assert "\x1b" not in out and "\\u001b[2J\\u202e" in out


def test_without_wait_it_prints_the_id_and_is_6(core: Core, signoff: Signoff) -> None:
    code, out, err = ask(signoff)
    assert (code, err) == (6, "")
    waiting = eventually(lambda: only(core))
    assert out == f"{waiting.request_id}\n"
    code, out, _ = ask(signoff, "--json")
    told = json.loads(out)
    assert (code, list(told), told["status"], told["payload"]) == (6, KEYS, "pending", None)


def test_a_key_that_was_used_for_something_else_is_told_at_once(core: Core, signoff: Signoff) -> None:
    assert ask(signoff, "--key", "k")[0] == 6
    code, out, err = signoff("request", "refund.create", "--payload", "{}", "--reversible", "--key", "k")
    assert code == 2
    assert len(out.split()) == 1
    assert "invalid" in err
    assert ask(signoff, "--key", "k")[0] == 6


def test_all_that_was_said_reaches_the_server(core: Core, signoff: Signoff, tmp_path: Path) -> None:
    (tmp_path / "payload.json").write_text(PAYLOAD)
    (tmp_path / "schema.json").write_text('{"type": "object", "properties": {"amount": {"type": "integer"}}}')
    code, _, _ = signoff(
        "request", "refund.create", "--payload", "@payload.json", "--costly", "--reason", "r", "--key", "k",
        "--schema", "@schema.json", "--title", "t", "--impact", "i", "--undo", "u", "--risk", "low",
        "--context", '{"ticket": 991}', "--editable", "amount, customer", "--expires-in", "30m",
        "--conversation", "C1", "--run-name", "run-7", "--alternatives", "Credit it",
        "--alternatives", "Wait", "--tags", "money, external", "--cost", "12.5", "--confidence", "0.9",
        "--attempts", "2", "--requested-by", "Ana Lee",
    )  # fmt: skip
    assert code == 6
    request = eventually(lambda: only(core)).request
    assert request.payload == json.loads(PAYLOAD)
    assert (request.reversibility, request.reason, request.key, request.title) == ("costly", "r", "k", "t")
    assert (request.impact, request.undo, request.risk, request.run) == ("i", "u", "low", "run-7")
    assert (request.context, request.editable) == ({"ticket": 991}, ("amount", "customer"))
    assert (request.expires_in, request.conversation) == (1800, "C1")
    assert request.json_schema
    assert (request.alternatives, request.tags) == (("Credit it", "Wait"), ("money", "external"))
    assert (request.cost, request.confidence, request.attempts) == (12.5, 0.9, 2)
    assert request.requested_by == "Ana Lee"


def test_whatever_a_request_may_say_a_shell_can_say_too() -> None:
    options = {action.dest for action in guide._below(main._parser())["request"]._actions}
    named = {"json_schema": "schema", "reversibility": "reversible", "run": "run_name"}
    said = {named.get(name, name) for name in ApprovalRequest.model_fields} - {"id", "nonce", "kind"}
    said -= {"traceparent"}  # OpenTelemetry's own: taken from the program's span
    said -= {"batch"}  # made by `signoff batch`
    assert said <= options


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--cost", "12 EUR", "'12 EUR' is no number: write it without a unit, such as 12.5"),
        ("--confidence", "high", "'high' is no number"),
        ("--attempts", "two", "'two' is no number"),
        ("--attempts", "1.5", "attempts is 1.5: write how often it has failed before"),
        ("--confidence", "90", "confidence is 90: write a number from 0 to 1"),
        ("--risk", "severe", "invalid choice: 'severe' (choose from"),
        ("--expires-in", "soon", "'soon' is no duration: write 90, 90s, 10m, 2h or 1d"),
        ("--tags", "Own Tag", 'write "own-tag"'),
        ("--context", "x", "--context: It is not JSON"),
        ("--context", "[1]", "context is a list: it has to be an object"),
    ],
)
def test_what_cannot_be_is_2_and_says_what_to_write(
    signoff: Signoff, option: str, value: str, words: str
) -> None:
    try:
        code, _, err = ask(signoff, option, value)
    except SystemExit as ended:  # argparse's own
        code, err = int(ended.code or 0), words
    assert code == 2 and words in err


@pytest.fixture
def policy(core: Core) -> None:
    core.follow(
        "rules:\n"
        "  - {name: small refunds, match: {action: refund.create}, verdict: allow}\n"
        "  - {name: no drops, match: {action: database.drop}, verdict: block}\n"
    )


def test_what_the_policy_allows_says_by_which_rule(policy: None, signoff: Signoff) -> None:
    said = "pproved by the policy, which asks nobody for this: the rule “small refunds”"
    code, out, err = ask(signoff, "--wait", "--timeout", "60")
    first, payload = out.splitlines()
    assert (code, first, json.loads(payload)) == (0, f"A{said}", json.loads(PAYLOAD))
    request_id = err.strip().rpartition(" ")[2]
    assert signoff("status", request_id)[1] == out
    told = json.loads(signoff("status", request_id, "--json")[1])
    assert (told["rule"], told["why"], told["decided_by"]) == (
        "small refunds",
        "the rule “small refunds”",
        None,
    )
    code, out, err = ask(signoff)
    assert code == 0 and f"signoff: a{said}. `signoff status {out.strip()}` tells more.\n" in err


def test_what_the_policy_blocks_says_by_which_rule(
    policy: None, core: Core, redis_url: str, signoff: Signoff
) -> None:
    drop = ("request", "database.drop", "--payload", "{}", "--irreversible", "--wait", "--timeout", "60")
    code, out, _ = signoff(*drop)
    assert (code, out) == (
        9,
        "Blocked by the policy: the rule “no drops”\nReason: The policy blocks database.drop.\n",
    )
    with Client() as client, pytest.raises(Blocked, match="Why: the rule “no drops”"):
        client.ask("database.drop", {}, reversible=False, timeout=60)


def test_nothing_said_about_undoing_is_remarked(signoff: Signoff) -> None:
    code, _, err = signoff("request", "refund.create", "--payload", PAYLOAD, "--no-edit")
    assert code == 6
    assert err.count("\n") == 1 and "--reversible" in err


def test_a_local_timeout_is_6_and_says_how_to_go_on(core: Core, signoff: Signoff) -> None:
    code, out, err = ask(signoff, "--wait", "--timeout", "1s", "--json")
    told = json.loads(out)
    assert (code, told["status"]) == (6, "pending")
    assert f"signoff wait {told['id']}" in err and f"signoff cancel {told['id']}" in err
    with when_asked(core, approve(core)):
        assert signoff("wait", told["id"], "--timeout", "60")[0] == 0


def test_status_of_a_pending_request_is_6(signoff: Signoff) -> None:
    request_id = ask(signoff)[1].strip()
    code, out, _ = signoff("status", request_id)
    assert code == 6
    assert out.startswith("Pending: refund.create, until 20")
    code, out, _ = signoff("status", request_id, "--json")
    assert (code, list(json.loads(out))) == (6, KEYS)


def test_status_of_an_unknown_request_is_2_and_a_sentence(signoff: Signoff) -> None:
    code, out, err = signoff("status", "01890000-0000-7000-8000-000000000000")
    assert (code, out) == (2, "")
    assert "no server has received it" in err
    assert signoff("status", "nonsense")[0] == 2


def test_cancel_tells_what_became_of_the_request(core: Core, signoff: Signoff) -> None:
    request_id = ask(signoff)[1].strip()
    code, out, _ = signoff("cancel", request_id, "--reason", "no longer needed")
    assert code == 5
    assert out.splitlines() == ["Cancelled: the request was withdrawn", "Reason: no longer needed"]


def test_cancel_that_comes_too_late_says_so(core: Core, signoff: Signoff) -> None:
    with when_asked(core, approve(core)):
        request_id = json.loads(ask(signoff, "--wait", "--json", "--timeout", "60")[1])["id"]
    code, _, err = signoff("cancel", request_id)
    assert code == 0
    assert "too late: it is approved already" in err


def test_a_report_reaches_the_approval(core: Core, signoff: Signoff) -> None:
    with when_asked(core, approve(core)):
        request_id = json.loads(ask(signoff, "--wait", "--json", "--timeout", "60")[1])["id"]
    assert signoff("report", request_id, "--failed", "--note", "no such customer") == (0, "", "")
    outcome = eventually(lambda: getattr(core.store.find("billing-bot", request_id), "outcome", None))
    assert (outcome.succeeded, outcome.note) == (False, "no such customer")


def test_ctrl_c_is_130_and_the_request_stays_pending(core: Core, agent_env: None) -> None:
    command = [sys.executable, "-m", "signoff", "request", "a", "--payload", "{}", "--reversible", "--wait"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            waiting = eventually(lambda: only(core), 60)
            assert process.stderr
            assert "asked, and waiting" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert err.count("\n") == 1
    assert "stays pending" in err and f"signoff cancel {waiting.request_id}" in err
    assert only(core) is not None


def test_a_key_is_as_good_as_an_id(core: Core, signoff: Signoff) -> None:
    ask(signoff, "--key", "call_1")
    found = eventually(lambda: only(core))
    code, out, _ = signoff("status", "--key", "call_1", "--json")
    assert code == 6 and json.loads(out)["id"] == found.request_id
    approve(core)(found)
    code, out, _ = signoff("wait", "--key", "call_1", "--json", "--timeout", "60")
    assert code == 0 and json.loads(out)["id"] == found.request_id
    assert signoff("report", "--key", "call_1", "--succeeded", "--note", "done")[0] == 0
    assert eventually(lambda: core.approvals.get(found.id).outcome).note == "done"
    ask(signoff, "--key", "call_2")
    assert signoff("cancel", "--key", "call_2")[0] == 5
    for command, *more in (("wait",), ("status",), ("cancel",), ("report", "--failed")):
        code, out, err = signoff(command, "--key", "call_9", *more)
        assert code == 2 and not out and "'call_9'" in err
        with pytest.raises(SystemExit) as ended:
            signoff(command, found.request_id, "--key", "call_1", *more)
        assert ended.value.code == 2
