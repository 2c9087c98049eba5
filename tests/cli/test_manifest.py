"""manifest.yml: what the code uses, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import signoff
from signoff.cli.doctor.workspace import OPTIONAL, SCOPES
from signoff.cli.main import main

PACKAGE = Path(signoff.__file__).parent
ROOT = PACKAGE.parent
BY_METHOD = {
    "auth.test": set(),
    "blocks.validate": set(),
    "apps.connections.open": set(),  # the app's token: connections:write
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "chat.getPermalink": set(),
    "users.info": {"users:read"},
    "usergroups.users.list": {"usergroups:read"},
    "conversations.info": {"channels:read", "groups:read"},
    "conversations.list": {"channels:read", "groups:read"},
    "conversations.history": {"channels:history", "groups:history", "im:history"},
    "conversations.replies": {"channels:history", "groups:history", "im:history"},
    "files.getUploadURLExternal": {"files:write"},
    "files.completeUploadExternal": {"files:write"},
    "files.delete": {"files:write"},
    "views.open": set(),
    "views.push": set(),
    "views.update": set(),
    "views.publish": set(),
}
"""Slack's Web API methods → the bot scopes that each wants."""
FAMILIES = "blocks|auth|apps|api|chat|users|usergroups|conversations|views|reactions|pins|files|team|bots"
NO_METHODS = {"users.acl", "files.read", "api.html"}
"""Files and a tool's name, which look like methods."""
METHOD = re.compile(rf'"((?:{FAMILIES})(?:\.\w+)+)"')


def scopes(manifest: str) -> dict[str, str]:
    """Scope → its comment."""
    part = manifest.partition("    bot:\n")[2].partition("settings:")[0]
    return dict(re.findall(r"^      - ([a-z_:.]+)(?: # (.+))?$", part, re.MULTILINE))


def test_the_command_prints_the_file_that_is_in_the_repository(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manifest"]) == 0
    assert capsys.readouterr().out == (ROOT / "manifest.yml").read_text()


def test_it_asks_for_every_scope_that_the_code_uses_and_no_other() -> None:
    inside = [file.relative_to(PACKAGE) for file in PACKAGE.rglob("*.py")]
    code = [PACKAGE / file for file in inside if not {"sandbox", "gallery"} & {*file.parts}]
    methods = {method for file in code for method in METHOD.findall(file.read_text())} - NO_METHODS
    assert {"chat.postMessage", "views.open", "users.info"} <= methods <= BY_METHOD.keys()
    used = (
        set().union(*(BY_METHOD[method] for method in methods))
        | {"commands", "app_mentions:read"}
        | {"files:write"}
    )
    assert scopes((ROOT / "manifest.yml").read_text()).keys() == used == {*SCOPES, *OPTIONAL}


def test_what_may_be_left_out_is_asked_for_too() -> None:
    asked = yaml.safe_load((ROOT / "manifest.yml").read_text())["oauth_config"]["scopes"]
    assert asked["bot_optional"] == list(OPTIONAL) and set(OPTIONAL) < set(asked["bot"])
    assert not set(OPTIONAL) & set(SCOPES) and all(OPTIONAL.values())


def test_every_scope_is_explained() -> None:
    assert all(scopes((ROOT / "manifest.yml").read_text()).values())


def test_it_has_the_command_the_home_the_events_and_socket_mode() -> None:
    text = (ROOT / "manifest.yml").read_text()
    for line in (
        "- command: /approvals", "- name: Pending approvals", "type: global", "callback_id: pending",
        "should_escape: true", "home_tab_enabled: true", "- app_home_opened", "- app_mention",
        "- user_change", "- subteam_members_changed", "- app_uninstalled", "- tokens_revoked",
        "- name: Decide…", "type: message", "callback_id: decide",
        "messages_tab_enabled: true", "messages_tab_read_only_enabled: true", "is_enabled: true",
        "socket_mode_enabled: true",
    ):  # fmt: skip
        assert line in text


def test_names_keep_slacks_limits() -> None:
    text = (ROOT / "manifest.yml").read_text()
    fields = dict(re.findall(r"^  (name|description): (.+)$", text, re.MULTILINE))
    assert len(fields["name"]) <= 35 and len(fields["description"]) <= 140


def test_by_http_slack_is_given_the_one_address_in_all_its_places(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["manifest", "--http", "https://signoff.example.com/"]) == 0
    text = capsys.readouterr().out
    address, found = "https://signoff.example.com/slack/events", yaml.safe_load(text)
    assert [one["url"] for one in found["features"]["slash_commands"]] == [address]
    assert found["settings"]["event_subscriptions"].pop("request_url") == address
    interactivity = found["settings"]["interactivity"]
    assert interactivity == {
        "is_enabled": True, "request_url": address, "message_menu_options_url": address
    }  # fmt: skip
    assert found["settings"].pop("socket_mode_enabled") is False
    usual = yaml.safe_load((ROOT / "manifest.yml").read_text())
    assert usual["settings"].pop("socket_mode_enabled") is True
    del found["features"]["slash_commands"][0]["url"]
    usual["settings"]["interactivity"] = interactivity
    assert found == usual, "and nothing else is other"
    head = text.partition("display_information")[0]
    assert "SLACK_SIGNING_SECRET" in head and "SLACK_APP_TOKEN" not in head


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://a.example/signoff/", "https://a.example/signoff/slack/events"),
        ("https://a.example/slack/events", "https://a.example/slack/events"),
        ("http://127.0.0.1:8480", "http://127.0.0.1:8480/slack/events"),
        ("http://a.example", ""), ("ftp://a.example", ""), ("a.example", ""), ("https://", ""), ("", "-"),
        ("https://a.example/?x=1", ""), ('https://a.example/"\nx: y', ""), ("https://me@a.example", ""),
        ("https://a.example:port", ""), ("https://ä.example", ""), ("https://a.example/{url}", ""),
    ],
)  # fmt: skip
def test_only_what_slack_could_call_is_an_address(
    capsys: pytest.CaptureFixture[str], url: str, address: str
) -> None:
    code = main(["manifest", "--http", url])
    said = capsys.readouterr()
    if address:
        assert code == 0 and (address == "-" or f'url: "{address}"' in said.out)
    else:
        assert code == 2 and said.out == "" and said.err.count("\n") == 1 and "https://" in said.err
