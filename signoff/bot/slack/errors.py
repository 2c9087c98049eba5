"""What Slack answered, translated once.

SlackError
├── SlackUnavailable   later: it is busy, away, or did not say what it did
└── SlackRefused       never, until somebody changes something
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signoff.errors import SignoffError

if TYPE_CHECKING:
    from slack_sdk.errors import SlackApiError

UNDONE = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "org_login_required",
        "external_channel_migrating",
    }
)
"""What Slack says of trouble that passes, before it has done anything."""
RETRYABLE = UNDONE | {"internal_error", "fatal_error", "update_failed"}
"""What passes by itself. Of those that are not in `UNDONE` it may have done its part."""
_CODE = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,99}")
"""Slack's errors are one word; what a proxy says, or the SDK of an answer that it cannot read, is none."""
LONGEST_PAUSE = 600.0
"""Seconds that anybody's Retry-After is believed: Slack's are minutes at most."""
WHAT_TO_DO = {
    "channel_not_found": "Check SIGNOFF_CHANNEL, and invite the app to the channel if it is private.",
    "not_in_channel": "Invite the app: write /invite and its name in the channel.",
    "is_archived": "The channel is archived: unarchive it, or set SIGNOFF_CHANNEL to another one.",
    "token_revoked": "Install the app again and set SLACK_BOT_TOKEN to the new token.",
    "token_expired": "Set SLACK_BOT_TOKEN to a token that is valid.",
    "account_inactive": "Install the app again and set SLACK_BOT_TOKEN to the new token.",
    "invalid_auth": "Set SLACK_BOT_TOKEN to the app's bot token (xoxb-…).",
    "not_authed": "Set SLACK_BOT_TOKEN to the app's bot token (xoxb-…).",
    "missing_scope": "Install the app again with the scopes of manifest.yml.",
}


class SlackError(SignoffError):
    """Slack did not do it."""


class SlackUnavailable(SlackError):
    """Slack is busy or away.

    `seconds` is how long it asked to be left alone (its Retry-After), else a pause of ours. `limited` is the
    method that was called too often, else empty. `undone` says that it has surely done nothing; else it may
    have, and its answer was lost.
    """

    def __init__(
        self, detail: str = "", seconds: float = 2.0, *, limited: str = "", undone: bool = False
    ) -> None:
        super().__init__(detail)
        self.seconds, self.limited, self.undone = seconds, limited, undone or bool(limited)


class SlackRefused(SlackError):
    """Slack refuses.

    `code` is Slack's own word for it, such as `channel_not_found`; `errors` are the answer's, where it names
    each by itself.
    """

    def __init__(self, code: str, detail: str = "", errors: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(f"{code}. {detail}".strip())
        self.code, self.errors = code, tuple(errors)


@dataclass(frozen=True)
class Refusal:
    """One thing that Slack would refuse: where (a JSON pointer), its code for that, and why in its words."""

    pointer: str
    code: str
    message: str
    expected: str = ""

    @classmethod
    def read(cls, error: Mapping[str, Any]) -> Refusal:
        """As `blocks.validate` answers it."""
        constraint = error.get("constraint")
        expected = json.dumps(constraint) if constraint is not None else ""
        pointer, code, message = (str(error.get(name) or "") for name in ("pointer", "code", "message"))
        return cls(pointer, code, message, expected)


def translated(method: str, error: SlackApiError) -> SlackError:
    """What an answer that is no `ok` means: unavailable, or refused where Slack itself says so.

    Proxies and Slack's edge answer 5xx, and even 200, with HTML or nothing: of that nothing is believed.
    """
    answer = error.response
    said = answer.data if isinstance(answer.data, dict) else {}
    code = str(said.get("error") or "")
    limited = answer.status_code == 429 or code in ("ratelimited", "rate_limited")
    if limited or code in RETRYABLE or answer.status_code >= 500 or not _CODE.fullmatch(code):
        after = header(answer.headers, "Retry-After")
        return SlackUnavailable(
            f"{code if _CODE.fullmatch(code) else 'its answer is not Slack’s'}.",
            min(float(after), LONGEST_PAUSE) if after.isascii() and after.isdigit() else 2.0,
            limited=method if limited else "",
            undone=code in UNDONE and answer.status_code < 500,
        )
    told = said.get("response_metadata")
    lines = (told.get("messages") if isinstance(told, dict) else None) or []
    each = said.get("errors")
    errors = [one for one in each if isinstance(one, dict)] if isinstance(each, list) else []
    return SlackRefused(code, WHAT_TO_DO.get(code) or (json.dumps(lines[:3]) if lines else ""), errors)


def header(headers: Mapping[str, Any], name: str) -> str:
    """A header of an answer, however it is spelled; empty where it is not there."""
    return next((str(value) for key, value in headers.items() if key.lower() == name.lower()), "")


def was_taken(status: int, body: str | None) -> bool:
    """Whether Slack took what was sent to a response_url: it says `ok`. A proxy does not."""
    said = "".join((body or "").split())
    return status == 200 and (said == "ok" or '"ok":true' in said)
