"""`signoff agent …` over a Redis with users: what is printed, and to whom it lets whom."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import text
from support import RedisServer

from signoff import Signoff
from signoff.cli.database import opened
from signoff.cli.main import main
from signoff.models import lists, tokens
from signoff.models.store import Store
from signoff.queue import acl, stream
from signoff.receipts import Signer
from signoff.server import settings as server_settings

Answer = tuple[int, str, str]
Run = Callable[..., Answer]
AGENT = "billing-bot"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    server = RedisServer(tmp_path_factory.mktemp("agents"))
    server.start()
    yield server.give_users()
    server.stop()


@pytest.fixture
def admin(guarded: dict[str, str]) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(guarded[acl.ADMIN], decode_responses=True) as client:
        yield client
        for name in client.acl_users():
            if name not in acl.RESERVED:
                client.acl_deluser(name)


@pytest.fixture
def run(
    guarded: dict[str, str], admin: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:  # fmt: skip
    """Run `signoff …` beside a server: its exit code, stdout and stderr."""
    for name in [name for name in os.environ if name.startswith("SIGNOFF_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    for name, value in {
        "SIGNOFF_DATA": str(data), "SIGNOFF_REDIS_URL": guarded[acl.SERVER],
        "SIGNOFF_REDIS_ADMIN_URL": guarded[acl.ADMIN], "SIGNOFF_DEPLOYMENT": "payments",
        "SIGNOFF_SIGNING_KEY": Signer.generate().private_text(),
        "SIGNOFF_DATABASE_URL": f"sqlite:///{data / 'signoff.db'}",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert main(["db", "upgrade"]) == 0
    capsys.readouterr()

    def one(*arguments: str) -> Answer:
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return one


def settings(said: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in said.splitlines())


def test_add_prints_all_that_an_agent_has_to_set_and_it_works(run: Run, guarded: dict[str, str]) -> None:
    code, out, err = run("agent", "add", AGENT)
    assert code == 0
    given = settings(out)
    assert list(given) == [
        "SIGNOFF_AGENT", "SIGNOFF_REDIS_URL", "SIGNOFF_VERIFY_KEY", "SIGNOFF_DEPLOYMENT",
        "SIGNOFF_AGENT_SECRET", "SIGNOFF_WEB_URL", "SIGNOFF_TOKEN",
    ]  # fmt: skip
    assert given["SIGNOFF_AGENT"] == AGENT and given["SIGNOFF_DEPLOYMENT"] == "payments"
    assert re.fullmatch(r"[0-9a-f]{64}", given["SIGNOFF_AGENT_SECRET"])
    user, password = acl.credentials(given["SIGNOFF_REDIS_URL"])
    assert user == AGENT and len(password) == 32
    assert acl.without_user(given["SIGNOFF_REDIS_URL"]) == acl.without_user(guarded[acl.SERVER])
    assert "aclfile" in err and password not in err  # this Redis has none: it says what to do
    with Signoff(
        redis_url=given["SIGNOFF_REDIS_URL"], agent=AGENT, verify_key=given["SIGNOFF_VERIFY_KEY"]
    ) as client:
        client.request("refund.create", {"amount": 120}, reversible=False)
    with redis.Redis.from_url(guarded[acl.ADMIN]) as connection:
        assert connection.xlen(stream.requests(AGENT)) == 1


def test_nothing_that_was_printed_is_kept_anywhere(run: Run, tmp_path: Path, admin: redis.Redis) -> None:
    given = settings(run("agent", "add", AGENT)[1])
    secrets = (
        acl.credentials(given["SIGNOFF_REDIS_URL"])[1], given["SIGNOFF_AGENT_SECRET"], given["SIGNOFF_TOKEN"]
    )  # fmt: skip
    files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert files and not [one for one in secrets for file in files if one.encode() in file]
    assert not [one for one in secrets if one in str(admin.acl_list())]
    code, out, err = run("agent", "add", AGENT)
    assert code == 2 and out == "" and "signoff agent rotate" in err


def test_two_agents_share_nothing_secret(run: Run) -> None:
    first, second = (settings(run("agent", "add", name)[1]) for name in (AGENT, "payroll-bot"))
    shared = {name for name in first if first[name] == second[name]}
    assert shared == {"SIGNOFF_VERIFY_KEY", "SIGNOFF_DEPLOYMENT", "SIGNOFF_WEB_URL"}


def test_rotate_prints_another_password_and_leaves_the_secret(run: Run) -> None:
    before = settings(run("agent", "add", AGENT)[1])["SIGNOFF_REDIS_URL"]
    code, out, _ = run("agent", "rotate", AGENT)
    after = settings(out)
    assert code == 0 and list(after) == ["SIGNOFF_REDIS_URL", "SIGNOFF_TOKEN"]
    with redis.Redis.from_url(before) as old, pytest.raises(redis.exceptions.AuthenticationError):
        old.ping()
    with redis.Redis.from_url(after["SIGNOFF_REDIS_URL"]) as new:
        assert new.ping()


def test_list_off_on_and_remove(run: Run) -> None:
    assert "there is no agent yet" in run("agent", "list")[2]
    url = settings(run("agent", "add", AGENT)[1])["SIGNOFF_REDIS_URL"]
    with redis.Redis.from_url(url, single_connection_client=True) as client:
        client.ping()
        [listed] = json.loads(run("agent", "list", "--json")[1])
        assert listed == {"name": AGENT, "on": True, "connections": 1, "tokens": 1}
        assert "connections ended: 1" in run("agent", "off", AGENT)[2]
        assert re.search(rf"^{AGENT} +off +connections: 0, tokens: 1$", run("agent", "list")[1], re.M)
        with pytest.raises(redis.exceptions.ConnectionError):
            client.ping()
        assert run("agent", "on", AGENT)[0] == 0 and client.ping()
    assert run("agent", "remove", AGENT)[0] == 0
    for act in ("remove", "rotate", "off", "on"):
        assert run("agent", act, AGENT)[0] == 2
    assert json.loads(run("agent", "list", "--json")[1]) == []


@pytest.mark.parametrize(
    "name", ["default", "signoff-server", "signoff-admin", "Billing", "a:b", "a*", "", "x" * 41]
)
def test_a_name_that_is_none_is_refused(run: Run, admin: redis.Redis, name: str) -> None:
    before = admin.acl_list()
    assert run("agent", "add", name)[:2] == (2, "")
    assert admin.acl_list() == before


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("SIGNOFF_REDIS_ADMIN_URL", "", "SIGNOFF_REDIS_ADMIN_URL is not set"),
        ("SIGNOFF_REDIS_ADMIN_URL", "nonsense", "SIGNOFF_REDIS_ADMIN_URL is no URL"),
        ("SIGNOFF_REDIS_URL", "nonsense", "SIGNOFF_REDIS_URL is no URL"),
        ("SIGNOFF_REDIS_URL", "redis://127.0.0.1:6379/3", "database 0"),
        ("SIGNOFF_REDIS_URL", "redis://127.0.0.1:6379?db=3", "database 0"),
    ],
)
def test_a_setting_that_is_wrong_is_named_before_anything_is_made(
    run: Run, admin: redis.Redis, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    before = admin.acl_list()
    monkeypatch.setenv(variable, value)
    code, out, err = run("agent", "add", AGENT)
    assert (code, out) == (2, "") and said in err
    assert admin.acl_list() == before


def test_the_servers_own_user_can_make_nobody(
    run: Run, guarded: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNOFF_REDIS_ADMIN_URL", guarded[acl.SERVER])
    code, out, err = run("agent", "add", AGENT)
    assert (code, out) == (2, "") and "may not do this" in err


def test_what_a_server_urls_query_holds_is_not_handed_out(
    run: Run, guarded: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = acl.without_user(guarded[acl.SERVER])
    monkeypatch.setenv("SIGNOFF_REDIS_URL", f"{url}?username=signoff-server&password=the-servers-own")
    code, out, _ = run("agent", "add", AGENT)
    assert code == 0 and "the-servers-own" not in out and "signoff-server" not in out


@pytest.mark.parametrize("user", ["signoff-server:p@", "", ":p@", "payroll-bot:p@", "default:p@"])
def test_env_hands_out_nobody_elses_user(run: Run, monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    monkeypatch.setenv("SIGNOFF_REDIS_URL", f"redis://{user}127.0.0.1:6379/0")
    code, out, err = run("env", "--agent", AGENT)
    assert (code, out) == (2, "") and f"signoff agent add {AGENT}" in err


@pytest.mark.parametrize("name", sorted(acl.RESERVED))
@pytest.mark.parametrize("user", ["", ":p@", "{}:p@"])
def test_env_hands_out_no_user_that_is_no_agents_whatever_it_is_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch, user: str, name: str
) -> None:
    monkeypatch.setenv("SIGNOFF_REDIS_URL", f"redis://{user.format(name)}127.0.0.1:6379/0")
    assert run("env", "--agent", name)[:2] == (2, "")


def test_env_hands_out_what_an_agent_has_been_given(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(run("agent", "add", AGENT)[1])
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    code, out, _ = run("env")
    assert code == 0
    assert settings(out.replace("export ", "")) == given


def owner(run: Run) -> str | None:
    with opened(server_settings.load()) as engine:
        return lists.owner(Store(engine), AGENT)


def test_an_owner_is_known_before_the_agent_has_asked(run: Run) -> None:
    assert run("agent", "add", AGENT, "--owner", "U0ANA")[0] == 0
    assert owner(run) == "U0ANA"


def test_the_policys_file_has_the_last_word_on_an_owner(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policy.yml").write_text(f"version: 1\nagents:\n  {AGENT}: {{owner: U0MIA}}\n")
    for name, value in {
        "SIGNOFF_POLICY": str(tmp_path / "policy.yml"), "SIGNOFF_APPROVERS": "U0ANA",
        "SIGNOFF_CHANNEL": "C0APPROVE",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    code, out, err = run("agent", "add", AGENT, "--owner", "U0ANA")
    assert code == 0 and "SIGNOFF_AGENT_SECRET" in out and "names U0MIA as the owner" in err
    assert owner(run) == "U0MIA"


@pytest.mark.parametrize("given", ["@ana", "ana", "S0FINANCE1", "U0", "u0ana", "U0ANA\n"])
def test_an_owner_that_is_nobody_is_refused_before_anything_is_made(
    run: Run, admin: redis.Redis, given: str
) -> None:
    before = admin.acl_list()
    assert run("agent", "add", AGENT, "--owner", given)[:2] == (2, "")
    assert admin.acl_list() == before


def test_an_owner_needs_a_database_that_is_there_before_anything_is_made(
    run: Run, admin: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = admin.acl_list()
    monkeypatch.setenv("SIGNOFF_DATABASE_URL", f"sqlite:///{tmp_path / 'data' / 'new.db'}")
    code, out, err = run("agent", "add", AGENT, "--owner", "U0ANA")
    assert (code, out) == (2, "") and "signoff db upgrade" in err
    assert admin.acl_list() == before


def state_of(run: Run) -> dict[str, str]:
    """Each token's id, and whether it stands."""
    return {one["id"]: one["state"] for one in json.loads(run("agent", "tokens", "--json")[1])}


