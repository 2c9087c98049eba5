"""docs/http.md: its shell, Java and Go run as they stand there, and take nothing that is not signed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import eventually, missing
from web.conftest import Door

from signoff.models.questions import GivenAnswer
from signoff.receipts import Signer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
LANGUAGES: dict[str, tuple[str, str, list[str], tuple[str, ...]]] = {
    "curl": ("sh", "ask.sh", ["bash", "ask.sh"], ("curl", "jq", "openssl")),
    "Java": ("java", "Ask.java", ["java", "Ask.java"], ("java",)),
    "Go": ("go", "ask.go", ["go", "run", "ask.go"], ("go",)),
}
EDITED = {"customer": 'cus_42 "Zoë" <&>', "amount": 80}


@pytest.fixture(params=LANGUAGES)
def agent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """An agent in one of the languages: give it its settings, and it starts."""
    kind, name, command, needs = LANGUAGES[request.param]
    for program in needs:
        if shutil.which(program) is None:
            missing(program)
    told = PAGE.partition(f"\n## {request.param}\n")[2].partition("\n## ")[0]
    (tmp_path / name).write_text("\n".join(re.findall(rf"```{kind}\n(.*?)```", told, re.S)), encoding="utf-8")
    started: list[subprocess.Popen[str]] = []

    def start(door: Door, verify_key: str) -> subprocess.Popen[str]:
        settings = {"WEB_URL": door.url, "TOKEN": door.token, "VERIFY_KEY": verify_key}
        env = os.environ | {f"SIGNOFF_{name}": value for name, value in settings.items()}
        env["SIGNOFF_AGENT"] = "billing-bot"
        running = subprocess.Popen(
            command, cwd=tmp_path, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        started.append(running)
        return running

    yield start
    for one in started:
        one.kill()
        one.communicate()


def asked(door: Door, running: subprocess.Popen[str]) -> str:
    """The id of what it has asked."""
    found = eventually(lambda: door.core.changed or running.poll() is not None, 120)
    assert found is not True, running.communicate()
    return str(door.core.changed[-1])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_page_runs_what_was_approved_and_nothing_unsigned(door: Door, agent: Any) -> None:
    door.core.follow("")
    running = agent(door, door.core.signer.verify_key)
    request_id = asked(door, running)
    door.core.approvals.decide(request_id, 1, "U0ANA", "approve", payload=EDITED)
    printed, _ = running.communicate(timeout=120)
    approval = door.core.approvals.get(request_id)
    assert running.returncode == 0 and printed.strip() == f"run refund.create with {approval.payload_text}"
    assert approval.payload == EDITED and approval.spent_by
    assert approval.outcome is not None and approval.outcome.succeeded

    door.core.changed.clear()
    running = agent(door, Signer.generate().verify_key)
    request_id = asked(door, running)
    door.core.approvals.decide(request_id, 1, "U0ANA", "approve")
    printed, _ = running.communicate(timeout=120)
    assert running.returncode != 0 and "run refund.create" not in printed
    assert door.core.approvals.get(request_id).spent_by is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_more_than_yes_and_no_runs_in_a_shell_as_it_stands(door: Door, tmp_path: Path) -> None:
    """A question, a batch and a talk, by the page's first functions; and nothing unsigned passes."""
    for program in ("curl", "jq", "openssl"):
        if shutil.which(program) is None:
            missing(program)
    door.core.follow("")
    approvals, ours, others = door.core.approvals, door.core.signer.verify_key, Signer.generate().verify_key
    batches = pieces("Batches")[0]

    def started(code: str, verify_key: str = ours) -> subprocess.Popen[str]:
        (tmp_path / "more.sh").write_text(f"{pieces('curl')[0]}\n{code}", encoding="utf-8")
        env = os.environ | {"SIGNOFF_WEB_URL": door.url, "SIGNOFF_TOKEN": door.token}
        env |= {"SIGNOFF_AGENT": "billing-bot", "SIGNOFF_VERIFY_KEY": verify_key}
        door.core.changed.clear()
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(["bash", "more.sh"], cwd=tmp_path, env=env, text=True, **pipe)

    for key in (ours, others):
        running = started(pieces("Questions")[0], key)
        approvals.questions.answer(asked(door, running), 1, "U0ANA", GivenAnswer.of({"choice": ["b"]}))
        printed, _ = running.communicate(timeout=120)
        assert (running.returncode == 0, printed.strip() == "b") == (key == ours, key == ours), printed

    running = started(batches)
    ids = eventually(lambda: len(found := [id for id, _ in door.core.store.waiting()]) == 2 and found)
    old = {approvals.get(id).payload["name"]: id for id in ids}
    approvals.decide(old["old-1"], 1, "U0ANA", "reject")
    approvals.decide(old["old-2"], 1, "U0ANA", "approve")
    printed, _ = running.communicate(timeout=120)
    assert (running.returncode, printed.strip()) == (0, 'run branch.delete with {"name":"old-2"}')
    done = approvals.get(old["old-2"])
    assert done.spent_by and done.outcome is not None and done.outcome.result == {"gone": True}

    with door.client() as agent:
        said = {"action": "refund.create", "payload": {"amount": 1}, "reversible": True}
        request_id = agent.post("/v1/requests", json=said).json()["id"]
    [door_function] = re.findall(r"^door\(\).*$", batches, re.MULTILINE)
    for key, answer in ((others, None), (ours, "Invoice 7.")):
        talk = approvals.talks.ask(request_id, 1, "U0ANA", "Which invoice?")
        running = started(f"{door_function}\n{pieces('What people ask the agent')[0]}", key)
        printed, _ = running.communicate(timeout=120)
        kept = approvals.talks.get(talk.id)
        assert kept is not None and kept.talk.answer == answer, printed


def pieces(chapter: str) -> list[str]:
    """The shell of one chapter."""
    told = PAGE.partition(f"\n## {chapter}\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", told, re.S)
