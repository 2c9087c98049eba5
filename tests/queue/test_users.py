"""Agents' users in a real Redis: what is made, what each admin's act does to it, and whom it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from support import RedisServer, eventually

from signoff.errors import ConfigError, Unreachable
from signoff.models.identity import new_id
from signoff.queue import acl, stream
from signoff.queue.users import AgentUser, Users

AGENT, OTHER = "billing-bot", "payroll-bot"
ENTRY: dict[Any, Any] = {"v": "1"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisServer, dict[str, str]]]:
    server = RedisServer(tmp_path_factory.mktemp("users"))
    server.start()
    yield server, server.give_users()
    server.stop()


@pytest.fixture
def urls(guarded: tuple[RedisServer, dict[str, str]]) -> dict[str, str]:
    return guarded[1]


@pytest.fixture
def admin(urls: dict[str, str]) -> Iterator[redis.Redis]:
    """Who may look, and an end to all that a test has made."""
    with redis.Redis.from_url(urls[acl.ADMIN], decode_responses=True) as client:
        yield client
        client.flushall()
        for name in client.acl_users():
            if name not in acl.RESERVED:
                client.acl_deluser(name)


@pytest.fixture
def users(urls: dict[str, str], admin: redis.Redis) -> Iterator[Users]:
    with Users(urls[acl.ADMIN]) as made:
        yield made


def login(urls: dict[str, str], name: str, password: str) -> redis.Redis:
    url = acl.with_user(urls[acl.ADMIN], name, password)
    return redis.Redis.from_url(url, decode_responses=True, single_connection_client=True)


def ask(client: redis.Redis, agent: str) -> Any:
    return client.xadd(stream.requests(agent), ENTRY)


def test_an_agent_gets_a_user_of_its_own_and_redis_keeps_only_a_hash(
    users: Users, admin: redis.Redis, urls: dict[str, str]
) -> None:
    password = users.add(AGENT)
    assert len(password) == 32  # 24 bytes of chance in base64
    line = next(line for line in admin.acl_list() if line.split()[1] == AGENT)
    assert password not in line and sha256(password.encode()).hexdigest() in line
    with login(urls, AGENT, password) as client:
        assert ask(client, AGENT)
        assert client.set(f"signoff:body:{AGENT}:{new_id()}", "{}", ex=60)
        with pytest.raises(redis.exceptions.NoPermissionError):
            ask(client, OTHER)
    assert users.agents() == [AgentUser(AGENT, True, 0)]


def test_two_agents_have_two_passwords_and_neither_takes_the_others(
    users: Users, urls: dict[str, str], admin: redis.Redis
) -> None:
    first, second = users.add(AGENT), users.add(OTHER)
    assert first != second
    with pytest.raises(redis.exceptions.AuthenticationError):
        login(urls, OTHER, first)


@pytest.mark.parametrize("name", ["default", "signoff-server", "signoff-admin"])
def test_what_is_not_an_agents_is_no_agents_name(users: Users, admin: redis.Redis, name: str) -> None:
    before = admin.acl_list()
    for act in (users.add, users.rotate, users.remove, users.switch_on):
        with pytest.raises(ConfigError):
            act(name)
    assert users.switch_off(name) is None
    assert admin.acl_list() == before


@given(st.text(max_size=60))
def test_no_other_name_reaches_redis(name: str) -> None:
    if acl._NAME.fullmatch(name):
        return
    with Users("redis://127.0.0.1:1") as users, pytest.raises(ConfigError):  # nobody is there to be asked
        users.add(name)


@pytest.mark.parametrize(
    "name",
    ["", "a b", "A", "a*", "a:b", "a\n", "a~*", "*", "a_b", "é", "a" * 41, "default on", "(", "-@all +x"],
)
def test_a_name_is_never_a_rule(users: Users, admin: redis.Redis, name: str) -> None:
    before = admin.acl_list()
    with pytest.raises(ConfigError):
        users.add(name)
    assert admin.acl_list() == before


def test_a_user_that_is_there_is_never_taken_over(users: Users, admin: redis.Redis) -> None:
    users.add(AGENT)
    admin.execute_command("ACL", "SETUSER", "prometheus", "on", ">pw", "+info")
    before = admin.acl_list()
    with pytest.raises(ConfigError, match="signoff agent rotate"):
        users.add(AGENT)
    for act in (users.add, users.rotate, users.remove, users.switch_on):
        with pytest.raises(ConfigError, match="signoff agent list"):
            act("prometheus")
    assert users.switch_off("prometheus") is None
    assert admin.acl_list() == before


def test_another_password_ends_what_the_old_one_began(
    users: Users, urls: dict[str, str], admin: redis.Redis
) -> None:
    old = users.add(AGENT)
    admin.execute_command("ACL", "SETUSER", AGENT, "+flushall")  # a right that it should not have
    with login(urls, AGENT, old) as client:
        ask(client, AGENT)
        new = users.rotate(AGENT)
        with pytest.raises(redis.exceptions.ConnectionError):
            ask(client, AGENT)  # thrown out, and not let in again
    with login(urls, AGENT, new) as client:
        assert ask(client, AGENT)
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command("FLUSHALL", "NEVER")


def test_who_is_removed_is_out_at_once_and_its_requests_stay(
    users: Users, urls: dict[str, str], admin: redis.Redis
) -> None:
    with login(urls, AGENT, users.add(AGENT)) as client:
        ask(client, AGENT)
        users.remove(AGENT)
        with pytest.raises(redis.exceptions.ConnectionError):
            ask(client, AGENT)
    assert users.agents() == [] and admin.xlen(stream.requests(AGENT)) == 1
    with pytest.raises(ConfigError):
        users.remove(AGENT)


def test_who_is_switched_off_is_out_with_all_connections_until_switched_on(
    users: Users, urls: dict[str, str], admin: redis.Redis
) -> None:
    password = users.add(AGENT)
    clients = [login(urls, AGENT, password) for _ in range(3)]
    for client in clients:
        ask(client, AGENT)
    assert users.agents() == [AgentUser(AGENT, True, 3)]
    assert users.switch_off(AGENT) == 3
    for client in clients:
        with pytest.raises(redis.exceptions.ConnectionError):
            ask(client, AGENT)
    assert admin.xlen(stream.requests(AGENT)) == 3
    assert users.agents() == [AgentUser(AGENT, False, 0)]
    assert users.switch_off(AGENT) == 0  # once more changes nothing
    users.switch_on(AGENT)
    for client in clients:
        assert ask(client, AGENT)
        client.close()


def test_an_agent_that_writes_all_the_time_is_out_after_one_call(
    users: Users, urls: dict[str, str], admin: redis.Redis
) -> None:
    with login(urls, AGENT, users.add(AGENT)) as client:
        pipe = client.pipeline(transaction=False)
        for _ in range(1000):
            pipe.xadd(stream.requests(AGENT), ENTRY)
        pipe.execute()
        users.switch_off(AGENT)
        count = admin.xlen(stream.requests(AGENT))
        with pytest.raises(redis.exceptions.ConnectionError):
            pipe.xadd(stream.requests(AGENT), ENTRY).execute()
        assert admin.xlen(stream.requests(AGENT)) == count


@pytest.mark.parametrize("name", [acl.SERVER, acl.ADMIN, "default", "shared", "nobody-here"])
def test_a_flood_on_a_stream_of_that_name_locks_nobody_else_out(
    users: Users, urls: dict[str, str], admin: redis.Redis, name: str
) -> None:
    """Whoever shares a user may write a stream that is called like another one."""
    admin.execute_command("ACL", "SETUSER", "shared", "on", ">pw", "+@all", "~*")
    admin.xadd(stream.requests(name), ENTRY)
    before = admin.acl_list()
    assert users.switch_off(name) is None
    assert admin.acl_list() == before
    with redis.Redis.from_url(urls[acl.SERVER]) as server:
        assert server.ping()


def test_an_update_of_its_rules_leaves_a_users_password_and_state(
    users: Users, urls: dict[str, str], admin: redis.Redis
) -> None:
    password = users.add(AGENT)
    expected = admin.acl_list()
    admin.execute_command("ACL", "SETUSER", AGENT, "+flushall", "(+get ~*)", "~*", "&*")
    users.switch_on(AGENT)
    assert admin.acl_list() == expected
    with login(urls, AGENT, password) as client:
        assert client.ping()


def test_the_password_for_a_try_is_gone_afterwards_also_where_it_fails(
    users: Users, urls: dict[str, str], admin: redis.Redis
) -> None:
    own = users.add(AGENT)
    before = admin.acl_list()
    with pytest.raises(ZeroDivisionError), users.password(AGENT) as password:
        with login(urls, AGENT, password) as client:
            assert client.ping()
        raise ZeroDivisionError
    assert admin.acl_list() == before
    with login(urls, AGENT, own) as client:
        assert client.ping()


def test_without_an_aclfile_it_says_what_to_do(users: Users) -> None:
    users.add(AGENT)
    said = users.save()
    assert said is not None and "aclfile" in said and "CONFIG REWRITE" in said


@pytest.mark.parametrize("broken", ["folder", ""])
def test_with_an_aclfile_users_outlive_a_restart_and_where_it_cannot_be_written_it_says_so(
    own_redis: RedisServer, broken: str
) -> None:
    urls = own_redis.give_users()
    with Users(urls[acl.ADMIN]) as users, redis.Redis.from_url(urls[acl.ADMIN]) as admin:
        lines: Any = admin.acl_list()
        file = own_redis.folder / "users.acl"
        file.write_text("".join(f"{line}\n" for line in lines))
        own_redis.stop()
        own_redis.start("--aclfile", str(file))
        password = users.add(AGENT)
        if broken:
            file.unlink()
            file.mkdir()
            assert "ACL SAVE failed" in str(users.save())
            return
        assert users.save() is None
        users.add(OTHER)
        assert users.switch_off(OTHER) == 0  # which is kept, too
        own_redis.stop()
        own_redis.start("--aclfile", str(file))
        with login(urls, AGENT, password) as client:
            assert ask(client, AGENT)
            assert users.agents() == [AgentUser(AGENT, True, 1), AgentUser(OTHER, False, 0)]
    assert password not in file.read_text()


def test_the_servers_own_user_makes_nobody(urls: dict[str, str], users: Users) -> None:
    users.add(AGENT)
    with Users(urls[acl.SERVER]) as server:
        for act in (server.add, server.rotate, server.remove, server.switch_off, server.switch_on):
            with pytest.raises(ConfigError, match="may not do this"):
                act(AGENT)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://signoff-admin:not-it@{}", ConfigError), ("redis://127.0.0.1:1", Unreachable),
        ("nonsense", ConfigError), ("", ConfigError),
    ],
)  # fmt: skip
def test_an_admin_that_is_none_is_named_and_no_password_shown(
    urls: dict[str, str], url: str, kind: type[Exception]
) -> None:
    where = acl.without_user(urls[acl.ADMIN]).removeprefix("redis://")
    with pytest.raises(kind, match="SIGNOFF_REDIS_ADMIN_URL") as error, Users(url.format(where)) as users:
        users.agents()
    assert "not-it" not in str(error.value)


def test_a_connection_may_be_called_anything(users: Users, urls: dict[str, str]) -> None:
    with login(urls, AGENT, users.add(AGENT)) as client:
        client.execute_command("CLIENT", "SETNAME", "user=signoff-admin")
        assert users.agents() == [AgentUser(AGENT, True, 1)]


def test_every_command_of_this_redis_is_known_by_its_arity(users: Users) -> None:
    found = users.commands()
    assert len(found) > 300 and found["config|get"][0] == -3 and "no_auth" in found["auth"][1]


URL = st.builds(
    "{}://{}127.0.0.1:6379/0{}".format,
    st.sampled_from(["redis", "rediss"]),
    st.sampled_from(["", "signoff-server:old-password@", ":old-password@", "signoff-server@"]),
    st.sampled_from(["", "?password=old-password", "?username=signoff-server&password=old-password&ssl=1"]),
)


@given(URL)
def test_nothing_of_the_former_user_is_in_the_url_of_another(url: str) -> None:
    made = acl.with_user(url, AGENT, "new")
    assert acl.credentials(made) == (AGENT, "new")
    assert "old-password" not in made and "signoff-server" not in made
    assert redis.ConnectionPool.from_url(made).connection_kwargs["username"] == AGENT
    assert acl.credentials(acl.without_user(url)) == ("default", "")


@given(st.text(st.characters(blacklist_categories=("Cs",)), min_size=1))
def test_any_password_stands_in_a_url(password: str) -> None:
    url = acl.with_user("unix:///run/redis.sock?db=0", AGENT, password)
    assert acl.credentials(url) == (AGENT, password)
    assert redis.ConnectionPool.from_url(url).connection_kwargs["password"] == password


def test_a_file_of_users_gives_agents_todays_rules_and_leaves_others_alone() -> None:
    kept = acl.hashed("kept")
    before = "\n".join(
        [
            f"user {AGENT} off {kept} +@all ~signoff:req:{AGENT} ~*",
            f"user prometheus on {kept} +info",
            f"user signoff-server on {kept} ~* +@all",
            "user default on nopass ~* +@all",
            "nonsense",
        ]
    )
    lines = acl.file({acl.SERVER: "s", acl.ADMIN: "a", "local": "l"}, before).splitlines()
    assert (
        lines[0] == "user default off ~* &* +@all"
        and len([line for line in lines if " default " in line]) == 1
    )
    assert acl.line(AGENT, acl.agent_rules(AGENT), (kept,), on=False) in lines
    assert f"user prometheus on {kept} +info" in lines
    assert acl.line(acl.SERVER, acl.server_rules(), (acl.hashed("s"),)) in lines
    assert len(lines) == 6


def test_who_is_an_agent_is_told_by_its_stream_alone() -> None:
    def is_agent(line: str) -> bool:
        found = acl.read(line)
        return found is not None and found.is_agent

    assert is_agent("user a on #00 (%W~signoff:req:a resetchannels -@all +xadd)")
    assert is_agent("user a on >pw +xadd ~signoff:req:a")
    assert not is_agent("user a on #00 (%W~signoff:req:ab resetchannels -@all +xadd)")
    assert not is_agent("user a on #00 (%W~signoff:req:* +xadd)")
    assert not is_agent("user default on #00 (%W~signoff:req:default +xadd)")
    assert not is_agent("user A on #00 (%W~signoff:req:A +xadd)")
    assert acl.read("") is None and acl.read("user") is None


def test_eventually_is_not_needed_to_be_out(users: Users, urls: dict[str, str], admin: redis.Redis) -> None:
    """Who waits for an answer is thrown out, too: a subscribed connection is one like any other."""
    password = users.add(AGENT)
    with login(urls, AGENT, password) as client:
        heard = client.pubsub()
        heard.subscribe(stream.notification(AGENT, "01890000-0000-8000-8000-000000000000"))
        assert eventually(lambda: heard.get_message(timeout=1))
        users.switch_off(AGENT)
        with pytest.raises(redis.exceptions.ConnectionError):
            eventually(lambda: heard.get_message(timeout=1))
        heard.close()
