"""`signoff webhooks …`: where an agent's decisions are posted to, registered by whoever runs the server."""

from __future__ import annotations

import argparse
import json
import secrets
from typing import TYPE_CHECKING

from signoff.cli.database import opened_store
from signoff.cli.output import say
from signoff.cli.parsers import Commands, command, duration, group, names
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.models.store import Store
    from signoff.models.webhooks import Endpoint
    from signoff.server.settings import Settings
    from signoff.signatures import Signer
    from signoff.web.webhooks.keys import Keys

ADD_EPILOG = """\
  signoff webhooks add billing-bot https://example.com/hooks > hook.env

Each request of that agent that ends is posted there by Standard Webhooks (docs/webhooks.md). Prints the
endpoint's id, the secret that its receiver verifies `v1` with, and the public key for `v1a`.

Only https, and only public addresses: SIGNOFF_WEBHOOK_HOSTS names hosts and networks besides. Events are
request.approved, request.rejected, request.expired, request.cancelled and request.blocked.
"""
SECRET_EPILOG = """\
With --rotate it gets new keys: messages are signed with the former ones, too, for 24 hours, so that its
receiver can change over. A new signing key of the server (`signoff keys`) changes all keys at once.
"""
REPLAY_EPILOG = """\
  signoff webhooks replay ep_0123456789abcdef
  signoff webhooks replay ep_0123456789abcdef --since 2d
  signoff webhooks replay msg_…

An endpoint: sends at once what it has not taken. With --since also what ended while it was off; with --all
everything since then, what it took, too. A message: that one, whatever became of it. Each goes out under the
id that it always had, by which receivers know what they have seen.
"""
NO_SUCH = "There is no endpoint {}: `signoff webhooks list` shows all."
ENDPOINT, MESSAGE = "ep_", "msg_"
LISTED = 50


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    hooks = group(commands, "webhooks", "say where an agent's decisions are posted to")
    made = command(hooks, "add", _add, "register an endpoint", common=common, epilog=ADD_EPILOG)
    made.add_argument("agent", metavar="AGENT", help="whose decisions")
    made.add_argument("url", metavar="URL", help="where they are posted to: https://…")
    made.add_argument("--events", type=names, metavar="A,B", help="which of them; all, if not said")
    listed = command(hooks, "list", _list, "list endpoints, and how they do", common=common)
    listed.add_argument("--json", action="store_true", help="one line: a list of all that is known of each")
    sent = command(hooks, "deliveries", _deliveries, "list messages, the newest first", common=common)
    sent.add_argument("endpoint", metavar="ENDPOINT", nargs="?", help="only those to this one")
    sent.add_argument("--failed", action="store_true", help="only those that are given up")
    sent.add_argument("--limit", type=int, default=LISTED, metavar="N", help=f"at most so many ({LISTED})")
    sent.add_argument("--json", action="store_true", help="one line: a list of all that is known of each")
    again = command(hooks, "replay", _replay, "send messages once more", common=common, epilog=REPLAY_EPILOG)
    again.add_argument("id", metavar="ID", help="of an endpoint, or of a message")
    again.add_argument(
        "--since", type=duration, metavar="AGE", help="all that ended since so long ago, such as 2d"
    )
    again.add_argument("--all", action="store_true", help="with --since: also what it has taken")
    for name, run, help, epilog in (
        ("test", _test, "post a message about nothing to an endpoint, and say what it answers", ""),
        ("secret", _secret, "print an endpoint's secret and public key once more", SECRET_EPILOG),
        ("off", _off, "send nothing to an endpoint any more, also not what waits", ""),
        ("on", _on, "send to an endpoint again; what ended meanwhile is for `replay --since`", ""),
        ("remove", _remove, "forget an endpoint, with all that was to be sent there", ""),
    ):
        one = command(hooks, name, run, help, common=common, epilog=epilog)
        one.add_argument("endpoint", metavar="ENDPOINT", help="its id, as `signoff webhooks list` has it")
        if name == "secret":
            one.add_argument("--rotate", action="store_true", help="give it new ones")


