"""What each of Redis's users may do: the one place that says so. docs/operating.md repeats it, and is tested.

The name of its stream says who asks (design: The wire), so every agent has a user of its own, called like it.
Commands stand with their keys in one selector (the brackets): in a flat list every command would hold for
every key, and an agent could write where it should only read. Nothing here loads a Redis client: `serve`,
which writes these lines into the file of its own Redis, is kept small.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

DEFAULT = "default"
"""Whoever has not said who they are. Nobody's, and off: no password logs in as it."""
DEFAULT_RULES = ("off", "~*", "&*", "+@all")
"""Off, and yet with every right: when Redis (7 and 8; not Valkey) starts, it reads its append-only file as
this user, and passes over each transaction in it that this user may not run: a restart would lose them."""
SERVER, ADMIN = "signoff-server", "signoff-admin"
RESERVED = frozenset((DEFAULT, SERVER, ADMIN))
"""No agent may be called so."""
PASSWORD_BYTES = 24
"""Of chance: 192 bits. Redis keeps their SHA-256 only, which is enough for what nobody can guess."""
SECRET_BYTES = 32

_HANDSHAKE = ("+ping", "+hello", "+auth", "+client|setname")
_ID = "????????-????-????-????-????????????"
"""What a request's id looks like: no agent can make a key that is longer, and so larger than it is worth."""
_AGENT = (
    "(+xadd %W~signoff:req:{agent})",
    f"(+set +expire %W~signoff:body:{{agent}}:{_ID})",
    "(+get +mget %R~signoff:dec:{agent}:* %R~signoff:dec:_stops)",
    "(+xgroup|create +xreadgroup +xack +xautoclaim ~signoff:dec:{agent})",
    f"(+subscribe +unsubscribe &signoff:ntf:{{agent}}:{_ID} &signoff:ntf:{{agent}}:{_ID}:spent)",
)
_SERVER = (
    "+client|id +client|info +client|list +client|tracking +info +time +scan +multi +exec +discard +watch "
    "+unwatch +eval +evalsha +script|load +script|exists",
    "(+xgroup|create +xgroup|delconsumer +xreadgroup +xack +xdel +xautoclaim +xclaim +xinfo|consumers "
    "+xinfo|groups +xinfo|stream +xpending +xlen +xrange +xtrim +del +unlink +exists +type +memory|usage "
    "+eval +evalsha ~signoff:req:*)",
    "(+get +getrange +mget +del +unlink +exists +expire +ttl +pttl +strlen +type +memory|usage "
    "~signoff:body:*)",
    "(+get +getrange +watch +set +xadd +expire +type +strlen +memory|usage +xlen +xgroup|create "
    "+xgroup|destroy +xinfo|consumers +xinfo|groups +xreadgroup +xack +xautoclaim ~signoff:dec:*)",
    "(+publish +pubsub|numsub +subscribe +unsubscribe &signoff:ntf:*)",
    "(+subscribe +unsubscribe &__redis__:invalidate)",
    "(+xadd +xlen +xrange +xrevrange +xtrim +del +unlink +expire +type +memory|usage ~signoff:dead)",
    "(+@hash +@set +@sortedset +@list +@string +watch +exists +del +expire +persist +ttl +rename +xadd "
    "+xrange +xrevrange +xlen +xdel +xtrim +eval +evalsha ~rq:*)",
)
_NAME = re.compile(r"[a-z0-9-]{1,40}")


def agent_rules(agent: str) -> list[str]:
    """What an agent's user may do, as ACL SETUSER takes it after `reset`: a selector is one argument."""
    return [*_HANDSHAKE, *(rule.format(agent=agent) for rule in _AGENT)]


def server_rules() -> list[str]:
    """What the server's may: keys of ours and RQ's only, and nothing about users or settings."""
    flat, *selectors = _SERVER
    return [*_HANDSHAKE, *flat.split(), *selectors]


