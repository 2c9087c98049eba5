"""Claude Code's hook: a process that starts, asks a real server for what the policy allows, and ends."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.stage import Stage
from bench.table import Row, verdict
from bench.timer import median, percentile

POLICY = """\
version: 1
rules:
  - name: reads
    match: {action: file.read}
    verdict: allow
"""
HOOK_MS = 150.0
"""Target of the median, of the whole process."""
WARM = 2


def run(rounds: int) -> list[Row]:
    """One line: bare Python and the hook, in turn."""
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        stage = Stage(Path(name), POLICY)
        try:
            command = ["-I", "-m", "signoff", "hook", "claude-code"]
            command += ["--env-file", str(stage.folder / "data" / "agent.env")]
            bare, ours = [], []
            for number in range(rounds + WARM):
                bare.append(_milliseconds(["-I", "-c", "pass"], b"")[0])
                took, said = _milliseconds(command, json.dumps(_event(number)).encode())
                if b'"allow"' not in said:
                    raise RuntimeError("the hook did not allow what the policy does")
                ours.append(took)
        finally:
            stage.close()
    bare, ours = bare[WARM:], ours[WARM:]
    ratio = median([one / floor for one, floor in zip(ours, bare, strict=True)])
    return [
        Row(
            "hook: what the policy allows, from its start to its end",
            f"p50 {median(ours):.0f} ms, p99 {percentile(ours, 99):.0f} ms",
            f"{median(bare):.0f} ms (bare Python)",
            f"{ratio:.1f}",
            f"p50 < {HOOK_MS:g} ms",
            verdict(median(ours) < HOOK_MS),
        )
    ]


def _event(number: int) -> dict[str, Any]:
    return {
        "session_id": "6b80dac9-98c0-4d03-82ff-46af888bedf4", "hook_event_name": "PreToolUse",
        "cwd": "/home/ana/shop", "permission_mode": "default", "tool_name": "Read",
        "tool_input": {"file_path": "/home/ana/shop/README.md"}, "tool_use_id": f"toolu_{number}",
    }  # fmt: skip


def _milliseconds(words: list[str], told: bytes) -> tuple[float, bytes]:
    start = time.perf_counter()
    ran = subprocess.run([sys.executable, *words], input=told, capture_output=True, check=True)
    return (time.perf_counter() - start) * 1000, ran.stdout
