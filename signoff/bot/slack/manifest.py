"""The manifest of the Slack app, for either way in which Slack reaches Signoff."""

from __future__ import annotations

from importlib.resources import files
from ipaddress import ip_address
from urllib.parse import urlsplit

from signoff.errors import ConfigError

PATH = "/slack/events"
"""The one address that Slack calls: for events, buttons and forms, searches, and commands."""
_HTTPS = (
    "Slack calls https://… only: give the address of a proxy that has a certificate, as in SIGNOFF_WEB_URL."
)
_TOKEN = """\
# Then: Basic Information, App-Level Tokens, one with connections:write → SLACK_APP_TOKEN (xapp-…);
# Install App → SLACK_BOT_TOKEN (xoxb-…).
"""
_SECRET = """\
# Then: Basic Information, Signing Secret → SLACK_SIGNING_SECRET; Install App → SLACK_BOT_TOKEN (xoxb-…).
# Slack calls `signoff web` at its address: with both set, it answers when Slack verifies that.
"""
_BY_HTTP = (
    (_TOKEN, _SECRET),
    ("    - command: /approvals\n", '    - command: /approvals\n      url: "{url}"\n'),
    ("  event_subscriptions:\n", '  event_subscriptions:\n    request_url: "{url}"\n'),
    (
        "    is_enabled: true # buttons and forms\n",
        '    is_enabled: true # buttons and forms\n    request_url: "{url}"\n'
        '    message_menu_options_url: "{url}" # searches in forms\n',
    ),
    (
        "  socket_mode_enabled: true # no public address is needed\n",
        "  socket_mode_enabled: false # Slack calls the address above\n",
    ),
)
"""What stands otherwise in the file where Slack calls us."""


def manifest(url: str = "") -> str:
    """The manifest for Socket Mode; with SIGNOFF_WEB_URL's address, for Slack that calls there.

    Raises ConfigError where Slack could not call it.
    """
    text = (files("signoff.bot.slack") / "manifest.yml").read_text(encoding="utf-8")
    if not url:
        return text
    address = request_url(url)
    for ours, theirs in _BY_HTTP:
        if text.count(ours) != 1:
            raise AssertionError(f"manifest.yml has changed: {ours!r}")
        text = text.replace(ours, theirs.replace("{url}", address))
    return text


def request_url(url: str) -> str:
    """The address that Slack is given: of a web role that is reached at `url`. Raises ConfigError."""
    if any(char in url for char in "\"'\\ <>#?@{}") or not url.isascii() or not url.isprintable():
        raise ConfigError(f"That is no address. {_HTTPS}")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host = ""
    if not host:
        raise ConfigError(f"That is no address. {_HTTPS}")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(host)):
        raise ConfigError(_HTTPS)
    return url.rstrip("/").removesuffix(PATH).rstrip("/") + PATH


def _is_here(host: str) -> bool:
    """Whether it is this machine, where Slack's stand-in may call."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
