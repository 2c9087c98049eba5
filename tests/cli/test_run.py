"""`signoff request --wait --run`: what was approved runs, once, as it was approved; nothing else does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli.test_agent import PAYLOAD, Signoff, approve, ask, expire, only, refuse, reject, when_asked
from support import Core, eventually

from signoff.cli import execution, program
from signoff.errors import ConfigError
from signoff.models.approval import Approval
from signoff.payload.canonical import canonical
from signoff.receipts import Signer
from signoff.signatures import kid_of
from signoff.spent import Spent, open_store

pytestmark = pytest.mark.usefixtures("intake")

TAKES = (
    "import json, os, sys\n"
    "with open('ran', 'a') as ran: json.dump([sys.stdin.read(), sys.argv[1:], dict(os.environ)], ran)"
)
"""Writes down what it was given."""


def run(signoff: Signoff, *words: str, more: tuple[str, ...] = ()) -> tuple[int, str, str]:
    return ask(signoff, "--wait", "--timeout", "60", *more, "--run", sys.executable, *words)


def given() -> tuple[str, list[str], dict[str, str]]:
    stdin, words, environment = json.loads(Path("ran").read_text())
    return stdin, words, environment


def has_run() -> bool:
    return Path("ran").exists()


def the_one(core: Core) -> Approval:
    with core.store.reading() as connection:
        [found] = connection.exec_driver_sql("SELECT id FROM approval").scalars()
    return core.approvals.get(found)


def reported(core: Core) -> Approval:
    eventually(lambda: the_one(core).outcome)
    return the_one(core)


def test_it_runs_what_was_approved_with_its_arguments_as_written_and_reports(
    core: Core, signoff: Signoff
) -> None:
    words = ["--json", "--wait", "$(touch pwned)", "a b", "*", "--", "", "--run", "; touch pwned"]
    with when_asked(core, approve(core)):
        code, _, err = run(signoff, "-c", TAKES, *words)
    stdin, took, _ = given()
    assert (code, took) == (0, words) and not Path("pwned").exists()
    assert stdin == canonical(json.loads(PAYLOAD))
    one = reported(core)
    assert one.outcome and one.outcome.succeeded and one.spent_at and "approved by ana" in err


def test_what_a_person_has_edited_is_what_it_reads(core: Core, signoff: Signoff) -> None:
    edited = {"customer": "cus_42", "amount": 80}
    with when_asked(core, approve(core, payload=edited)):
        code, _, err = run(signoff, "-c", TAKES)
    assert (code, given()[0]) == (0, canonical(edited)) and "edited" in err


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        (reject, 3),
        (expire, 4),
        (lambda core: refuse(core, "limited"), 9),
        (lambda core: lambda one: core.approvals.cancel(one.agent, one.request_id), 5),
    ],
    ids=["rejected", "expired", "limited", "cancelled"],
)
def test_what_was_not_approved_never_runs(core: Core, signoff: Signoff, do: Any, expected: int) -> None:
    kwargs = {"reason": "No"} if do is reject else {}
    with when_asked(core, do(core, **kwargs)):
        code, _, _ = run(signoff, "-c", TAKES)
    assert code == expected and not has_run() and the_one(core).spent_at is None


def test_another_key_approves_nothing(core: Core, signoff: Signoff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNOFF_VERIFY_KEY", Signer.generate().verify_key)
    with when_asked(core, approve(core)):
        code, _, err = run(signoff, "-c", TAKES)
    assert code == 8 and not has_run() and "verify" in err.lower()


def test_what_another_process_was_told_to_run_is_not_run_again(core: Core, signoff: Signoff) -> None:
    def taken(one: Approval) -> None:
        core.approvals._announcer.publish = lambda *_: None  # type: ignore[method-assign]
        approve(core)(one)
        core.approvals.spend(one.agent, one.request_id, "another process")

    with when_asked(core, taken):
        code, _, _ = run(signoff, "-c", TAKES)
    assert code == 9 and not has_run() and the_one(core).outcome is None


def test_a_server_that_is_gone_before_it_is_spent_has_nothing_run(
    core: Core, signoff: Signoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "SPEND_SECONDS", 0.5)
    monkeypatch.setattr(core.approvals._spending, "spend", lambda *_: None)  # taken, and never answered
    with when_asked(core, approve(core)):
        code, _, err = ask(signoff, "--wait", "--timeout", "2", "--run", sys.executable, "-c", TAKES)
    assert code == 6 and not has_run() and "who may run" in err


def test_a_failure_is_told_with_its_code_and_its_last_words_bounded(core: Core, signoff: Signoff) -> None:
    fails = "import sys\nsys.stderr.write('a\\n' + 'x' * 99_000 + '\\nno \\x1b[31mmoney\\n\\n'); sys.exit(3)"
    with when_asked(core, approve(core)):
        code, _, _ = run(signoff, "-c", fails)
    outcome = reported(core).outcome
    assert code == execution.RUN_FAILED and outcome
    assert (outcome.succeeded, outcome.note) == (False, "exit 3: no  [31mmoney")


def test_a_last_line_is_cut(core: Core, signoff: Signoff) -> None:
    with when_asked(core, approve(core)):
        run(signoff, "-c", "import sys; sys.exit('y' * 50_000)")
    outcome = reported(core).outcome
    assert outcome and len(outcome.note) < 2 * program.NOTE


def test_a_signal_is_told(core: Core, signoff: Signoff) -> None:
    with when_asked(core, approve(core)):
        code, _, _ = run(signoff, "-c", "import os; os.kill(os.getpid(), 9)")
    outcome = reported(core).outcome
    assert code == 10 and outcome and outcome.note == "ended by SIGKILL"


def test_a_program_that_reads_nothing_of_a_long_payload_still_ends(core: Core, signoff: Signoff) -> None:
    Path("long.json").write_text(json.dumps({"text": "x" * 200_000}))
    with when_asked(core, approve(core)):
        code, _, _ = signoff(
            "request", "mail.send", "--payload", "@long.json", "--reversible", "--wait",
            "--run", sys.executable, "-c", "pass",
        )  # fmt: skip
    assert code == 0 and reported(core).outcome.succeeded  # type: ignore[union-attr]


def test_no_secret_of_ours_is_handed_on(
    core: Core, signoff: Signoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s" * 40
    monkeypatch.setenv("SIGNOFF_AGENT_SECRET", secret)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("COPIED", f"--secret={secret}")
    monkeypatch.setenv("MINE", "kept")
    with when_asked(core, approve(core)):
        assert run(signoff, "-c", TAKES)[0] == 0
    environment = given()[2]
    ours = {name for name in environment if name.startswith(("SIGNOFF_", "SLACK_"))}
    assert ours == {"SIGNOFF_REQUEST_ID", "SIGNOFF_ACTION"}
    assert environment["SIGNOFF_REQUEST_ID"] == the_one(core).request_id
    assert environment["MINE"] == "kept" and "COPIED" not in environment and "PATH" in environment


def test_a_password_within_an_address_is_kept_back_wherever_it_stands() -> None:
    given = {
        "SIGNOFF_REDIS_URL": "redis://bot:p%40ssword-9@host/0", "REDIS_PASSWORD": "p@ssword-9",
        "OTHER": "redis://bot:p%40ssword-9@host/1", "signoff_lower": "x", "PLAIN": "redis://host/0",
    }  # fmt: skip
    assert program.environment(given, {"SIGNOFF_ACTION": "a"}) == {
        "PLAIN": "redis://host/0", "SIGNOFF_ACTION": "a"
    }  # fmt: skip


def test_once_spends_in_a_guards_store_too(core: Core, signoff: Signoff, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'spent.db'}"
    with when_asked(core, approve(core)):
        assert run(signoff, "-c", TAKES, more=("--once", store))[0] == 0
    one = the_one(core)
    token = eventually(lambda: one.receipt)

    at = datetime.now(UTC)
    first = open_store(store).spend((kid_of(token), one.agent, one.request_id), Spent("me", at), until=at)
    assert first.by != "me"


def test_what_is_spent_in_the_guards_store_does_not_run(core: Core, signoff: Signoff, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'spent.db'}"

    def taken(one: Approval) -> None:

        at = datetime.now(UTC)
        key = (core.signer.kid, one.agent, one.request_id)
        open_store(store).spend(key, Spent("another", at), until=at + timedelta(hours=9))
        approve(core)(one)

    with when_asked(core, taken):
        code, _, _ = run(signoff, "-c", TAKES, more=("--once", store))
    assert code == 9 and not has_run() and the_one(core).spent_at is None


@pytest.mark.parametrize(
    "words",
    [
        ("--run", sys.executable),
        ("--wait", "--json", "--run", sys.executable),
        ("--wait", "--run"),
        ("--wait", "--run", "no-such-program-here"),
        ("--wait", "--once", "sqlite:////tmp/x.db"),
    ],
    ids=["without --wait", "--json", "no program", "not there", "--once alone"],
)
def test_what_could_not_be_run_is_said_before_anybody_is_asked(
    core: Core, signoff: Signoff, words: tuple[str, ...]
) -> None:
    code, _, err = ask(signoff, *words)
    assert code == 2 and "--run" in err and only(core) is None


def test_a_program_that_cannot_be_started_is_reported(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    (tmp_path / "text").chmod(0o755)
    ended = program.run([str(tmp_path / "text")], "{}", {})
    assert not ended.succeeded and "could not be started" in ended.note
    with pytest.raises(ConfigError):
        program.check([])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_reaches_the_program_and_is_reported(
    core: Core, agent_env: None, number: signal.Signals
) -> None:
    waits = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit('told to stop'))\n"
        "open('ready', 'w').close()\n"
        "while True: time.sleep(0.05)"
    )
    command = [
        sys.executable, "-m", "signoff", "request", "refund.create", "--payload", PAYLOAD, "--reversible",
        "--wait", "--run", sys.executable, "-c", waits,
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            approve(core)(eventually(lambda: only(core)))
            eventually(Path("ready").exists)
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    outcome = reported(core).outcome
    assert process.returncode == 130 and outcome
    assert (outcome.succeeded, outcome.note) == (False, "exit 1: told to stop") and "told to stop" in err
