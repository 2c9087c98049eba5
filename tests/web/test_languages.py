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
