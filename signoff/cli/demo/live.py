"""`signoff demo`: a Slack in the browser with the real server behind it; agents ask, and you decide."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from signoff.cli.demo import browser
from signoff.cli.demo.claim import claimed
from signoff.cli.demo.stage import Failed, Stage, free_port
from signoff.cli.demo.troupe import Troupe
from signoff.queue.data_folder import data_folder, write_private
from signoff.queue.neighbours import DEMO

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STORY = """\
Signoff's demo: {url}/

  A Slack on this machine: five agents ask in #agent-approvals, and you decide.
  Once all are decided, one of them asks again now and then.

  Ask something yourself, from another terminal:

    {ask}

  Who is asked about what: {policy}
  (change it; it counts at once). Everything else, logs too: {folder}
  Ctrl-C ends the demo; the next start goes on where it was.
  To start anew: {signoff} demo --reset

  How each of their requests ends:
"""


class _Stop(BaseException):
    """Somebody ends the demo."""


def folder() -> Path:
    """Where the demo keeps everything: `demo` in the data folder."""
    return (data_folder() / DEMO).absolute()


def reset() -> int:
    """Clear all that a demo has left; raises ConfigError while one is running."""
    if not folder().exists():
        print(f"There is nothing to clear: {folder()} is not there.")
        return 0
    with claimed(folder()) as claim:
        claim.clear()
    print(f"{folder()} is cleared.")
    return 0


def run(*, open_browser: bool) -> int:
    """Play until Ctrl-C, SIGTERM or a closed terminal; 0 then, and 1 where a part failed.

    Raises ConfigError while another demo is running.
    """
    for number in SIGNALS:
        signal.signal(number, _stop)
    try:
        with claimed(folder()) as claim:
            stage = Stage(folder())
            try:
                stage.open(free_port(), "--state", str(stage.folder / "slack.json"))
                claim.tell(f"{stage.url}/")
                _play(stage, open_browser=open_browser)
            except (Failed, OSError) as error:
                print(f"signoff: the demo failed: {error}.", file=sys.stderr)
                print(stage.tail(), file=sys.stderr)
                return 1
            finally:
                _ignore_signals()
                stage.close()
    except _Stop:
        return 0


def _play(stage: Stage, *, open_browser: bool) -> NoReturn:
    ask = _lines(_signoff(), "request", *_request(stage))
    said = STORY.format(
        url=stage.url, ask=ask, policy=stage.policy, folder=stage.folder, signoff=shlex.quote(_signoff())
    )
    print(said, flush=True)
    troupe = Troupe(stage, lambda name, line: print(f"  {name}: {line}", flush=True))
    try:
        troupe.look()
        if open_browser and browser.has_browser():
            browser.open_link(f"{stage.url}/")
        while True:
            troupe.look()
            stage.check()
    finally:
        troupe.close()


def _request(stage: Stage) -> list[str]:
    """What follows `signoff request` in a shell: settings of its own, so that no others get in its way."""
    settings = stage.folder / "shell.env"
    mine = "".join(f"{name}={value}\n" for name, value in stage.agent("my-shell").items())
    write_private(settings, mine)
    payload = '{"month": "2026-10"}'
    ask = ["report.publish", "--payload", payload, "--reason", "From my shell", "--reversible", "--wait"]
    return [*ask, "--env-file", str(settings)]


def _lines(program: str, command: str, action: str, *options: str) -> str:
    """A command for a shell, an option a line."""
    lines = [shlex.join([program, command, action])]
    for option in options:
        if option.startswith("--"):
            lines.append(option)
        else:
            lines[-1] += f" {shlex.quote(option)}"
    return " \\\n      ".join(lines)


def _signoff() -> str:
    """How this program is called from any folder: by its name where that is this one, else by its path."""
    own = Path(sys.argv[0]).absolute()
    found = shutil.which("signoff")
    if found and Path(found).absolute() == own:
        return "signoff"
    beside = Path(sys.executable).with_name("signoff")
    return str(own if own.name == "signoff" else beside)


def _stop(number: int, frame: FrameType | None) -> None:
    _ignore_signals()
    raise _Stop


def _ignore_signals() -> None:
    """A second Ctrl-C must not interrupt the clearing away."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
