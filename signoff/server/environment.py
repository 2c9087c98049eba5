"""Which of its environment `serve` hands on: by name, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

READY_FD = "SIGNOFF_READY_FD"
"""Set for a role that `serve` has started: the number of a pipe that is told when the role is ready."""
ADMIN_URL = "SIGNOFF_REDIS_ADMIN_URL"
"""Who holds it can do everything in Redis."""
ADMINS = ("intake",)
"""The roles that get it: those that have an agent switched off which floods them."""
PLAIN = {
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TZDIR", "TMPDIR", "TEMP", "TMP", "TERM",
    "NO_COLOR", "FORCE_COLOR", "COLUMNS", "VIRTUAL_ENV", "SIGNOFF_DATA", "XDG_DATA_HOME", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "OPENSSL_CONF", "OPENSSL_MODULES", "LD_LIBRARY_PATH", "LD_PRELOAD", "RES_OPTIONS",
    "LOCALDOMAIN",
}  # fmt: skip
PLAIN_PREFIXES = ("LC_", "PYTHON", "MALLOC_")
"""What the parent of all roles may know: where things lie, and how text looks. None of these is a secret."""
PROXIES = {f"{kind}_proxy" for kind in ("http", "https", "all", "no")}
"""In either case. A proxy's URL may hold a password."""
ROLE_PREFIXES = ("SIGNOFF_", "SLACK_", "PG", "KRB5")
"""Settings; and what PostgreSQL's library reads, a password perhaps among it."""


def plain(given: Mapping[str, str]) -> dict[str, str]:
    """What the parent of all roles gets: nothing secret."""
    return {name: value for name, value in given.items() if name in PLAIN or name.startswith(PLAIN_PREFIXES)}


def for_role(given: Mapping[str, str]) -> dict[str, str]:
    """What a role gets."""
    more = {
        name: value
        for name, value in given.items()
        if name.startswith(ROLE_PREFIXES) or name.lower() in PROXIES
    }
    return plain(given) | more


def of(role: str, given: Mapping[str, str]) -> dict[str, str]:
    """What this one role gets of what a role gets."""
    return {name: value for name, value in given.items() if name != ADMIN_URL or role in ADMINS}