def _add(arguments: argparse.Namespace) -> int:
    from signoff.cli import tokens
    from signoff.models import outbox, webhooks
    from signoff.models.messages import AGENT
    from signoff.web.webhooks.hosts import Refused

    if not AGENT.fullmatch(arguments.agent):
        raise ConfigError(f"The agent's name {arguments.agent!r} may hold a-z, 0-9 and -, at most 40.")
    events = list(dict.fromkeys(arguments.events or outbox.KINDS))
    if unknown := [one for one in events if one not in outbox.KINDS]:
        raise ConfigError(f"--events: {unknown[0]!r} is none of {', '.join(outbox.KINDS)}.")
    with opened_store() as (settings, store):
        signer = settings.signer()
        try:
            _judge(settings, arguments.url)
        except Refused as error:
            raise ConfigError(f"Nothing may be posted there: {error}.") from None
        tokens.point_out(store, arguments.agent)
        made = webhooks.add(store, arguments.agent, arguments.url, events)
        _print(made, _keys_of(signer, made))
    return 0


def _judge(settings: Settings, url: str) -> None:
    """Raise Refused for an address that nothing may be posted to, as far as can be seen from here and now."""
    import ipaddress
    import socket

    from signoff.web.webhooks.hosts import PLAIN, Hosts, Refused

    hosts = Hosts.read(settings.webhook_hosts)
    target = hosts.target(url)
    try:
        rows = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        if target.scheme != "https" and target.host not in hosts.names:
            raise Refused(PLAIN) from None
        say(f"{target.host} is not known here now. It is looked up, and judged, each time a message is sent.")
        return
    for row in rows:
        hosts.check(target, ipaddress.ip_address(str(row[4][0])))


def _list(arguments: argparse.Namespace) -> int:
    from signoff.models import deliveries, webhooks

    with opened_store() as (_, store):
        found, waiting = webhooks.all_of(store), deliveries.waiting(store)
    if arguments.json:
        told = [{**one.__dict__, "waiting": waiting.get(one.id, (0, 0))[0]} for one in found]
        print(json.dumps(told))
        return 0
    for one in found:
        print(f"{one.id}  {one.agent:<24} {_state(one, waiting.get(one.id, (0, 0))[0])}\n  {one.url}")
    if not found:
        say("there is no endpoint yet: `signoff webhooks add AGENT URL` registers one.")
    return 0


def _state(one: Endpoint, waiting: int) -> str:
    if one.off_at is not None:
        return f"off since {_minute(one.off_at)}: {one.off_reason}"
    queue = f"; {waiting:,} wait" if waiting else ""
    if one.answered_at is None:
        return f"on; nothing was sent yet{queue}"
    failing = f"; fails since {_minute(one.failing_since)}" if one.failing_since else ""
    return f"on; {_minute(one.answered_at)}: {one.answer}{failing}{queue}"


def _deliveries(arguments: argparse.Namespace) -> int:
    from signoff.models import deliveries

    with opened_store() as (_, store):
        if arguments.endpoint:
            _found(store, arguments.endpoint)
        rows = deliveries.newest(
            store, arguments.endpoint, failed=arguments.failed, most=max(arguments.limit, 1)
        )
    if arguments.json:
        hidden = ("lease",)
        print(json.dumps([{k: v for k, v in row._mapping.items() if k not in hidden} for row in rows]))
        return 0
    for row in rows:
        if row.due_at is not None:
            state = f"waits until {_minute(row.due_at)}" if row.attempts else "waits"
        else:
            state = "taken" if row.fault is None else "given up"
        said = f": {row.fault or f'answered {row.code}'}" if row.fault or row.code else ""
        print(f"{row.id}\n  {_minute(row.created_at)} {row.kind}, {state}, tries: {row.attempts}{said}")
    if not rows:
        say("no message.")
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from signoff.models import deliveries
    from signoff.models.store import MICROSECONDS

    named = arguments.id
    with opened_store() as (_, store):
        if named.startswith(MESSAGE):
            if arguments.since is not None or arguments.all:
                raise ConfigError("--since and --all are for an endpoint's messages, not for one by its id.")
            endpoint = deliveries.endpoint_of(store, named)
            if endpoint is None:
                raise ConfigError(
                    f"There is no message {named}: `signoff webhooks deliveries` shows the last."
                )
            _check_on(_found(store, endpoint))
            deliveries.replay(store, named)
            say("it is sent within a second.")
            return 0
        if arguments.all and arguments.since is None:
            raise ConfigError("--all needs --since: all since when?")
        _check_on(_found(store, named))
        if arguments.since is None:
            count = deliveries.replay_failed(store, named)
        else:
            since = max(store.clock() - arguments.since * MICROSECONDS, 0)
            count = deliveries.replay_since(store, named, since, delivered=arguments.all)
    say(f"messages that are sent within seconds: {count:,}.")
    return 0


