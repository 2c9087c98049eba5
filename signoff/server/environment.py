"""Which of its environment `serve` hands on: by name, and nothing else.

All of it is from the real environment, or one of our own settings: no file sets another name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from signoff.models import crash
from signoff.queue.setting_names import NAMES

READY_FD = "SIGNOFF_READY_FD"
"""Set for a role that `serve` has started: the number of a pipe that is told when the role is ready."""
ADMIN_URL = "SIGNOFF_REDIS_ADMIN_URL"
"""Who holds it can do everything in Redis."""
ADMINS = ("intake",)
"""The roles that get it: those that have an agent switched off which floods them."""
SYSTEM = {
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TZDIR", "TMPDIR", "TEMP", "TMP", "TERM",
    "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH",
}  # fmt: skip
"""What any program may know: where things lie, and how text looks. None of these is a secret."""
PYTHON = {
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONSAFEPATH", "PYTHONPLATLIBDIR",
    "PYTHONUNBUFFERED", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONHASHSEED",
    "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONCOERCECLOCALE", "PYTHONOPTIMIZE", "PYTHONFAULTHANDLER",
    "PYTHONDEVMODE", "PYTHONMALLOC", "PYTHONTRACEMALLOC", "PYTHONNODEBUGRANGES", "PYTHONINTMAXSTRDIGITS",
}  # fmt: skip
"""What Python itself reads, but for what makes it run or read something: PYTHONSTARTUP, PYTHONINSPECT,
PYTHONBREAKPOINT, PYTHONEXECUTABLE.
"""
PLAIN = SYSTEM | PYTHON | {
    "NO_COLOR", "FORCE_COLOR", "COLUMNS", "VIRTUAL_ENV", "SIGNOFF_DATA", "XDG_DATA_HOME", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "OPENSSL_CONF", "OPENSSL_MODULES", "RES_OPTIONS", "LOCALDOMAIN",
}  # fmt: skip
PLACES = {
    "PATH", "HOME", "TZDIR", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH",
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV", "XDG_DATA_HOME",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "OPENSSL_MODULES",
}  # fmt: skip
"""Those that name places, parted by colons. What depends on the current folder is left out."""
PREFIXES = ("LC_", "MALLOC_")
PROXIES = {f"{kind}_proxy" for kind in ("http", "https", "all", "no")}
"""In either case. A proxy's URL may hold a password."""
ROLE_PREFIXES = ("PG", "KRB5", "OTEL_")
"""What PostgreSQL's library reads, and OpenTelemetry's: passwords and keys perhaps among it."""


def system(given: Mapping[str, str]) -> dict[str, str]:
    """What a program gets that is not ours: the embedded Redis."""
    return _listed(given, SYSTEM)


def plain(given: Mapping[str, str]) -> dict[str, str]:
    """What the parent of all roles gets: nothing secret."""
    return _listed(given, PLAIN)


def for_role(given: Mapping[str, str]) -> dict[str, str]:
    """What a role gets: our settings, and how to reach Slack and PostgreSQL."""
    more = {
        name: value
        for name, value in given.items()
        if name in NAMES
        or name in (crash.ENVIRONMENT, crash.FREEZE_ENVIRONMENT)
        or name.startswith(ROLE_PREFIXES)
        or name.lower() in PROXIES
    }
    return plain(given) | more


def of(role: str, given: Mapping[str, str]) -> dict[str, str]:
    """What this one role gets of what a role gets."""
    return {name: value for name, value in given.items() if name != ADMIN_URL or role in ADMINS}


def without_relative(path: str) -> str:
    """A list of folders or files, without those that depend on the current folder."""
    return os.pathsep.join(entry for entry in path.split(os.pathsep) if os.path.isabs(entry))


def _listed(given: Mapping[str, str], names: set[str]) -> dict[str, str]:
    found = {name: value for name, value in given.items() if name in names or name.startswith(PREFIXES)}
    for name in PLACES & found.keys():
        value = found.pop(name)
        kept = _preloaded(value) if name == "LD_PRELOAD" else without_relative(value)
        if kept:
            found[name] = kept
    return found


def _preloaded(value: str) -> str:
    """Libraries, parted by colons or spaces; one without a folder is looked for in the system's."""
    found = value.replace(" ", os.pathsep).split(os.pathsep)
    return os.pathsep.join(one for one in found if os.path.isabs(one) or (one and os.sep not in one))
