"""The agent's commands where Redis is away, or nobody reads it, or somebody lies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Core

from signoff.cli import agent
from signoff.cli.main import main
from signoff.models.identity import new_id
from signoff.models.messages import Response
from signoff.queue import stream
from signoff.receipts import Signer, sign, verify, verify_keys

Signoff = Callable[..., tuple[int, str, str]]
ASK = ("request", "refund.create", "--payload", "{}", "--reversible")


@pytest.mark.parametrize("command", ["request", "wait", "status", "cancel", "report"])
def test_without_redis_it_is_7_and_says_what_to_check(
    command: str, signoff: Signoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNOFF_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    known = [command, str(new_id()), *(["--succeeded"] if command == "report" else [])]
    code, out, err = signoff(*(ASK if command == "request" else known))
    assert (code, out) == (7, "")
    assert "SIGNOFF_REDIS_URL" in err.splitlines()[-1]
    assert "secret" not in err


def test_where_nobody_reads_it_says_so_and_the_request_stays(
    core: Core, signoff: Signoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "RECEIVED_SECONDS", 0.5)
    code, out, err = signoff(*ASK)
    assert code == 6
    assert len(out.split()) == 1
    assert "signoff serve" in err
    assert core.redis.xlen("signoff:req:billing-bot") >= 1


def test_an_answer_of_another_key_is_8(core: Core, signoff: Signoff) -> None:
    request_id = str(new_id())
    at = core.store.clock()
    receipt = core.approvals._receipts.refuse("billing-bot", request_id, "rejected", "", at=at)
    forged = sign(Signer.generate(), receipt)
    answer = Response(status="rejected", receipt=forged)
    stream.publish(core.redis, "billing-bot", request_id, answer, 60, 0)
    for command in ("status", "wait"):
        code, out, err = signoff(command, request_id)
        assert (code, out) == (8, "")
        assert "not a valid receipt" in err


WHAT = ("--agent", "billing-bot", "--action", "refund.create", "--payload", "{}")


def test_verify_refuses_what_is_of_another_agent_or_key_or_was_changed(core: Core, signoff: Signoff) -> None:
    refused = core.approvals._receipts.refuse(
        "billing-bot", str(new_id()), "rejected", "no", at=core.store.clock()
    )
    asked = core.submit(payload={})
    core.approvals.decide(asked.id, 1, "U0ANA", "approve")
    token = core.approvals.get(asked.id).receipt or ""
    assert signoff("verify", token, *WHAT)[0] == 0
    assert signoff("verify", refused.token, *WHAT)[0] == 8, "a rejection that names nothing"
    assert signoff("verify", token, "--agent", "other-bot", *WHAT[2:])[0] == 8
    assert signoff("verify", token, *WHAT[:3], "refund.other", *WHAT[4:])[0] == 8
    assert signoff("verify", token, *WHAT[:5], '{"a": 1}')[0] == 8
    assert (
        signoff(
            "verify",
            sign(Signer.generate(), verify(token, verify_keys(core.signer.verify_key), "billing-bot")),
            *WHAT,
        )[0]
        == 8
    )
    head, body, signature = token.split(".")
    for changed in (
        f"{head}.{body[:-2]}.{signature}", f"{head}.{body}.", "", "x", f"{head}.{body}", f"{token}==",
        f"{token}=", f" {head}.{body}.{signature[:-1]}\n{signature[-1]}", f"{head}=.{body}.{signature}",
    ):  # fmt: skip
        assert signoff("verify", changed, *WHAT)[0] == 8, changed
    assert signoff("verify", token, *WHAT[:5], "{")[0] == 2
    assert signoff("verify", token, *WHAT[:5], "[]")[0] == 2


@pytest.mark.parametrize("left_out", ["--agent", "--action", "--payload"])
def test_verify_compares_all_three_or_nothing(core: Core, signoff: Signoff, left_out: str) -> None:
    asked = core.submit(payload={})
    core.approvals.decide(asked.id, 1, "U0ANA", "approve")
    token = core.approvals.get(asked.id).receipt or ""
    at = WHAT.index(left_out)
    code, _, err = signoff("verify", token, *WHAT[:at], *WHAT[at + 2 :])
    assert code == 2 and left_out in err
    code, out, err = signoff("verify", token, "--inspect", "--agent", "billing-bot", "--json")
    assert code == 10 and json.loads(out)["action"] == "refund.create" and "nothing is approved" in err


def test_verify_once_approves_once_whoever_asks(core: Core, signoff: Signoff, tmp_path: Path) -> None:
    tokens = []
    for vote in ("approve", "approve", "reject"):
        asked = core.submit(payload={})
        core.approvals.decide(asked.id, 1, "U0ANA", vote)
        tokens.append(core.approvals.get(asked.id).receipt or "")
    once = (*WHAT, "--once", str(tmp_path / "spent.db"))
    for token, *codes in zip(tokens, (0, 0, 3), (9, 9, 3), strict=True):
        wrong = [*once[:3], "refund.other", *once[4:]]
        assert signoff("verify", token, *wrong)[0] != 0, "and spends nothing"
        assert [signoff("verify", token, *once)[0] for _ in codes] == codes
    code, out, err = signoff("verify", tokens[0], *once)
    assert (code, out) == (9, "") and "Spent by" in err


def test_verify_needs_no_redis_but_a_key(
    core: Core, signoff: Signoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = core.submit(payload={})
    core.approvals.decide(asked.id, 1, "U0ANA", "reject")
    token = core.approvals.get(asked.id).receipt or ""
    monkeypatch.delenv("SIGNOFF_REDIS_URL")
    assert signoff("verify", token, *WHAT)[0] == 3
    monkeypatch.setenv("SIGNOFF_DEPLOYMENT", "staging")
    assert signoff("verify", token, *WHAT)[0] == 8
    monkeypatch.delenv("SIGNOFF_DEPLOYMENT")
    monkeypatch.delenv("SIGNOFF_VERIFY_KEY")
    assert signoff("verify", token, *WHAT)[0] == 2


@pytest.mark.parametrize("words", [("show", "abc"), ("pending",), ("pending", "--json")])
def test_where_no_server_was_ever_set_up_it_says_so(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path / "data"))
    for database in (tmp_path / "none.db", tmp_path / "empty.db"):
        if database.name == "empty.db":
            database.touch(0o600)
        monkeypatch.setenv("SIGNOFF_DATABASE_URL", f"sqlite:///{database}")
        assert main(words) == 2
        said = capsys.readouterr().err
        assert "No server keeps its requests here" in said and "signoff serve" in said
        assert database.name == "empty.db" or not database.exists()


@pytest.mark.parametrize(
    ("action", "payload", "says"),
    [
        ("refund.create", "[1]", "has to be an object"),
        ("Refund Create", "{}", "The action 'Refund Create' is no name"),
        ("refund.create", '{"a": 9007199254740993}', "is a number of 2^53 or more"),
        ("refund.create", '{"a": NaN}', "NaN is not JSON"),
        ("refund.create", '{"a": "\\u0000"}', "holds a NUL character"),
    ],
)
def test_what_no_server_takes_is_told_before_one_is_looked_for(
    action: str, payload: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name in ("SIGNOFF_REDIS_URL", "SIGNOFF_VERIFY_KEY", "SIGNOFF_AGENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["request", action, "--payload", payload]) == 2
    said = capsys.readouterr().err
    assert says in said and "server" not in said
