"""`signoff hook`: Claude Code asks before its tools run; putting that into its settings, and out again."""

from __future__ import annotations

import argparse
import os
import shlex
import site
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from signoff.cli import claude_settings
from signoff.cli.output import printable, say
from signoff.cli.parsers import Commands, command, group
from signoff.errors import ConfigError

ENV_FILE = "claude-code.env"
"""In the data folder: the settings that were in the environment when the hook was installed."""
MARGIN_SECONDS = 3600
LOOPBACK = ("localhost", "127.0.0.1", "::1")
RUN_EPILOG = """\
Claude Code starts it, with an event on its standard input: PreToolUse or PermissionRequest, which it
answers; PostToolUse or PostToolUseFailure, which tell what became of a call. What the policy decides at once
is answered at once; else it waits for a person. It ends with 0 and an answer, or with 2, which denies.
"""
INSTALL_EPILOG = """\
Writes hooks into ~/.claude/settings.json (--user, the default) or ./.claude/settings.json (--project), keeps
all else that stands there, and says what it wrote. The hook gets its settings from a file of yours, and none
from the environment, which a project can set.
"""
FOR_HTTP = (
    "Claude Code reads the token from SIGNOFF_TOKEN: `signoff agent token NAME --scope hook` makes one."
)


def add(commands: Commands, _: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    hooks = group(commands, "hook", "have Claude Code ask before its tools run")
    run = command(
        hooks, "claude-code", _run, "the hook itself: answers one event", common=None, epilog=RUN_EPILOG
    )
    _add_options(run)
    run.add_argument(
        "--after", action="store_true", help="it is only told what became of a call: no fault stops anything"
    )
    install = command(
        hooks, "install", _install, "write the hook into Claude Code's settings", common=None,
        epilog=INSTALL_EPILOG,
    )  # fmt: skip
    _add_place(install)
    _add_options(install)
    install.add_argument(
        "--matcher",
        default="*",
        metavar="TOOLS",
        help='whose calls are asked about: "Bash|Write" (default: *, all)',
    )
    install.add_argument(
        "--prompts", action="store_true",
        help="ask only where Claude Code would have asked at the terminal (its event PermissionRequest)",
    )  # fmt: skip
    install.add_argument(
        "--http", metavar="URL", help="of a server's `signoff web`: no program is started then"
    )
    uninstall = command(
        hooks, "uninstall", _uninstall, "take the hook out of Claude Code's settings", common=None
    )
    _add_place(uninstall)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--env-file", metavar="FILE",
        help="settings, an absolute path; with it nothing of the environment counts",
    )  # fmt: skip
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=_seconds,
        help="how long a person has (default: as long as the hook may wait)",
    )
    parser.add_argument(
        "--defer", action="store_true",
        help="what is undecided then ends the run, to be resumed (claude -p); else it is denied",
    )  # fmt: skip


def _add_place(parser: argparse.ArgumentParser) -> None:
    places = parser.add_mutually_exclusive_group()
    places.add_argument("--user", action="store_true", help="in all of this user's projects (the default)")
    places.add_argument("--project", action="store_true", help="in the project of the current folder")


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no count of seconds")
    return found


def _run(arguments: argparse.Namespace) -> int:
    from signoff.adapters.claude_code.hook import main

    return main(_words(arguments) + (["--after"] if arguments.after else []))


def _words(arguments: argparse.Namespace, env_file: str | None = None) -> list[str]:
    """The hook's own options, as words."""
    named = env_file or arguments.env_file
    words = ["--env-file", named] if named else []
    words += ["--wait", f"{arguments.wait:g}"] if arguments.wait is not None else []
    return words + (["--defer"] if arguments.defer else [])


def _check(arguments: argparse.Namespace) -> None:
    """Raise ConfigError for options that together could never do what they say."""
    if arguments.wait is not None and arguments.wait > claude_settings.ASK_SECONDS - MARGIN_SECONDS:
        raise ConfigError("--wait: 20 days are the most that Claude Code waits for a hook.")
    if arguments.prompts and arguments.defer:
        raise ConfigError("--defer has no meaning with --prompts: no prompt can be put off.")


