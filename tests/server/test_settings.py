"""Settings of the server and of an agent: bad ones are named, and never repeated where they are secret."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from signoff.errors import ConfigError
from signoff.queue import data_folder
from signoff.receipts import Signer
from signoff.server import settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("SIGNOFF_", "SLACK_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path))


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> settings.Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return settings.load()


def test_lists_are_parted_by_commas_or_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    found = given(
        monkeypatch, SIGNOFF_APPROVERS="U0ANA, S0FIN members U0ANA", SIGNOFF_CHANNEL="#agent-approvals",
        SIGNOFF_ADMINS="U0OMAR,W0BEN",
    )  # fmt: skip
    assert found.policy().approvers == ("U0ANA", "S0FIN", "members")
    assert found.admin_ids() == ("U0OMAR", "W0BEN")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "Nobody may decide: set SIGNOFF_APPROVERS"),
        ({"SIGNOFF_APPROVERS": "  ,"}, "Nobody may decide"),
        ({"SIGNOFF_APPROVERS": "@ana", "SIGNOFF_CHANNEL": "C1"}, "'@ana' is no user id"),
        ({"SIGNOFF_APPROVERS": "everyone", "SIGNOFF_CHANNEL": "C1"}, "'everyone' is no user id"),
        ({"SIGNOFF_APPROVERS": "U0ANA"}, "SIGNOFF_CHANNEL"),
        ({"SIGNOFF_APPROVERS": "U0ANA", "SIGNOFF_CHANNEL": "two words"}, "SIGNOFF_CHANNEL"),
    ],
)
def test_nobody_named_or_nowhere_to_ask_is_refused(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        given(monkeypatch, **values).policy()


def test_an_admin_has_to_be_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="'S0FIN' is no user id"):
        given(monkeypatch, SIGNOFF_ADMINS="S0FIN").admin_ids()


@pytest.mark.parametrize(
    ("name", "value"),
    [("SIGNOFF_RECEIPT_HOURS", "soon"), ("SIGNOFF_RECEIPT_HOURS", "0"), ("SIGNOFF_LOG_LEVEL", "LOUD")],
)
def test_a_wrong_value_names_its_variable_and_does_not_repeat_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        given(monkeypatch, **{name: value})
    assert value not in str(caught.value).replace("0.", "")


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Signer.generate().private_text()
    found = given(
        monkeypatch, SLACK_BOT_TOKEN="xoxb-canary", SLACK_APP_TOKEN="xapp-canary", SIGNOFF_SIGNING_KEY=key
    )
    assert "canary" not in repr(found) + str(found) and key not in repr(found)


def test_slack_calls_us_or_we_listen_to_it_and_never_both(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = given(monkeypatch, SLACK_APP_TOKEN="xapp-canary", SLACK_SIGNING_SECRET=" ")
    assert (listening.app_token, listening.signing_secret) == ("xapp-canary", None)
    called = given(monkeypatch, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=" 8f742231canary \n")
    assert called.signing_secret == "8f742231canary" and "canary" not in repr(called) + str(called)
    with pytest.raises(ConfigError, match="Slack calls the role `web`"):
        _ = called.app_token
    both = given(monkeypatch, SLACK_APP_TOKEN="xapp-canary", SLACK_SIGNING_SECRET="8f742231canary")
    for name in ("app_token", "signing_secret"):
        with pytest.raises(ConfigError, match=r"are both set: .*; unset the other") as caught:
            getattr(both, name)
        assert "canary" not in str(caught.value)
    neither = given(monkeypatch, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET="")
    assert neither.signing_secret is None
    with pytest.raises(ConfigError, match=r"SLACK_APP_TOKEN is not set.*SLACK_SIGNING_SECRET instead"):
        _ = neither.app_token
    for wrong in ("xoxb-canary", "xapp-canary", "two canaries", "canäry", "can\x1bary"):
        with pytest.raises(ConfigError, match=r"SLACK_SIGNING_SECRET: is no signing secret") as caught:
            given(monkeypatch, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=wrong)
        assert wrong not in str(caught.value)


def test_the_signing_key_is_made_once_and_only_its_owner_reads_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = given(monkeypatch)
    with pytest.raises(ConfigError, match="signoff keys generate"):
        found.signer()
    made = found.signer(create=True)
    assert found.signer().kid == made.kid
    assert stat.S_IMODE(found.key_file.stat().st_mode) == 0o600
    found.key_file.write_text("damaged")
    with pytest.raises(ConfigError, match="signing key is not valid"):
        found.signer(create=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://slack.com/api/", "https://slack.com/api", "HTTPS://slack.com/api", "https://relay.corp:8443/x",
        "http://localhost:9100/api/", "http://127.0.0.1:9100/api", "http://127.8.9.1/api", "http://[::1]:1/api/",
    ],
)  # fmt: skip
def test_slack_is_reached_by_tls_or_on_this_machine(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    found = given(monkeypatch, SLACK_API_URL=url).slack_api_url
    assert found == url.rstrip("/") + "/"


def test_an_empty_address_is_slacks_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch, SLACK_API_URL="").slack_api_url == "https://slack.com/api/"


@pytest.mark.parametrize(
    "url",
    [
        "slack.com", "http://slack.com/api/", "http://evil.example/api/", "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/", "http://127.0.0.1@evil.example/", "http://localhost:1@evil.example/",
        "https://u:p@slack.com/", "http://evil.example#@127.0.0.1/", "http://evil.example?127.0.0.1",
        "http://evil.example\\@127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f.0.0.1/",
        "http://0.0.0.0/", "http://10.0.0.1/", "http://169.254.1.1/", "http://[::]/", "http://[::ffff:10.0.0.1]/",
        "http://[fe80::1]/", "http:///api/", "http:api", "//127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/",
        "https://", "https:///api", "http://127.0.0.1:99999/", "http://[::1/", "http://loc\u0430lhost/",
        "http://localhost/ \tx", "https://slack.com/\nx", "https://slack.com/?x=1", "ws://127.0.0.1/",
    ],
)  # fmt: skip
def test_tokens_go_nowhere_in_the_clear(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(ConfigError, match=r"SLACK_API_URL: .*https") as caught:
        given(monkeypatch, SLACK_API_URL=url)
    assert url not in str(caught.value).replace("https://…", "")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_postgresql_url_gets_the_driver_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    found = given(monkeypatch, SIGNOFF_DATABASE_URL=f"{scheme}://u@h/d")
    assert found.database == "postgresql+psycopg://u@h/d"


def test_an_env_file_is_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("# comment\n\nexport A=1\nB = 'two words'\nC=\"x=y\"\nD=\n")
    assert data_folder.read_env_file(path) == {"A": "1", "B": "two words", "C": "x=y", "D": ""}
    path.write_text("A=1\nhunter2\n")
    with pytest.raises(ConfigError, match="line 2: expected NAME=value") as caught:
        data_folder.read_env_file(path)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        data_folder.read_env_file(tmp_path / "missing")


def test_a_private_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    data_folder.write_private(path, "one")
    data_folder.write_private(path, "two")
    assert path.read_text() == "two" and [p.name for p in path.parent.iterdir()] == ["secret"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"WEB_BIND": "127.0.0.1:8481"}, "SIGNOFF_HEALTH_BIND: is 127.0.0.1:8481, where SIGNOFF_WEB_BIND"),
        ({"WEB_BIND": "8480"}, "SIGNOFF_WEB_BIND: has to be host:port, such as 127.0.0.1:8480."),
        ({"HEALTH_BIND": "8481"}, "SIGNOFF_HEALTH_BIND: has to be host:port, such as 127.0.0.1:8481."),
        ({"WEB_URL": "https://me:hidden@x/a?x=1"}, "SIGNOFF_WEB_URL: has to be an address alone: without"),
        ({"WEB_URL": "https://x/#there"}, "SIGNOFF_WEB_URL: has to be an address alone"),
        ({"WEB_URL": "http://example.org"}, "SIGNOFF_WEB_URL: has to be https://"),
    ],
)  # fmt: skip
def test_what_is_wrong_about_an_address_is_said(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        given(monkeypatch, **{f"SIGNOFF_{name}": value for name, value in values.items()})
    said = str(caught.value)
    assert says in said and "hidden" not in said and "Value error" not in said


def test_two_ports_of_any_number_are_two() -> None:
    found = settings.Settings(web_bind="127.0.0.1:0", health_bind="127.0.0.1:0")
    assert found.web_bind == found.health_bind
