"""`signoff webhooks …`: where decisions are posted to, as an operator says it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Core
from web.receiver import answer, receiving

from signoff.cli.main import main
from signoff.models import webhooks as rows
from signoff.server import settings as server_settings
from signoff.web.webhooks.hosts import Hosts
from signoff.web.webhooks.timer import Outbox

Answer = tuple[int, str, str]
Run = Callable[..., Answer]
AGENT = "billing-bot"


@pytest.fixture
def run(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run `signoff webhooks …` beside a server that may post to this machine."""
    (tmp_path / "data").mkdir(mode=0o700)
    for name, value in {
        "SIGNOFF_DATA": str(tmp_path / "data"),
        "SIGNOFF_DATABASE_URL": f"sqlite:///{tmp_path / 'signoff.db'}",
        "SIGNOFF_SIGNING_KEY": core.signer.private_text(),
        "SIGNOFF_WEBHOOK_HOSTS": "127.0.0.0/8",
    }.items():
        monkeypatch.setenv(name, value)

    def one(*arguments: str) -> Answer:
        code = main(("webhooks", *arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return one


def worker(core: Core) -> Outbox:
    hosts = Hosts.read("127.0.0.1")
    return Outbox(core.store, core.signer, "https://signoff.example.com", hosts, lambda _: True)


def made(said: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in said.splitlines())


def test_an_endpoint_from_its_registration_to_its_end(run: Run, core: Core) -> None:
    with receiving(answer("503 Service Unavailable")) as receiver:
        code, out, err = run("add", AGENT, receiver.url)
        told = made(out)
        endpoint = told["SIGNOFF_WEBHOOK_ID"]
        assert code == 0 and endpoint.startswith("ep_")
        assert f"no agent called {AGENT} has been added, or has asked yet" in err
        assert told["SIGNOFF_WEBHOOK_SECRET"].startswith("whsec_")
        assert told["SIGNOFF_WEBHOOK_PUBLIC_KEY"].startswith("whpk_")
        code, _, err = run("add", AGENT, receiver.url)
        assert code == 2 and endpoint in err
        assert "nothing was sent yet" in run("list")[1]

        core.approvals.decide(core.submit().id, 1, "U0ANA", "approve")
        assert "1 wait" in run("list")[1]
        worker(core).step()
        listed = run("list")[1]
        assert "answered 503; fails since" in listed and receiver.url in listed
        [one] = json.loads(run("list", "--json")[1])
        assert (one["id"], one["agent"], one["waiting"], one["answer"]) == (
            endpoint,
            AGENT,
            1,
            "answered 503",
        )
        assert (
            "request.approved, waits until" in run("deliveries")[1] and "answered 503" in run("deliveries")[1]
        )
        assert run("deliveries", "--failed") == (0, "", "signoff: no message.\n")
        assert run("test", endpoint) == (1, f"{endpoint} did not take it: answered 503.\n", "")

        receiver.behave = answer("200 OK")
        assert run("test", endpoint) == (0, f"{endpoint} took it: answered 200.\n", "")
        assert receiver.got[-1].told["type"] == "webhook.test"
        assert run("replay", endpoint)[2].endswith(": 1.\n")
        worker(core).step()
        [message] = json.loads(run("deliveries", endpoint, "--json")[1])
        assert message["code"] == 200 and message["fault"] is None and message["ended_at"]
        assert run("replay", endpoint)[2].endswith(": 0.\n")
        assert run("replay", message["id"])[0] == 0
        worker(core).step()
        again = [got.id for got in receiver.got if got.id == message["id"]]
        assert len(again) == 3

        assert run("off", endpoint)[0] == 0 and "it was off already" in run("off", endpoint)[2]
        assert "off since" in run("list")[1] and "by an operator" in run("list")[1]
        core.approvals.decide(core.submit().id, 1, "U0ANA", "reject")
        for kept in ((endpoint,), (message["id"],), (endpoint, "--since", "1d")):
            assert run("replay", *kept)[0] == 2
        assert "replay --since" in run("on", endpoint)[2] and "it was on already" in run("on", endpoint)[2]
        assert run("replay", endpoint, "--since", "1d")[2].endswith(": 1.\n")
        assert run("replay", endpoint, "--since", "1d", "--all")[2].endswith(": 2.\n")
        assert run("replay", endpoint, "--all")[0] == run("replay", message["id"], "--since", "1d")[0] == 2
        worker(core).step()
        assert len({got.told["data"]["id"] for got in receiver.got if "request" in got.told["type"]}) == 2

        assert made(run("secret", endpoint)[1]) == told
        new = made(run("secret", endpoint, "--rotate")[1])
        assert new["SIGNOFF_WEBHOOK_ID"] == endpoint and not set(new.values()) & set(told.values()) - {
            endpoint
        }
        assert run("remove", endpoint)[0] == 0 and run("remove", endpoint)[0] == 2
        assert run("list") == (
            0, "", "signoff: there is no endpoint yet: `signoff webhooks add AGENT URL` registers one.\n"
        )  # fmt: skip
        assert not json.loads(run("deliveries", "--json")[1])


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "https://169.254.169.254/latest/", "https://10.0.0.1/", "https://2130706433/",
     "https://localhost/", "https://user:pw@example.com/", "ftp://127.0.0.1/", "https://[::1]/", "nonsense"],
)  # fmt: skip
def test_a_private_or_doubtful_address_is_not_registered(run: Run, core: Core, url: str) -> None:
    code, out, err = run("add", AGENT, url)
    assert code == 2 and not out and err.startswith("signoff: Nothing may be posted there: ")
    assert "pw" not in err and rows.all_of(core.store) == []