def _install(arguments: argparse.Namespace) -> int:
    _check(arguments)
    path = claude_settings.file(arguments.project)
    before = claude_settings.read(path)
    if arguments.http:
        hook = claude_settings.by_http(_checked_url(arguments.http) + _query(arguments))
    else:
        hook = claude_settings.by_command(
            shlex.join([*_program(), *_words(arguments, str(_env_file(arguments)))])
        )
    asking = "PermissionRequest" if arguments.prompts else "PreToolUse"
    ours = claude_settings.events(hook, asking, arguments.matcher)
    after = claude_settings.with_ours(before, ours)
    if after == before:
        say(f"{printable(str(path))} has it already; nothing was changed.")
        return 0
    claude_settings.write(path, after)
    _tell(path, ours)
    other = claude_settings.file(not arguments.project)
    if claude_settings.has_ours(other):
        say(f"{printable(str(other))} has one, too: take one of them out, or one denies what the other asks.")
    if arguments.http:
        say(FOR_HTTP)
    return 0


def _uninstall(arguments: argparse.Namespace) -> int:
    path = claude_settings.file(arguments.project)
    before = claude_settings.read(path)
    after = claude_settings.without_ours(before)
    if after == before:
        say(f"{printable(str(path))} has no hook of Signoff's; nothing was changed.")
        return 0
    claude_settings.write(path, after)
    say(f"taken out of {printable(str(path))}. Sessions that run go on with it until they end.")
    return 0


def _tell(path: Path, ours: dict[str, dict[str, Any]]) -> None:
    say(f"written into {printable(str(path))}:")
    for event, entry in ours.items():
        (hook,) = entry["hooks"]
        what = hook.get("command") or hook["url"]
        how = f"at most {hook['timeout']} s{', and a failure blocks' if 'onFailure' in hook else ''}"
        say(f"  {event} of {printable(entry['matcher'])}: {printable(what)} ({how})")
    say("Sessions of Claude Code that start from now on ask.")


def _program() -> list[str]:
    """How the hook is started: this Python, by its path, obeying nothing that a project can set for it."""
    own = Path(site.getusersitepackages()) in Path(__file__).resolve().parents
    isolated = ["-E", "-P"] if own else ["-I"]  # which finds nothing that this user alone has installed
    return [sys.executable, *isolated, "-m", "signoff", "hook", "claude-code"]


def _env_file(arguments: argparse.Namespace) -> Path:
    """The file that the hook is to read; raises ConfigError where there is nothing to put into one."""
    from signoff.adapters.claude_code.settings import private_settings
    from signoff.client.settings import load_settings
    from signoff.queue import data_folder, neighbours, setting_names

    if arguments.env_file:
        path = Path(arguments.env_file).absolute()
        private_settings(path)
        return path
    load_settings()  # says what is missing, and what to do
    said = {name: os.environ[name] for name in setting_names.AGENTS if os.environ.get(name)}
    said.pop("SIGNOFF_DATA", None)
    if "SIGNOFF_REDIS_URL" not in said:
        path = data_folder.agent_file()
        return path if path.exists() else neighbours.demo_file()
    path = data_folder.data_folder() / ENV_FILE
    data_folder.write_private(path, "".join(f"{name}={value}\n" for name, value in said.items()))
    private_settings(path)
    return path


def _query(arguments: argparse.Namespace) -> str:
    """What is said to the server with each call; raises ConfigError for what only a program could do."""
    if arguments.env_file or (arguments.wait is not None and not arguments.defer):
        raise ConfigError(
            "--http starts no program: --env-file has no meaning with it, nor --wait without --defer."
        )
    return f"?defer={arguments.wait or 0:g}" if arguments.defer else ""


def _checked_url(url: str) -> str:
    """Where the http hook is asked, from what was given of it; raises ConfigError."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or parts.username or parts.query or parts.fragment:
        raise ConfigError("--http takes the URL of `signoff web`, such as https://signoff.example.com.")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ConfigError("--http: over http:// anybody on the way reads the token; use https://.")
    path = parts.path.rstrip("/").removesuffix(claude_settings.HTTP_PATH)
    return f"{parts.scheme}://{parts.netloc}{path}{claude_settings.HTTP_PATH}"
