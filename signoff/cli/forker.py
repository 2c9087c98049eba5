"""`python -m signoff.cli.forker`: the process that the roles of `signoff serve` are forked from."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module

from signoff.cli import main, preparation, roles

LOADED = (
    "signoff.server.build",
    "signoff.server.logs",
    "signoff.server.worker",
    "signoff.server.bot_role",
    "signoff.queue.bounds",
    "signoff.queue.intake",
    "signoff.server.intake_role",
    "signoff.server.web_role",
    "signoff.server.tracing",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.lifespan.off",
    "anyio._backends._asyncio",
    "signoff.models.migrate",
    "signoff.payload.asked_secrets",
    "encodings.idna",
    "encodings.unicode_escape",
    "encodings.utf_16_be",
    "sqlalchemy.dialects.sqlite.pysqlite",
)
"""What roles load when they need it, as the command line has it: here, all of it and at once."""
UNUSED = ("rich", "colorama", "better_exceptions")
"""structlog loads them where they are installed, to draw tracebacks with, which `logs` does not."""
REHEARSAL = {
    "SIGNOFF_DATABASE_URL": "sqlite://",  # in memory
    "SIGNOFF_REDIS_URL": "redis://127.0.0.1",  # nothing connects to it
    "SLACK_BOT_TOKEN": "xoxb-nobody",
    "SIGNOFF_APPROVERS": "U0NOBODY00",
    "SIGNOFF_CHANNEL": "C0NOBODY00",
}
"""Settings of a server that never runs."""
LIVES = {
    "prepare": preparation.send,
    "bot": roles.bot,
    "intake": roles.intake,
    "worker": roles.worker,
    "web": roles.web,
}


def load(more: Sequence[str] = ()) -> None:
    """Import all that a role will, and `more`."""
    left_out = dict.fromkeys(UNUSED)
    sys.modules.update(left_out)  # type: ignore[arg-type]  # what is None there cannot be imported
    try:
        import_module("structlog")
    finally:
        for name in left_out:
            sys.modules.pop(name)
    for name in (*LOADED, *more):
        import_module(name)


def warm_up() -> None:
    """Have made once what libraries make when they are first used, without touching anything outside.

    Each role would make it again, in memory of its own.
    """
    from sqlalchemy.exc import OperationalError

    from signoff.models import migrate
    from signoff.models.receipt import make_ready
    from signoff.receipts import Signer
    from signoff.server import build, settings

    make_ready()
    environment = dict(os.environ)
    os.environ.clear()
    os.environ.update(REHEARSAL, SIGNOFF_SIGNING_KEY=Signer.generate().private_text())
    try:
        server = build.build(settings.load())
    finally:
        os.environ.clear()
        os.environ.update(environment)
    migrate.current(server.engine)
    with suppress(OperationalError):  # there are no tables: it is made ready all the same
        server.store.get("")
    server.close()


def run(more: Sequence[str], number: int) -> int:
    """Load everything, and fork until `serve` closes the socket of this number; 0."""
    from signoff.server import nursery

    load(more)
    warm_up()
    with socket.socket(fileno=number) as link:
        return nursery.run(link, {name: partial(main.told, life) for name, life in LIVES.items()})


if __name__ == "__main__":
    *names, last = sys.argv[1:]
    raise SystemExit(main.told(lambda: run(names, int(last))))
