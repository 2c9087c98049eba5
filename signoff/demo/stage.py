"""Sets everything up in a temporary folder, has the agent and the reviewer play, and clears it away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

from signoff import child
from signoff.config import read_env_file
from signoff.demo.reviewer import Reviewer, Unexpected

START_SECONDS = 60.0
STOP_SECONDS = 15.0
_OURS = ("SIGNOFF_", "SLACK_")


class _Failed(Exception):
    """One of the parts did not do its part."""


def run() -> int:
    """Play it once; 0 when all went as told, else 1. Nothing is left running or lying about."""
    children: list[subprocess.Popen[bytes]] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that all is cleared away
    with tempfile.TemporaryDirectory(prefix="signoff-demo-") as name:
        folder = Path(name)
        try:
            _play(folder, children)
            return 0
        except (_Failed, Unexpected, URLError, OSError) as error:
            print(f"signoff: the demo failed: {error}.", file=sys.stderr)
            print(_tail(folder / "log"), file=sys.stderr)
            return 1
        finally:
            for process in reversed(children):  # the server before the stand-in that it talks to
                child.stop([process], STOP_SECONDS)


def _play(folder: Path, children: list[subprocess.Popen[bytes]]) -> None:
    settings, said = folder / "slack.env", folder / "said"
    environment = _environment(folder)

    def start(*arguments: str, module: str = "signoff", aloud: bool = False) -> subprocess.Popen[bytes]:
        with said.open("ab") as out, (folder / "log").open("ab") as log:
            process = child.start(
                child.python(module, *arguments),
                env=environment,
                cwd=folder,
                stdout=None if aloud else out,
                stderr=log,
            )
        children.append(process)
        return process

    _tell("Slack's stand-in, a Redis, the database and Signoff's server start on this machine")
    stand_in = start("sandbox", "--port", "0", "--env-file", str(settings))
    _until(stand_in, "the stand-in", settings.exists)
    server = start("serve", "--env-file", str(settings))
    _until(server, "the server", lambda: b"Signoff is ready" in said.read_bytes())
    slack = read_env_file(settings)
    url = slack["SLACK_API_URL"].removesuffix("/api/")
    ana = slack["SIGNOFF_APPROVERS"].split(",")[0]
    reviewer = Reviewer(url, ana, "ana", slack["SIGNOFF_CHANNEL"])
    agent = start(module="signoff.demo.agent", aloud=True)
    reviewer.work()
    if agent.wait(START_SECONDS) != 0:
        raise _Failed(f"the agent ended with {agent.returncode}")
    for line in reviewer.read():
        print(f"card       {line}")
    _tell("every step is in the audit log:")
    sys.stdout.flush()
    if start("audit", "verify", aloud=True).wait(START_SECONDS) != 0:
        raise _Failed("the audit log does not verify")


def _environment(folder: Path) -> dict[str, str]:
    """This process's, without any settings of ours and without a proxy: all is on this machine."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) and not name.lower().endswith("_proxy")
    }
    kept |= {"SIGNOFF_DATA": str(folder / "data"), "PYTHONWARNINGS": "ignore"}
    if os.getcwd() in sys.path:  # Signoff is run from its source, and the children run elsewhere
        source = Path(__file__).parents[2]
        kept["PYTHONPATH"] = os.pathsep.join([str(source), *filter(None, [kept.get("PYTHONPATH")])])
    return kept


def _until(process: subprocess.Popen[bytes], what: str, check: Callable[[], bool]) -> None:
    give_up = time.monotonic() + START_SECONDS
    while not check():
        if process.poll() is not None:
            raise _Failed(f"{what} ended with {process.returncode}")
        if time.monotonic() > give_up:
            raise _Failed(f"{what} was not ready within {START_SECONDS:g} s")
        time.sleep(0.05)


def _tail(log: Path, lines: int = 20) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


def _tell(line: str) -> None:
    print(f"demo       {line}", flush=True)
