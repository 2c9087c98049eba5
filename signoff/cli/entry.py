"""Where `signoff` begins. A hook starts for every call of a tool: other commands are not loaded for it."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> int:
    """Run the command that the command line names; gives its exit code."""
    words = sys.argv[1:]
    if words[:2] != ["hook", "claude-code"] or {"-h", "--help"} & set(words):
        from signoff.cli.main import main as other

        return other()
    code = 0 if "--after" in words else 2  # what has run is not told as not run
    try:
        from signoff.adapters.claude_code.hook import main as hook

        code = hook(words[2:])
    except BaseException:
        if code:
            sys.stderr.write("The tool was not run: Signoff's hook cannot start.\n")
    finally:
        # Whatever happens now would change what was answered: no signal is listened to, and no more of Python
        # is run. One that comes before that is in force ends nothing, either.
        while True:
            try:
                _end(code)
            except BaseException:
                code = 2


def _end(code: int) -> NoReturn:
    import signal

    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGALRM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            code = 2
    os._exit(code)
