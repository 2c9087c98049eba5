"""`python -m signoff.cli.forker`: the process that the roles of `signoff serve` are forked from."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
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
    "uvicorn.protocols.http.httptools_impl",
    "anyio._backends._asyncio",
    "signoff.models.migrate",
    "jwt",
    "cryptography.hazmat.primitives.serialization.ssh",
    "encodings.idna",
    "encodings.utf_16_be",
    "sqlalchemy.dialects.sqlite.pysqlite",
)
"""What roles load when they need it, as the command line has it: here, all of it and at once."""
LIVES = {
    "prepare": preparation.send,
    "bot": roles.bot,
    "intake": roles.intake,
    "worker": roles.worker,
    "web": roles.web,
}


def load(more: Sequence[str] = ()) -> None:
    """Import all that a role will, and `more`."""
    for name in (*LOADED, *more):
        import_module(name)


def warm_up() -> None:
    """Have made once what libraries make when they are first used, without touching anything outside."""
    from signoff.models import migrate
    from signoff.models.engine import open_engine
    from signoff.receipts import Signer

    Signer.generate()
    engine = open_engine("sqlite://")  # in memory
    migrate.current(engine)
    engine.dispose()


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
