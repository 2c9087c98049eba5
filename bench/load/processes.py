"""The server's processes while they are under load: their memory, and their sudden ends."""

from __future__ import annotations

import csv
import os
import random
import signal
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from threading import Event

from bench.stage import Stage

FORKER = "signoff.cli.forker"
NAMED = ("bot", "intake", "worker", "web", "serve", "sandbox")
SAMPLE_SECONDS = 10.0
KILL_PAUSE = 20.0
"""How long the rig leaves two of three dead. `signoff serve` starts its own again sooner."""


def all_of(parent: int) -> dict[int, str]:
    """Every descendant of a process: its id → its role, `redis`, or what it runs."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
    found = {}
    for process_id in parents:
        above = process_id
        while above in parents and above != parent:
            above = parents[above]
        if above == parent and process_id != parent:
            with suppress(OSError):
                words = Path(f"/proc/{process_id}/cmdline").read_bytes().decode().split("\0")
                if FORKER in words:
                    found[process_id] = "forker"
                elif "signoff" in words:
                    found[process_id] = next((name for name in NAMED if name in words), "other")
                elif "server" in words[0]:
                    found[process_id] = "redis"
    return found


def pss(process_id: int) -> int:
    """Bytes of memory: its own, and its share of what it has with others; 0 of one that is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def cpu(process_id: int) -> float:
    """Seconds of processor time so far; 0 of one that is gone."""
    with suppress(OSError):
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


class Memory:
    """Samples every process each 10 s into a CSV: seconds, role, id, bytes, seconds of processor time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.samples: dict[tuple[str, int], list[tuple[float, int]]] = defaultdict(list)
        self._cpu: dict[tuple[str, int], list[float]] = defaultdict(list)

    def run(self, stop: Event) -> None:
        """Until `stop` is set."""
        started = time.monotonic()
        with self._path.open("w", newline="") as file:
            sheet = csv.writer(file)
            sheet.writerow(("seconds", "role", "process", "pss", "cpu"))
            while not stop.wait(SAMPLE_SECONDS):
                at = time.monotonic() - started
                for process_id, role in all_of(os.getpid()).items():
                    size, used = pss(process_id), cpu(process_id)
                    if size:
                        self.samples[role, process_id].append((at, size))
                        self._cpu[role, process_id].append(used)
                        sheet.writerow((f"{at:.0f}", role, process_id, size, used))
                file.flush()

    def cpu(self) -> dict[str, float]:
        """Seconds of processor time by role, between the first sample and the last."""
        found: dict[str, float] = defaultdict(float)
        for (role, _), used in self._cpu.items():
            found[role] += used[-1] - used[0]
        return found

    def slopes(self) -> list[tuple[str, float, float, float]]:
        """(role, MB at first, MB at last, MB an hour), of what ran for most of the time.

        The slope is least squares over the second half, when caches are warm.
        """
        longest = max((len(found) for found in self.samples.values()), default=0)
        return [
            (role, found[0][1] / 2**20, found[-1][1] / 2**20, slope(found[len(found) // 2 :]))
            for (role, _), found in sorted(self.samples.items())
            if len(found) > 0.9 * longest
        ]


def slope(points: list[tuple[float, int]]) -> float:
    """Least squares; MB an hour of (seconds, bytes)."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if not spread:
        return 0.0
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread * 3600 / 2**20


class Killer:
    """Kills two of three bots, then two of three workers, over and over; starts what serve does not."""

    def __init__(self, stage: Stage, every: float) -> None:
        self._stage, self._every = stage, every
        self.kills = 0

    def run(self, stop: Event) -> None:
        """Until `stop` is set; then as many run as at the start."""
        roles = ("bot", "worker")
        turn = 0
        while not stop.wait(self._every):
            role = roles[turn % 2]
            turn += 1
            alive = [process_id for process_id, name in all_of(os.getpid()).items() if name == role]
            for process_id in random.sample(alive, min(2, len(alive))):
                with suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)
                    self.kills += 1
            stop.wait(KILL_PAUSE)
            found = list(all_of(os.getpid()).values()).count(role)
            for _ in range(3 - found):
                self._stage.another(role)