def test_a_name_that_leads_to_this_machine_is_judged_by_its_address(
    run: Run, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNOFF_WEBHOOK_HOSTS", "ip6-localhost.example")
    monkeypatch.setattr("socket.getaddrinfo", lambda host, port, **_: [(2, 1, 6, "", ("10.1.2.3", port))])
    code, _, err = run("add", AGENT, "https://leads.example.com/")
    assert code == 2 and "10.1.2.3 is not public" in err
    monkeypatch.setattr("socket.getaddrinfo", nobody)
    code, _, err = run("add", AGENT, "https://leads.example.com/", "--events", "request.rejected")
    assert code == 0 and "is not known here now" in err
    assert [one.events for one in rows.all_of(core.store)] == [("request.rejected",)]


def nobody(*_: object, **__: object) -> None:
    raise OSError


def test_what_is_wrong_is_named_and_nothing_is_written(run: Run, core: Core) -> None:
    for arguments, said in (
        (("add", "Billing Bot", "https://127.0.0.1/"), "name"),
        (
            ("add", AGENT, "https://127.0.0.1/", "--events", "request.approved,decided"),
            "'decided' is none of",
        ),
        *(
            ((name, "ep_none"), "no endpoint ep_none")
            for name in ("test", "secret", "off", "on", "remove", "replay")
        ),
        (("deliveries", "ep_none"), "no endpoint ep_none"),
        (("replay", "msg_none"), "no message msg_none"),
        (("secret", "ep_none", "--rotate"), "no endpoint ep_none"),
    ):
        code, out, err = run(*arguments)
        assert code == 2 and said in err and not out, arguments
    assert rows.all_of(core.store) == []


def test_the_setting_is_checked_where_it_is_read(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv("SIGNOFF_WEBHOOK_HOSTS", "hooks.corp:9000")
    code, _, err = run("list")
    assert code == 2 and "SIGNOFF_WEBHOOK_HOSTS" in err and "without a port" in err
    monkeypatch.setenv("SIGNOFF_WEBHOOK_HOSTS", "hooks.corp, 10.0.0.0/8")
    assert server_settings.load().webhook_hosts == "hooks.corp, 10.0.0.0/8"
