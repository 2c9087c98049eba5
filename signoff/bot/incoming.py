"""A call of Slack's by HTTP: whether it is Slack's, what it says, and what Bolt answers.

Bolt's own handlers are not used: they answer an unsigned ssl_check, fail at a timestamp that is no number,
and take a command whose text holds the word "payload" for something else. So a call is verified here, on the
bytes as they came, parsed once, and then dispatched as Socket Mode's are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from slack_bolt import App
from slack_bolt.request import BoltRequest
from slack_sdk.signature import Clock, SignatureVerifier

from signoff.errors import Invalid

WINDOW_SECONDS = 300
"""How far from now a call's time may be, as Slack advises."""
MOST_FIELDS = 100
"""Slack's forms have one field, or those of a command: some fifteen."""
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)

Body = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What is answered: HTTP's status, the content type and the text."""

    status: int
    kind: str = "text/plain"
    text: str = ""


Dispatch = Callable[[Body, Mapping[str, str]], Reply]
"""What listeners answer to a body; with the headers of Slack's about its retries."""


class Signing:
    """Verifies what is signed with a secret; the secret is in no text of its own."""

    def __init__(self, secret: str, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._verifier = SignatureVerifier(secret, self._clock)

    def fault(self, raw: bytes, timestamp: str, signature: str) -> str:
        """Why a call is not taken for Slack's; empty where it is."""
        if not timestamp or not signature:
            return "it is not signed"
        if not _TIME.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return "its signature is none of Slack's"
        if self.left(timestamp) <= 0 or int(timestamp) - self._clock.now() > WINDOW_SECONDS:
            return "its time is more than five minutes from this machine's"
        try:
            fits = self._verifier.is_valid(raw, timestamp, signature)
        except UnicodeDecodeError:
            return "its body is not UTF-8"
        return "" if fits else "its signature does not fit: is SLACK_SIGNING_SECRET this app's?"

    def left(self, timestamp: str) -> int:
        """Whole seconds for which a call of this time would be taken; 0 where it is too old."""
        return max(0, int(int(timestamp) + WINDOW_SECONDS + 1 - self._clock.now()))


def parsed(raw: bytes, content_type: str) -> Body:
    """A call's body, from the bytes that were signed; raises Invalid.

    An interaction is a form whose field `payload` holds JSON; a command is a form; an event is JSON.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == FORM:
            pairs = parse_qsl(
                raw.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
            )
            fields: Body = dict(pairs)
            is_command = "command" in fields or "payload" not in fields
            return fields if is_command else _object(fields["payload"])
        if kind == JSON:
            return _object(raw.decode())
    except (ValueError, RecursionError):
        raise Invalid("The body cannot be read.") from None
    raise Invalid("The body is neither JSON nor a form.")


def _object(text: str) -> Body:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError
    return found


def dispatched(app: App, body: Body, headers: Mapping[str, str]) -> Reply:
    """What the listeners of a Bolt app answer."""
    answer = app.dispatch(BoltRequest(body=body, mode="socket_mode", headers=dict(headers)))
    kind = (answer.headers.get("content-type") or ["text/plain"])[0]
    return Reply(answer.status, kind, answer.body or "")