def test_an_agent_that_asks_by_http_has_a_token_alone(run: Run, admin: redis.Redis) -> None:
    given = settings(run("agent", "add", AGENT, "--http")[1])
    assert "SIGNOFF_REDIS_URL" not in given and AGENT not in admin.acl_users()
    found = token_of(given["SIGNOFF_TOKEN"])
    assert found is not None and (found.agent, found.scopes) == (AGENT, ("ask",))
    assert run("agent", "add", AGENT, "--http")[0] == 2
    code, out, _ = run("agent", "rotate", AGENT)
    after = settings(out)["SIGNOFF_TOKEN"]
    assert code == 0 and token_of(given["SIGNOFF_TOKEN"]) is None and token_of(after) is not None
    for command, stands in (("off", False), ("on", True), ("remove", False), ("on", False)):
        run("agent", command, AGENT)
        assert (token_of(after) is not None) == stands, command
    assert run("agent", "on", "nobody")[0] == 2


def test_who_asks_by_http_is_listed_too_also_without_an_admin_of_redis(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("agent", "add", AGENT, "--http")
    run("agent", "token", AGENT)
    run("agent", "add", "payroll-bot")
    by_http = {"name": AGENT, "on": True, "connections": None, "tokens": 2}
    payroll = {"name": "payroll-bot", "on": True, "connections": 0, "tokens": 1}
    assert json.loads(run("agent", "list", "--json")[1]) == [by_http, payroll]
    run("agent", "off", AGENT)
    assert re.search(rf"^{AGENT} +off +no Redis user, tokens: 2$", run("agent", "list")[1], re.M)
    monkeypatch.setenv("SIGNOFF_REDIS_ADMIN_URL", "")
    code, out, err = run("agent", "list", "--json")
    assert code == 0 and "SIGNOFF_REDIS_ADMIN_URL is not set" in err
    assert json.loads(out) == [by_http | {"on": False}, payroll | {"connections": None}]


def test_a_name_that_nobody_has_is_pointed_out(run: Run) -> None:
    run("agent", "add", AGENT, "--http")
    assert run("agent", "token", AGENT)[2] == ""
    assert run("agent", "token", "shop", "--scope", f"spend:{AGENT}:refund.*")[2] == ""
    for name, words in (("billing-bto", []), ("shop", ["--scope", "spend:bliling-bot:refund.*"])):
        code, out, err = run("agent", "token", name, *words)
        wrong = "bliling-bot" if words else name
        assert code == 0 and "SIGNOFF_TOKEN=" in out and f"no agent called {wrong} has been added" in err


def test_an_address_that_only_the_role_knows_is_not_made_up(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNOFF_WEB_BIND", "127.0.0.1:0")
    code, out, err = run("agent", "add", AGENT, "--http")
    assert (
        code == 0 and "SIGNOFF_WEB_URL" not in settings(out) and "the agent's SIGNOFF_WEB_URL is where" in err
    )


def test_tokens_are_made_for_executors_listed_and_revoked_at_once(run: Run) -> None:
    code, out, _ = run("agent", "token", "shop", "--scope", "spend:billing-bot:refund.*", "--scope", "hook")
    said = settings(out)["SIGNOFF_TOKEN"]
    token = token_of(said)
    assert code == 0 and token is not None
    assert token.may("hook") and token.may("spend") and not token.may("ask")
    spendable = [("billing-bot", "refund.create"), ("billing-bot", "db.drop"), ("other-bot", "refund.create")]
    assert [token.may_spend(*one) for one in spendable] == [True, False, False]
    code, out, _ = run("agent", "tokens")
    assert token.id in out and said not in out
    assert run("agent", "revoke", said)[0] == 0 and token_of(said) is None
    assert run("agent", "revoke", token.id)[0] == 2 and state_of(run) == {token.id: "revoked"}
    for scope in ("admin", "spend", "spend:x", "spend:A:b", "ask ", "spend:a:b c"):
        assert run("agent", "token", "shop", "--scope", scope)[0] == 2
    assert list(state_of(run)) == [token.id]


def test_each_token_is_rotated_by_itself_and_none_may_more(run: Run, admin: redis.Redis) -> None:
    spends = settings(run("agent", "token", AGENT, "--scope", "spend:billing-bot:refund.*")[1])
    asks = settings(run("agent", "add", "shop", "--http")[1])
    hooks = settings(run("agent", "token", "shop", "--scope", "spend:billing-bot:*")[1])
    code, out, _ = run("agent", "rotate", "shop")
    made = re.findall(r"# in place of (\w+): (.*)\n(# )?SIGNOFF_TOKEN=(\S+)\n", out)
    assert code == 0 and [one[1:3] for one in made] == [("ask", ""), ("spend:billing-bot:*", "# ")]
    for (former, scope, _, new), before in zip(made, (asks, hooks), strict=True):
        assert former in before["SIGNOFF_TOKEN"] and token_of(before["SIGNOFF_TOKEN"]) is None
        found = token_of(new)
        assert found is not None and found.scopes == (scope,)
    assert token_of(spends["SIGNOFF_TOKEN"]) is not None
    run("agent", "off", "shop")
    out = run("agent", "rotate", "shop")[1]
    assert not any(token_of(one) for one in re.findall(r"SIGNOFF_TOKEN=(\S+)", out))
    run("agent", "on", "shop")
    assert all(token_of(one) for one in re.findall(r"SIGNOFF_TOKEN=(\S+)", out))


def test_off_and_remove_count_for_both_of_an_agents_ways(run: Run, admin: redis.Redis) -> None:
    token = settings(run("agent", "add", AGENT)[1])["SIGNOFF_TOKEN"]
    run("agent", "off", AGENT)
    assert token_of(token) is None and "off" in admin.acl_getuser(AGENT)["flags"]
    run("agent", "on", AGENT)
    assert token_of(token) is not None
    run("agent", "remove", AGENT)
    assert token_of(token) is None and AGENT not in admin.acl_users()


def test_what_operators_do_with_tokens_stands_in_the_log(run: Run) -> None:
    run("agent", "add", AGENT, "--http")
    run("agent", "off", AGENT)
    run("agent", "remove", AGENT)
    with opened(server_settings.load()) as engine, Store(engine).reading() as connection:
        lines = connection.execute(text("SELECT data FROM audit_event WHERE kind = 'token' ORDER BY seq"))
        assert [json.loads(data)["what"] for data in lines.scalars()] == ["added", "off", "revoked"]


def token_of(token: str) -> tokens.Token | None:
    """The token, where it stands."""
    with opened(server_settings.load()) as engine:
        return tokens.find(Store(engine), token)
