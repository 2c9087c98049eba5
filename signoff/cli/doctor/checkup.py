"""The order of the checks, and which of them an earlier fault makes pointless."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from signoff.cli.doctor import backends, deciders, hooks, local, rights, stopped, workspace
from signoff.cli.doctor.patient import Fault, Note, Patient, Skip
from signoff.errors import ConfigError

Status = Literal["ok", "noted", "failed", "skipped"]


@dataclass(frozen=True)
class Check:
    """What one check found; `fix` says what to do where it failed, or what to do about what it noted."""

    name: str
    status: Status
    found: str
    fix: str = ""


CHECKS: tuple[tuple[str, Callable[[Patient], str], tuple[str, ...]], ...] = (
    ("settings", local.settings, ()),
    ("names", local.names, ()),
    ("folder", local.folder, ()),
    ("tokens", workspace.tokens, ()),
    ("calls", workspace.calls, ()),
    ("scopes", workspace.scopes, ("tokens",)),
    ("channel", workspace.channel, ("settings", "scopes")),
    ("approvers", workspace.approvers, ("settings", "scopes")),
    ("redis", backends.redis_server, ()),
    ("users", rights.users, ("redis",)),
    ("database", backends.database, ()),
    ("deciders", deciders.deciders, ("settings", "scopes", "database")),
    ("keys", local.keys, ()),
    ("clock", backends.clock, ("redis", "database")),
    ("roles", backends.roles_alive, ("redis",)),
    ("queues", backends.queues, ("redis",)),
    ("webhooks", hooks.hooks, ("database",)),
    ("stops", stopped.stops, ("database",)),
)
"""Name, check, and the checks that have to have passed before it can say anything."""


def examine(clock: Callable[[], float] = time.time) -> list[Check]:
    """Run every check; `clock` is this machine's, in seconds since 1970."""
    patient, done = Patient(clock), dict[str, Check]()
    try:
        for name, check, after in CHECKS:
            done[name] = _one(name, check, patient, [done[other] for other in after])
    finally:
        patient.close()
    return list(done.values())


def _one(name: str, check: Callable[[Patient], str], patient: Patient, before: list[Check]) -> Check:
    missing = [other.name for other in before if other.status not in ("ok", "noted")]
    if missing:
        return Check(name, "skipped", f"cannot be checked before {' and '.join(missing)}")
    try:
        return Check(name, "ok", check(patient))
    except Fault as fault:
        return Check(name, "failed", fault.found, fault.fix)
    except Note as note:
        return Check(name, "noted", note.found, note.fix)
    except Skip as skip:
        return Check(name, "skipped", str(skip))
    except ConfigError:  # what the settings or the data folder say cannot be used: their checks have said so
        return Check(name, "skipped", "cannot be checked before settings and folder")
