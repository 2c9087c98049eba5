"""Where `signoff` begins. A hook starts for every call of a tool: other commands are not loaded for it."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command that the command line names; gives its exit code."""
    words = sys.argv[1:]
    if words[:2] != ["hook", "claude-code"] or {"-h", "--help"} & set(words):
        from signoff.cli.main import main as other

        return other()
    code = 2
    try:
        from signoff.adapters.claude_code.hook import main as hook

        code = hook(words[2:])
    except BaseException:
        sys.stderr.write("The tool was not run: Signoff's hook cannot start.\n")
    finally:
        # Whatever happens now would change what was answered: no more of Python is run.
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                code = 2
        os._exit(code)
