"""Logging of the server's roles: the standard library's, written by structlog to stderr."""

from __future__ import annotations

import logging
import sys

import structlog

OURS = "signoff"
LONGEST = 200
"""Characters of a library's message: some repeat the whole body of what they choked on."""


class _Libraries(logging.Filter):
    """Lets nothing through in which a library repeats payloads, tokens or message bodies.

    By the name of the logger, and here rather than by its level: Bolt gives its loggers the root's level,
    and names some of them after a file.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Libraries: from WARNING on (Bolt, whose warnings hold bodies: ERROR), one line, no traceback."""
        if record.name == OURS or record.name.startswith(f"{OURS}."):
            return True
        if record.levelno < (logging.ERROR if record.name.startswith("slack_bolt") else logging.WARNING):
            return False
        message = (record.getMessage().splitlines() or [""])[0][:LONGEST]
        kind = record.exc_info[0] if record.exc_info else None
        record.msg, record.args = f"{message} ({kind.__name__})" if kind else message, ()
        record.exc_info = record.exc_text = record.stack_info = None
        return True


def setup(level: str = "INFO", *, as_json: bool = False) -> None:
    """Send every record of `level` and above to stderr: lines for people, or one JSON object each.

    `level` is a name that `logging` knows. Libraries say no more than warnings, whatever `level` is.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    written: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                pad_event_to=0,
                exception_formatter=structlog.dev.plain_traceback,  # rich's shows the values of variables
            )
        ]
    )
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, *written])
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    handler.addFilter(_Libraries())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