def _check_on(endpoint: Endpoint) -> None:
    if endpoint.off_at is not None:
        raise ConfigError(f"{endpoint.id} is off ({endpoint.off_reason}): `signoff webhooks on` it first.")


def _test(arguments: argparse.Namespace) -> int:
    import asyncio  # here, as `serve` loads this file too, and has no use for it

    from signoff.web.webhooks.hosts import Hosts
    from signoff.web.webhooks.letters import Letters
    from signoff.web.webhooks.post import Post

    with opened_store() as (settings, store):
        one = _found(store, arguments.endpoint)
        letters = Letters(settings.signer(), settings.public_url)
        letter = letters.test(
            one.url, f"msg_test_{secrets.token_hex(8)}", one.agent, _keys_of(settings.signer(), one),
            store.clock(),
        )  # fmt: skip
        answer = asyncio.run(Post(Hosts.read(settings.webhook_hosts)).send(letter))
    if answer.taken:
        print(f"{one.id} took it: answered {answer.status}.")
        return 0
    print(f"{one.id} did not take it: {answer.said}.")
    return 1


def _secret(arguments: argparse.Namespace) -> int:
    from signoff.models import webhooks

    with opened_store() as (settings, store):
        signer = settings.signer()
        found = webhooks.rotate(store, arguments.endpoint) if arguments.rotate else None
        found = found or _found(store, arguments.endpoint)
        _print(found, _keys_of(signer, found))
    return 0


def _off(arguments: argparse.Namespace) -> int:
    from signoff.models import webhooks

    with opened_store() as (_, store):
        _found(store, arguments.endpoint)
        with store.transaction() as connection:
            done = webhooks.switch_off(
                connection, arguments.endpoint, webhooks.BY_OPERATOR, webhooks.OPERATOR
            )
    say("nothing is sent there any more." if done else "it was off already.")
    return 0


def _on(arguments: argparse.Namespace) -> int:
    from signoff.models import webhooks

    with opened_store() as (_, store):
        off = _found(store, arguments.endpoint).off_at
        done = webhooks.switch_on(store, arguments.endpoint)
    meanwhile = f" For what ended since {_minute(off)}: `signoff webhooks replay --since`." if off else ""
    say(f"what ends from now on is sent there.{meanwhile}" if done else "it was on already.")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    from signoff.models import webhooks

    with opened_store() as (_, store):
        if not webhooks.remove(store, arguments.endpoint):
            raise ConfigError(NO_SUCH.format(arguments.endpoint))
    say(f"{arguments.endpoint} is gone.")
    return 0


def _found(store: Store, endpoint: str) -> Endpoint:
    """The endpoint; raises ConfigError."""
    from signoff.models import webhooks

    found = webhooks.find(store, endpoint)
    if found is None:
        raise ConfigError(NO_SUCH.format(endpoint))
    return found


def _keys_of(signer: Signer, one: Endpoint) -> Keys:
    from signoff.web.webhooks.keys import Keys

    return Keys(signer, one.id, one.generation)


def _print(one: Endpoint, keys: Keys) -> None:
    """A NAME=value a line, as `signoff agent add` prints."""
    print(f"SIGNOFF_WEBHOOK_ID={one.id}")
    print(f"SIGNOFF_WEBHOOK_SECRET={keys.secret}")
    print(f"SIGNOFF_WEBHOOK_PUBLIC_KEY={keys.public_key}")


def _minute(at: int) -> str:
    from signoff.models.messages import moment

    return f"{moment(at):%Y-%m-%d %H:%M} UTC"
