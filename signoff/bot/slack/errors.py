"""What Slack answered, translated once.

SlackError
├── SlackUnavailable   later: it is busy, away, or did not say what it did
└── SlackRefused       never, until somebody changes something
"""

from __future__ import annotations

from signoff.errors import SignoffError


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

    `code` is Slack's own word for it, such as `channel_not_found`.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}. {detail}".strip())
        self.code = code
