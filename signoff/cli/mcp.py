"""`signoff mcp`, tools by which a model asks people; and `signoff mcp gate`, in front of any MCP server."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from signoff.cli import program, surroundings
from signoff.cli.output import say
from signoff.cli.parsers import Commands, command, duration
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.adapters.mcp.upstream import Upstream

MAX_WAIT = 50
GATE = "gate"
ENDED = 1
"""The exit code where the server ended first."""
MCP_HELP = """\
An MCP server on standard input and output, for any client. A model asks before
it acts by request_approval and check_approval, for several actions at once by
request_batch and check_batch, and says what became of it by report_outcome. It
asks what it does not know by ask_person and check_answer, answers people by
answer_question, and learns by lessons and ask_feedback. approve_tool_use is
Claude Code's:

  claude mcp add signoff -- signoff mcp
  claude -p --permission-prompt-tool mcp__signoff__approve_tool_use '…'

A model can leave these tools uncalled. What it cannot pass over is
`signoff mcp gate` in front of the server that acts.

It needs pip install 'signoff[mcp]', and the settings of an agent.
"""
GATE_HELP = """\
examples:
  signoff mcp gate --name files -- npx -y @modelcontextprotocol/server-filesystem ~/work
  signoff mcp gate --name github --url https://api.example.com/mcp --header Authorization=GITHUB_AUTH

It stands where the server stood in a client's settings. Every call of a tool
is judged by the policy as SERVER.TOOL, and waits where people are to be asked;
what the policy allows runs at once, and all else passes unchanged. The server
gets the approved arguments and no others; who changed them, and why, is told
with the result. The program's environment is this one's without Signoff's
settings. All that stands after -- is the program's.

Without --name a server is called as it calls itself: name one that a rule of
the policy lets run.

exit: 0 the client has gone   1 the server has ended   2 usage, or settings
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    served = command(
        commands, "mcp", _serve, "serve MCP tools that ask for approval", common=common, epilog=MCP_HELP
    )
    served.add_argument(
        "--max-wait",
        type=duration,
        default=MAX_WAIT,
        metavar="TIME",
        help="answer `pending` after this long: less than your client's own limit (default: 50s)",
    )
    _add_wait(served, "approve_tool_use denies what nobody has decided within this time")
    below = served.add_subparsers(metavar="COMMAND", title="commands")
    gate = command(
        below,
        GATE,
        _gate,
        "ask before the calls of another MCP server's tools",
        common=common,
        epilog=GATE_HELP,
    )
    gate.add_argument("--name", metavar="NAME", help="what actions begin with (default: its own name)")
    gate.add_argument(
        "--tools",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATTERN",
        help="ask about these alone, such as 'write_*' (default: all)",
    )
    _add_wait(gate, "withdraw what nobody has decided within this time (default: until the request ends)")
    gate.add_argument("--url", metavar="URL", help="a server by streamable HTTP, in place of a program")
    gate.add_argument(
        "--header",
        action="append",
        default=[],
        metavar="NAME=VARIABLE",
        help="with --url: a header, and the environment's variable that holds its value; may be repeated",
    )
    gate.add_argument(
        "program",
        nargs=argparse.REMAINDER,  # main has taken them away before this is parsed
        metavar="-- PROGRAM [ARG …]",
        help="the server's program, and its arguments",
    )


def parted(words: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """`mcp gate … -- PROGRAM …` → what is ours, and the program; None for any other command line."""
    if [*words[:2]] != ["mcp", GATE] or "--" not in words:
        return None
    at = words.index("--")
    return [*words[:at]], [*words[at + 1 :]]


def _add_wait(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("--wait", type=duration, metavar="TIME", help=help)


def _serve(arguments: argparse.Namespace) -> int:
    import asyncio

    from signoff.adapters.mcp import server
    from signoff.client.client import AsyncSignoff

    async def run() -> None:
        async with AsyncSignoff() as client:
            client.agent  # noqa: B018  # a setting that is missing is said now
            made = server.serve(client, max_wait=arguments.max_wait, wait=arguments.wait)
            ending: list[asyncio.Future[None]] = []

            async def end() -> None:
                await server.take_back()
                os._exit(0)  # the library waits for its input to end, in a thread that nothing wakes

            _on_signals(lambda: ending.append(asyncio.ensure_future(end())))
            await made.run_stdio_async()

    asyncio.run(run())
    return 0


def _gate(arguments: argparse.Namespace) -> int:
    import asyncio

    upstream = _upstream(arguments)
    return asyncio.run(_pass_on(upstream, arguments))


async def _pass_on(upstream: Upstream, arguments: argparse.Namespace) -> int:
    import asyncio

    from signoff.adapters.mcp.gate import Gate
    from signoff.adapters.mcp.streams import Stdio, claim
    from signoff.client.client import AsyncSignoff

    async with AsyncSignoff() as client:
        client.agent  # noqa: B018  # a setting that is missing is said now
        streams = Stdio(*claim())
        gate = Gate(
            upstream, streams.write, client,
            name=arguments.name, tools=arguments.tools, wait=arguments.wait,
        )  # fmt: skip
        running = asyncio.ensure_future(gate.run(streams.lines()))
        _on_signals(running.cancel)
        left = await running
    if not left:
        say("the MCP server has ended.")
    return 0 if left else ENDED


def _on_signals(do: Callable[[], object]) -> None:
    """Have this done where the process is told to stop: what is asked about is withdrawn before it ends."""
    import asyncio

    with suppress(NotImplementedError, AttributeError):  # Windows
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, do)


def _upstream(arguments: argparse.Namespace) -> Upstream:
    from signoff.adapters.mcp.upstream import Child

    words = arguments.program or []
    if bool(words) == bool(arguments.url):
        raise ConfigError("say one server: -- and its program, or --url URL.")
    if arguments.url is None:
        if arguments.header:
            raise ConfigError("--header goes with --url.")
        return Child(words, program.environment(os.environ, {}), surroundings.umask_before)
    from signoff.adapters.mcp.remote import Remote

    return Remote(arguments.url, dict(_header(given) for given in arguments.header))


def _header(given: str) -> tuple[str, str]:
    """`NAME=VARIABLE` → a header: its value never stands on a command line, which others can read."""
    name, _, variable = given.partition("=")
    value = os.environ.get(variable)
    if not name or not variable:
        raise ConfigError("--header: write NAME=VARIABLE, the name of one that holds the value.")
    if not value:
        raise ConfigError(f"--header {name}: the environment has no {variable[:60]}.")
    return name, value
