"""Signoff is started in a folder that somebody else has filled, or with files that are not its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attacks.world import NotTried, World, held
from signoff import receipts
from signoff.models.identity import new_nonce, request_id
from signoff.models.receipt import Receipt
from signoff.payload.canonical import canonical, digest
from signoff.receipts import Signer

MODULES = (
    "sitecustomize", "usercustomize", "argparse", "typing", "json", "sqlite3", "socket", "logging", "redis",
    "hiredis", "yaml", "rq", "jwt", "rfc8785", "slack_sdk", "sqlmodel", "sqlalchemy", "pydantic", "structlog",
)  # fmt: skip
PROGRAMS = ("redis-server", "valkey-server", "python", "python3", "sh", "git")


@contextmanager
def _hostile(world: World, name: str) -> Iterator[tuple[Path, Signer, socket.socket]]:
    """Such a folder, with the attacker's key and where he listens; whatever runs there leaves `ran`."""
    folder, key = world.folder / name, Signer.generate()
    (folder / "signoff").mkdir(parents=True)
    code = f"import os\nopen({str(folder / 'ran')!r}, 'w').close()\nos._exit(66)\n"
    for module in (*MODULES, "signoff/__init__"):
        (folder / f"{module}.py").write_text(code)
    for program in PROGRAMS:
        (folder / program).write_text(f"#!/bin/sh\n: > {folder / 'ran'}\nexit 66\n")
        (folder / program).chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as calls:
        calls.setblocking(False)
        port = calls.getsockname()[1]
        settings = {
            "SIGNOFF_DATA": folder / "data", "SIGNOFF_REDIS_URL": f"redis://127.0.0.1:{port}/0",
            "SIGNOFF_VERIFY_KEY": key.verify_key, "SIGNOFF_SIGNING_KEY": key.private_text(),
            "SLACK_API_URL": f"http://127.0.0.1:{port}/api/", "SIGNOFF_APPROVERS": "members",
            "PYTHONPATH": folder, "LD_PRELOAD": folder / "evil.so", "PATH": folder,
        }  # fmt: skip
        text = "".join(f"{name}={value}\n" for name, value in settings.items())
        for file in (".env", "server.env", "agent.env"):
            (folder / file).write_text(text)
        yield folder, key, calls


