"""An agent takes its Redis user to where it has nothing to do, or comes by somebody else's."""

from __future__ import annotations

import stat

import redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from attacks.world import World, held, refused
from signoff.cli.doctor import rights, tries
from signoff.queue import acl, stream

ATTACKER, VICTIM = "attacker", "victim"


def an_agent_does_what_only_others_may(world: World) -> None:
    """Some 160 commands as an agent: others' streams and answers, its own answers, RQ, and Redis itself."""
    found = rights._went_through(world.redis_url(ATTACKER), tries.of_agent(ATTACKER))
    held(not found, f"went through: {found}")


def the_servers_own_user_does_what_it_never_needs(world: World) -> None:
    """ACL, CONFIG, FLUSHALL, keys that are nobody's: as the server, should it be taken over."""
    found = rights._went_through(world.server_url, tries.of_server())
    held(not found, f"went through: {found}")


def somebody_comes_in_without_a_password(world: World) -> None:
    """No user at all, and `default` with any password."""
    for password in ("", "x"):
        url = acl.with_user(world.server_url, acl.DEFAULT, password)
        for way in (url, acl.without_user(url)):
            with redis.Redis.from_url(way) as client, refused(AuthenticationError):
                client.ping()


def an_agent_asks_under_anothers_name(world: World) -> None:
    """Its own password, and another's name: as a client, and by hand."""
    asked = ("request", "refund.borrowed", "--payload", "{}", "--reversible")
    code, said = world.signoff(*asked, SIGNOFF_AGENT=VICTIM, SIGNOFF_REDIS_URL=world.redis_url(ATTACKER))
    held(code == 7, f"signoff request: {code}, {said}")
    with redis.Redis.from_url(world.redis_url(ATTACKER)) as client, refused(NoPermissionError):
        client.xadd(stream.requests(VICTIM), stream.entry("request", tries.ID, "{}"))


def a_password_is_used_after_it_was_changed(world: World) -> None:
    """An open connection, and a new one, with the password of before."""
    url = world.redis_url("leaky-bot")
    with redis.Redis.from_url(url, single_connection_client=True) as client:
        client.ping()
        world.users.rotate("leaky-bot")
        with refused(RedisError):
            client.ping()
    with redis.Redis.from_url(url) as client, refused(AuthenticationError):
        client.ping()


def a_flood_under_the_servers_name_locks_it_out(world: World) -> None:
    """A stream that is called like the server's user, and that agent switched off."""
    for name in (acl.SERVER, acl.ADMIN, acl.DEFAULT):
        held(world.users.switch_off(name) is None, f"{name} was switched off")
    with redis.Redis.from_url(world.server_url) as client:
        held(client.ping(), "the server is out")


def a_name_is_a_rule_or_another_user(world: World) -> None:
    """`signoff agent add` with names that Redis would take for rules, or that are taken."""
    before = world.redis.acl_list()
    for name in ("x on ~* +@all", "default", acl.SERVER, acl.ADMIN, "a:b", "a*", "../x", "Ünï"):
        code, said = world.signoff("agent", "add", name)
        held(code == 2, f"{name}: {code}, {said}")
    held(world.redis.acl_list() == before, "the users have changed")


def the_servers_user_is_handed_to_an_agent(world: World) -> None:
    """`signoff env` where the server's URL is set."""
    for name in (VICTIM, acl.SERVER, acl.DEFAULT):
        code, said = world.signoff("env", "--agent", name, SIGNOFF_REDIS_URL=world.server_url)
        password = acl.credentials(world.server_url)[1]
        held(code == 2 and password not in said, f"{name}: {code}")


def another_user_of_this_machine_reads_a_password(world: World) -> None:
    """Modes of what the server's own Redis and its users are kept in."""
    for file in (*world.data.glob("*.url"), world.data / "agent.env", *(world.data / "redis").rglob("*")):
        held(not stat.S_IMODE(file.stat().st_mode) & 0o077, f"{file} can be read by others")
