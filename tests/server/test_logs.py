"""What the server logs, and what it never does."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from signoff.server import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], _ = handlers, root.setLevel(level)


def test_our_records_are_written_with_level_and_logger(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO")
    logging.getLogger("signoff.bot").info("connected: %d", 2)
    logging.getLogger("signoff.bot").debug("not this")
    err = capsys.readouterr().err
    assert "connected: 2" in err and "signoff.bot" in err and "info" in err
    assert "not this" not in err


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO", as_json=True)
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("signoff.worker").exception("it failed")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["logger"]) == ("it failed", "error", "signoff.worker")
    assert "ValueError" in line["exception"]


@pytest.mark.parametrize("as_json", [True, False])
def test_libraries_never_show_bodies_even_at_debug(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("DEBUG", as_json=as_json)
    for name in ("slack_bolt.App", "slack_sdk.web.base_client", "rq.worker", "app.py", "app.py:SocketMode"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)  # as Bolt does with its own
        logger.debug("xoxb-token")
        logger.info("payload-body")
    logging.getLogger("slack_bolt.App").warning("Unhandled request payload-body")
    password = "row-value"  # a name that a traceback with variables would show
    try:
        raise ValueError(password)
    except ValueError:
        logging.getLogger("rq.worker").exception("job failed\npayload-body")
    logging.getLogger("slack_sdk").error("cannot read %s", "x" * 500 + "payload-body")
    err = capsys.readouterr().err
    assert "job failed (ValueError)" in err and "cannot read xxx" in err
    for secret in ("xoxb-token", "payload-body", "row-value", "Traceback"):
        assert secret not in err


def test_a_traceback_of_ours_shows_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO")
    hidden = "".join(["xoxb", "-", "secret"])
    try:
        _ = {}[len(hidden)]
    except KeyError:
        logging.getLogger("signoff").exception("it failed")
    err = capsys.readouterr().err
    assert "KeyError" in err
    assert hidden not in err
