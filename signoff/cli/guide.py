"""`signoff help` and `signoff completion`: what there is to say, for people and for their shells."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial

from signoff.cli.parsers import Commands, command
from signoff.errors import ConfigError

COMMAND = "COMMAND"
SHELLS = ("bash", "zsh", "fish")
COMPLETION_EPILOG = """\
Once, in a folder that the shell looks through, and from the next shell on:
  signoff completion bash > ~/.local/share/bash-completion/completions/signoff
  signoff completion zsh > ~/.zfunc/_signoff    (and in .zshrc, before compinit: fpath+=~/.zfunc)
  signoff completion fish > ~/.config/fish/completions/signoff.fish

Or for this shell alone:
  eval "$(signoff completion bash)"
"""


def add(commands: Commands, parser: argparse.ArgumentParser) -> None:
    """Describe the commands; `parser` is the whole command line's."""
    asked = command(
        commands, "help", partial(_help, parser), "explain a command, or list them all", common=None
    )
    asked.add_argument("name", nargs="*", metavar=COMMAND, help="such as request, or agent add")
    completion = command(
        commands, "completion", partial(_completion, parser), "print what has a shell complete commands",
        common=None, epilog=COMPLETION_EPILOG,
    )  # fmt: skip
    completion.add_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish")


def slip(parser: argparse.ArgumentParser, words: Sequence[str]) -> str:
    """What to say of a command that there is not; empty where there is, or where none stands first."""
    for name in words:
        below = _below(parser)
        if not below or name.startswith("-"):
            return ""
        if name not in below:
            return f"there is no command {name[:60]}{_meant(name, below)}"
        parser = below[name]
    return ""


def _help(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    if said := slip(parser, arguments.name):
        raise ConfigError(said)
    for name in arguments.name:
        if name not in _below(parser):
            raise ConfigError(
                f"there is nothing more to say of {name[:60]}: `signoff help` lists all commands."
            )
        parser = _below(parser)[name]
    parser.print_help()
    return 0


def _completion(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    import shtab

    for action in _actions(parser):
        said = str(action.metavar or "")
        if "FILE" in said or "FOLDER" in said:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif said == COMMAND and action.nargs == "*":
            action.choices = list(_below(parser))
    print(shtab.complete(parser, arguments.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """All options and arguments, of this command and of those below it."""
    found = list(parser._actions)
    for below in _below(parser).values():
        found += _actions(below)
    return found


def _below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """A command's own commands, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _meant(name: str, known: dict[str, argparse.ArgumentParser]) -> str:
    near = get_close_matches(name, known, 1)
    return f": did you mean {near[0]}?" if near else ": `signoff help` lists them."