def admin_rules() -> list[str]:
    """Everything: who may make users may make one that can do all."""
    return ["~*", "&*", "+@all"]


def commands(rules: list[str]) -> set[str]:
    """The commands that rules name, wherever they allow them; `+@…` are none."""
    return {word[1:] for rule in rules for word in rule.strip("()").split() if re.match(r"\+[a-z]", word)}


def new_password() -> str:
    """One that stands in a URL as it is."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def new_secret() -> str:
    """An agent's own secret, SIGNOFF_AGENT_SECRET: 256 bits."""
    return secrets.token_hex(SECRET_BYTES)


def hashed(password: str) -> str:
    """How Redis is told a password, and how it keeps it."""
    return f"#{sha256(password.encode()).hexdigest()}"


@dataclass(frozen=True)
class User:
    """One user as Redis tells of it or keeps it in its file: `line` is all of it."""

    name: str
    on: bool
    hashes: tuple[str, ...]
    line: str

    @property
    def needs_none(self) -> bool:
        """Whether anybody may log in as this user, with any password or none."""
        return "nopass" in self.line.split()

    @property
    def is_agent(self) -> bool:
        """Whether it may write the stream that is called like it. Nothing else is an agent's user."""
        stream = f"~signoff:req:{self.name}"
        words = (word.strip("()").removeprefix("%W").removeprefix("%RW") for word in self.line.split())
        return self.name not in RESERVED and bool(_NAME.fullmatch(self.name)) and stream in words


def read(line: str) -> User | None:
    """A line of ACL LIST or of an aclfile; None where it is none."""
    words = line.split()
    if len(words) < 2 or words[0] != "user":
        return None
    told = [hashed(word[1:]) if word[0] == ">" else word for word in words[2:]]
    hashes = tuple(word for word in told if word[0] == "#")
    return User(words[1], "on" in told, hashes, line)


def line(name: str, rules: list[str], hashes: tuple[str, ...], *, on: bool = True) -> str:
    """A user as a line of an aclfile."""
    return " ".join(("user", name, "on" if on else "off", *hashes, *rules))


def file(passwords: dict[str, str], before: str = "") -> str:
    """An aclfile: default off, the admin's, the server's and agents' users with these passwords, by name.

    Of the file from before, agents keep passwords and state, and get today's rules; others' users stay.
    """
    found = [" ".join(("user", DEFAULT, *DEFAULT_RULES))]
    for name, password in passwords.items():
        rules = {ADMIN: admin_rules, SERVER: server_rules}.get(name, lambda name=name: agent_rules(name))()
        found.append(line(name, rules, (hashed(password),)))
    for user in map(read, before.splitlines()):
        if user and user.name not in RESERVED | passwords.keys():
            kept = line(user.name, agent_rules(user.name), user.hashes, on=user.on)
            found.append(kept if user.is_agent else user.line)
    return "".join(f"{one}\n" for one in found)


def credentials(url: str) -> tuple[str, str]:
    """(user, password) of a Redis URL, wherever in it they stand; `default` where it names none."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    user = unquote(parts.username or "") or query.get("username", "") or DEFAULT
    return user, unquote(parts.password or "") or query.get("password", "")


def database(url: str) -> str:
    """The number of the database that a Redis URL names; raises ValueError for one that is no URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError(parts.scheme)
    named = dict(parse_qsl(parts.query)).get("db")
    return named or ("" if parts.scheme == "unix" else parts.path.strip("/")) or "0"


def with_user(url: str, name: str, password: str) -> str:
    """The same Redis for another user."""
    parts = urlsplit(without_user(url))
    netloc = f"{quote(name, safe='')}:{quote(password, safe='')}@{parts.netloc}"
    return urlunsplit(parts._replace(netloc=netloc))


def without_user(url: str) -> str:
    """The same Redis for nobody: no user and no password, wherever in the URL they stood."""
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query) if key not in ("username", "password")]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=urlencode(query)))
