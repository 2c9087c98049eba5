"""`signoff demo --auto`: all of it, as somebody who tries it sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), **settings}
    command = [sys.executable, "-m", "signoff", "demo", "--auto"]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=environment, cwd=folder
    )


def test_it_tells_the_story_and_leaves_nothing(tmp_path: Path) -> None:
    wrong = {  # of somebody's own server, which the demo must not touch
        "SIGNOFF_REDIS_URL": "redis://127.0.0.1:1",
        "SIGNOFF_DATABASE_URL": "postgresql://127.0.0.1:1/x",
        "SIGNOFF_DATA": str(tmp_path / "own"),
        "SLACK_BOT_TOKEN": "xoxb-own",
        "HTTP_PROXY": "http://127.0.0.1:1",
    }
    (tmp_path / ".env").write_text("SIGNOFF_APPROVERS=\n")
    done = run(tmp_path, **wrong)
    assert done.returncode == 0, done.stderr
    story = done.stdout
    assert "ana approved it, with changes: {'amount': 80," in story
    assert "Rejected, so I keep it. I am told: ana: That is production." in story
    assert "Approved and sent. To c.sommer@example.com" in story
    assert "E-mail to c.sommer@example.com: Approved by @ana" in story
    assert "lines hold; head " in story
    assert done.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_where_a_part_does_not_start_it_says_which_and_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "bin" / "redis-server"
    broken.parent.mkdir()
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=7.0.0" || exit 1\n')
    broken.chmod(0o755)
    done = run(tmp_path, PATH=f"{broken.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 1
    assert "the demo failed: the server ended with 2" in done.stderr
    assert "redis.log says why" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]