def _signoff(world: World, folder: Path, *arguments: str, **more: str) -> tuple[int, str]:
    """As people start it there: by its own program, with a careless PATH."""
    program = Path(sys.executable).with_name("signoff")
    if not program.exists():
        raise NotTried("the program `signoff` is not installed beside this Python")
    dropped = ("SIGNOFF_", "SLACK_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    kept |= {"SIGNOFF_DATA": str(world.data), "PATH": os.pathsep.join(["", ".", kept.get("PATH", ""), "."])}
    run = subprocess.run(
        [str(program), *arguments], cwd=folder, env=kept | more, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr


def _forged(key: Signer) -> str:
    """A receipt without a fault, but for the attacker's key."""
    now, sent, nonce = datetime.now(UTC), digest(canonical({})), new_nonce()
    return receipts.sign(
        key,
        Receipt(
            id=str(request_id("approval", "local", "refund.forged", sent, nonce)), agent="local", version=1,
            action="refund.forged", status="approved", digest_sent=sent, digest=sent, jti=receipts.new_jti(),
            nonce=nonce, issued_at=now, not_after=now + timedelta(hours=1), policy="p",
        ),
    )  # fmt: skip


def _nobody_fell_for_it(folder: Path, calls: socket.socket) -> None:
    held(not (folder / "ran").exists(), "a program or a module of that folder was run")
    try:
        calls.accept()
    except BlockingIOError:
        return
    held(False, "somebody called at the attacker's")


def a_receipt_of_the_folders_own_key_verifies(world: World) -> None:
    """`.env` with the attacker's verify key, and a receipt that his key has signed."""
    with _hostile(world, "verify") as (folder, key, calls):
        what = ("--agent", "local", "--action", "refund.forged", "--payload", "{}")
        code, told = _signoff(world, folder, "verify", _forged(key), *what)
        _nobody_fell_for_it(folder, calls)
        held(code == 8, f"{code}: {told}")


def a_request_goes_to_the_folders_own_server(world: World) -> None:
    """`.env` with the attacker's Redis, Slack and data folder: requests and keys are one's own."""
    with _hostile(world, "request") as (folder, key, calls):
        code, told = _signoff(world, folder, "keys", "public")
        held(code == 0 and key.verify_key not in told and world.verify_key in told, f"{code}: {told}")
        asked = ("request", "free.there", "--payload", "{}", "--reversible")
        code, told = _signoff(world, folder, *asked)
        _nobody_fell_for_it(folder, calls)
        held(code in (0, 6), f"{code}: {told}")


def a_named_file_sets_what_is_none_of_ours(world: World) -> None:
    """PYTHONPATH, LD_PRELOAD and PATH in a file that is named with --env-file."""
    with _hostile(world, "named") as (folder, _, calls):
        file = folder / "named.env"
        file.write_text(f"PYTHONPATH={folder}\nLD_PRELOAD={folder}/evil.so\nPATH={folder}\n")
        code, told = _signoff(world, folder, "keys", "public", "--env-file", str(file))
        _nobody_fell_for_it(folder, calls)
        held(code == 0 and "passed over" in told and "preload" not in told, f"{code}: {told}")


def a_key_is_planted_where_everybody_may_write(world: World) -> None:
    """A data folder of mode 0777, a key of mode 0666: nothing is taken from there."""
    folder = world.folder / "planted"
    folder.mkdir(mode=0o700)
    (folder / "signing.key").write_text(Signer.generate().private_text())
    for folder_mode, key_mode, command in (
        (0o777, 0o600, "keys public"), (0o700, 0o666, "keys public"), (0o770, 0o600, "serve"),
        (0o700, 0o622, "serve"),
    ):  # fmt: skip
        (folder / "signing.key").chmod(key_mode)
        folder.chmod(folder_mode)
        code, told = _signoff(world, world.folder, *command.split(), SIGNOFF_DATA=str(folder))
        held(code == 2, f"{folder_mode:o}, {key_mode:o}: {command}: {code}, {told}")


def tokens_are_sent_to_another_host(world: World) -> None:
    """SLACK_API_URL without https, and with names that only look like this machine."""
    tokens = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SIGNOFF_APPROVERS": "U0ANA00001"}
    data = world.folder / "own"
    data.mkdir(mode=0o700, exist_ok=True)
    for url in (
        "http://evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://localhost.evil.example/api/",
    ):
        code, told = _signoff(
            world, world.folder, "serve", SLACK_API_URL=url, SIGNOFF_CHANNEL="C0APPROVE1",
            SIGNOFF_DATA=str(data), **tokens,
        )  # fmt: skip
        held(code == 2, f"{url}: {code}, {told}")


def a_data_folder_is_where_one_stands(world: World) -> None:
    """`SIGNOFF_DATA=data` and `SIGNOFF_DATA=.` in a folder that has been filled."""
    with _hostile(world, "relative") as (folder, key, _):
        (folder / "data").mkdir(mode=0o700)
        shutil.copy(folder / "agent.env", folder / "data" / "agent.env")
        for data in ("data", "."):
            code, told = _signoff(world, folder, "env", SIGNOFF_DATA=data)
            held(code == 2 and key.verify_key not in told, f"{data}: {code}, {told}")


def files_that_others_may_read(world: World) -> None:
    """Modes of all that the server has written: the database, keys, logs, sockets."""
    others = [
        path
        for path in (world.data, *world.data.rglob("*"))
        if not path.is_symlink() and path.stat().st_mode & 0o077
    ]
    held(not others, f"{json.dumps([str(path) for path in others])}")
