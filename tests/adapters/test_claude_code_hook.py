"""`signoff hook claude-code`, as Claude Code starts it: another process, an event on its stdin."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import Core, eventually, intake_of

EVENT = {
    "session_id": "6b80dac9-98c0-4d03-82ff-46af888bedf4",
    "cwd": "/home/ana/shop",
    "permission_mode": "default",
    "hook_event_name": "PreToolUse",
    "tool_name": "Read",
    "tool_input": {"file_path": "/home/ana/shop/README.md"},
    "tool_use_id": "toolu_01",
}
POLICY = """
rules:
  - name: reads
    match: {action: [file.read]}
    verdict: allow
  - name: secrets
    match: {action: [web.search]}
    verdict: block
"""


@pytest.fixture
def served(core: Core, redis_url: str) -> Iterator[Core]:
    core.follow(POLICY)
    with intake_of(core, redis_url, "billing-bot"):
        yield core


def test_x(served: Core, redis_url: str, tmp_path: Path) -> None:
    env = {
        "SIGNOFF_REDIS_URL": redis_url,
        "SIGNOFF_AGENT": "billing-bot",
        "SIGNOFF_VERIFY_KEY": served.signer.verify_key,
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
    }
    for n in range(12):
        e = EVENT | {"tool_use_id": f"toolu_{n}"}
        a = time.perf_counter()
        run = subprocess.run(
            [sys.executable, "-I", "-m", "signoff", "hook", "claude-code"],
            input=json.dumps(e).encode(),
            capture_output=True,
            env=env,
        )
        print(1000 * (time.perf_counter() - a), run.returncode, run.stdout, run.stderr)
    assert 0
