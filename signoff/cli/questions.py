"""Questions to whoever sets Signoff up: at a terminal, or answered by lines that come in."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable

from signoff.cli.doctor.patient import Fault
from signoff.cli.output import printable
from signoff.errors import ConfigError

Check = Callable[[str], tuple[str, str]]
"""An answer → the setting, and what Slack says of it; raises Fault."""


class Questions:
    """Asks, one after the other. At a terminal a wrong answer is asked for again; else it is an error."""

    def __init__(self) -> None:
        self.at_terminal = sys.stdin.isatty()

    def tell(self, text: str) -> None:
        """Say what only somebody at a terminal needs."""
        if self.at_terminal:
            print(text)

    def ask(self, name: str, prompt: str, kept: str, check: Check, *, secret: bool = False) -> str:
        """The setting of this name. An empty answer takes what is `kept`; what is `secret` is never shown.

        Raises ConfigError for a wrong answer, where nobody sits who could give another one.
        """
        while True:
            answer = self._answer(prompt, kept, secret) or kept
            try:
                setting, found = check(answer)
            except Fault as fault:
                if not self.at_terminal:
                    raise ConfigError(f"{name}: {fault.found}: {fault.fix}.") from None
                print(printable(f"  ✗ {fault.found}"), printable(f"    → {fault.fix}"), sep="\n")
                kept = kept if secret else answer
            else:
                print(printable(f"✓ {prompt}: {found}"))
                return setting

    def _answer(self, prompt: str, kept: str, secret: bool) -> str:
        if not self.at_terminal:
            return sys.stdin.readline().strip()
        shown = "the one that is there" if secret else printable(kept)
        text = f"{prompt}{f' [{shown}]' if kept else ''}: "
        try:
            return (getpass.getpass(text) if secret else input(text)).strip()
        except EOFError:
            raise KeyboardInterrupt from None
