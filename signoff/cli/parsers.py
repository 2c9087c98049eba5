"""How a command is described to argparse, and the kinds of values that several of them take."""

from __future__ import annotations

import argparse
import math
import re
import sys
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from signoff.errors import Invalid
from signoff.payload.canonical import parse

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where commands are added."""
Run = Callable[[argparse.Namespace], int]
_DURATION = re.compile(r"([0-9]{1,9})([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Help(argparse.RawDescriptionHelpFormatter):
    """Paragraphs filled to the terminal's width, at most 100; what is laid out with spaces stays as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(_filled(part, min(width, 100)) for part in text.strip("\n").split("\n\n"))


def _filled(paragraph: str, width: int) -> str:
    if "  " in paragraph:
        return paragraph
    return textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False)


def command(
    commands: Commands,
    name: str,
    run: Run,
    help: str,
    *,
    common: argparse.ArgumentParser | None,
    epilog: str = "",
) -> argparse.ArgumentParser:
    """Add one command; `help` is its line in the list, and its description."""
    parser = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=epilog,
        parents=[common] if common else [],
        formatter_class=Help,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, command=parser.prog.partition(" ")[2])
    return parser


def group(commands: Commands, name: str, help: str) -> Commands:
    """A command that only has commands of its own; without one of them it prints its help."""
    parser = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.set_defaults(run=partial(print_help, parser, 2))
    found: Commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    return found


def print_help(parser: argparse.ArgumentParser, code: int, _: argparse.Namespace) -> int:
    """What runs where no command was named."""
    parser.print_help()
    return code


def duration(text: str) -> int:
    """`90`, `90s`, `10m`, `2h`, `1d` → seconds."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 90, 90s, 10m, 2h or 1d")
    return int(found[1]) * _SECONDS[found[2]]


def number(text: str) -> float:
    """A number, without a unit."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError(f"{text!r} is no number: write it without a unit, such as 12.5")
    return found


def names(text: str) -> list[str]:
    """`a,b` → its names."""
    return [name.strip() for name in text.split(",") if name.strip()]


def json_value(option: str, source: str) -> Any:
    """JSON text, `@file`, or `-` for stdin → values, read strictly; raises Invalid, naming the option."""
    try:
        return parse(_read(source))
    except Invalid as error:
        raise Invalid(f"{option}: {error.detail}") from None
    except OSError as error:
        raise Invalid(f"{option}: {source[1:]} cannot be read: {error.strerror}.") from None


def _read(source: str) -> str | bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    if source.startswith("@"):
        return Path(source[1:]).read_bytes()
    return source
