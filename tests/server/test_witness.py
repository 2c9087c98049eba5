"""Heads go outside each minute, to whatever kind of witness; one that is away stops nothing."""

from __future__ import annotations

import http.server
import json
import os
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support import Core, eventually

from signoff.approvals import audit
from signoff.approvals.audit import heads
from signoff.errors import ConfigError, NotVerified
from signoff.models.log import Head
from signoff.receipts import Signer, verify_keys
from signoff.server.witness import call, kinds, stamps, timer
from signoff.server.witness.kinds import witnesses
from signoff.server.witness.timer import PATIENCE, Heads

HEAD = Head(12, "ab" * 32)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers what the test wants, and keeps what was sent."""

    answer: Callable[[Handler], None]
    got: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        type(self).got.append((self.path, self.rfile.read(length)))
        type(self).answer(self)

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        pass

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def service(answer: Callable[[Any], None]) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """An HTTP service on this machine; its address, and what it got."""
    got: list[tuple[str, bytes]] = []
    kind = type("OfThisTest", (Handler,), {"answer": answer, "got": got})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        thread.join(timeout=20)
        server.server_close()


def of(core: Core, text: str, data: Path, told: list[str] | None = None, **options: Any) -> Heads:
    def tell(faults: Sequence[str]) -> bool:
        if told is not None:
            told.extend(faults)
        return True

    return Heads(core.store, core.signer, "signoff", witnesses(text, data), tell, **options)


def found_in(core: Core, text: str) -> heads.Seen:
    seen = heads.Seen()
    heads.read(text.splitlines(), verify_keys(core.signer.verify_key), "signoff", seen)
    return seen


def test_a_file_is_added_to_and_read_by_nobody_else(core: Core, tmp_path: Path) -> None:
    path = tmp_path / "heads.log"
    watch = of(core, f"{path} file:{tmp_path}/second.log", tmp_path)
    watch.step()
    core.submit()
    watch.step()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_text().splitlines()
    head = audit.verify(core.store)
    assert len(lines) == 2 and lines[1].split()[1:3] == [str(head.lines), head.head]
    seen = found_in(core, path.read_text())
    assert seen.heads == {0: audit.START, 2: head.head} and not seen.refused
    assert len((tmp_path / "second.log").read_text().splitlines()) == 2
    assert audit.verify(core.store, heads=seen.heads).unseen == ()


def test_a_link_is_not_followed(core: Core, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("")
    (tmp_path / "heads.log").symlink_to(tmp_path / "target")
    watch = of(core, str(tmp_path / "heads.log"), tmp_path)
    watch.step()
    assert watch.attendance[0].failed == 1 and (tmp_path / "target").read_text() == ""


def test_syslog_gets_a_head_by_udp(core: Core, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        of(core, f"syslog://127.0.0.1:{server.getsockname()[1]}", tmp_path).step()
        text = server.recv(65_536).decode()
    assert text.startswith("<14>signoff: head lines=0") and found_in(core, text).heads == {0: audit.START}


def test_this_machines_syslog_gets_one_too(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        server.settimeout(20)
        monkeypatch.setattr(kinds, "DEVICE", str(tmp_path / "log"))
        watch = of(core, "syslog:", tmp_path)
        watch.step()
        assert found_in(core, server.recv(65_536).decode()).heads == {0: audit.START}
    os.unlink(tmp_path / "log")
    watch.step()
    assert watch.attendance[0].failed == 1


def test_a_webhook_gets_a_head(core: Core, tmp_path: Path) -> None:
    with service(lambda handler: handler.reply(204)) as (url, got):
        of(core, f"{url}/heads?room=1", tmp_path).step()
    [(path, body)] = got
    sent = json.loads(body)
    assert path == "/heads?room=1" and (sent["lines"], sent["head"]) == (0, audit.START)
    assert found_in(core, sent["token"]).heads == {0: audit.START}


def _drip(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while True:
        handler.wfile.write(b".")
        handler.wfile.flush()
        time.sleep(0.02)  # a service that keeps its caller: this is what it does, not what the test waits for


ANSWERS: dict[str, Callable[[Any], None]] = {
    "redirected": lambda handler: handler.reply(307, Location="/elsewhere"),
    "refused": lambda handler: handler.reply(500),
    "too much": lambda handler: handler.reply(200, b"x" * (call.REPLY + 1)),
    "no HTTP": lambda handler: handler.wfile.write(b"hello\r\n\r\n"),
    "for ever": _drip,
}


@pytest.mark.parametrize("how", ANSWERS)
def test_what_a_webhook_answers_can_do_nothing(
    core: Core, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(call, "SECONDS", 0.3 if how == "for ever" else 20.0)
    with service(ANSWERS[how]) as (url, got):
        watch = of(core, f"{url}/heads?secret=1", tmp_path)
        watch.step()
    assert len(got) == 1 and (watch.attendance[0].failed, watch.attendance[0].taken) == (1, 0)
    assert "witness away" in caplog.text and "secret" not in caplog.text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://example.org/heads", "https"),
        ("https://user:word@example.org/", "out of the address"),
        ("https:///x", "https"),
        ("https://[::1", "no URL"),
        ("ftp://example.org/", "no kind of witness"),
        ("tsa+http://example.org/", "https"),
        ("heads.log", "from the root"),
        ("file:heads.log", "from the root"),
        ("syslog://host:port", "syslog"),
    ],
)
def test_a_setting_that_is_wrong_is_told_before_anything_starts(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=why):
        witnesses(text, tmp_path)


def test_several_are_named_by_blanks(tmp_path: Path) -> None:
    found = witnesses(
        f" {tmp_path}/a\n syslog: https://example.org/x  tsa+https://example.org/tsr ", tmp_path
    )
    assert [one.name.split()[0] for one in found] == ["file", "syslog", "webhook", "time"]
    assert witnesses("", tmp_path) == []


def test_a_witness_that_is_away_is_counted_and_told_after_a_while_and_keeps_nobody(
    core: Core, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now, told = [0.0], list[str]()
    away = tmp_path / "missing" / "heads.log"
    watch = of(core, f"{away} {tmp_path}/heads.log", tmp_path, told, clock=lambda: now[0])
    watch.step()
    assert not told and watch.attendance[0].failed == 1 and watch.attendance[1].taken == 1
    now[0] = PATIENCE - 1
    watch.step()
    assert not told
    for _ in range(3):
        now[0] += 60
        watch.step()
    assert len(told) == 1 and "16 minutes" in told[0] and str(away) in told[0]
    assert watch.attendance[0].failed == 5 and watch.attendance[1].taken == 5
    away.parent.mkdir()
    watch.step()
    assert (watch.attendance[0].taken == 1 and "4 heads" in caplog.text) or "5 heads" in caplog.text
    now[0] += 60
    away.unlink()
    away.mkdir()
    watch.step()
    now[0] += PATIENCE
    watch.step()
    assert len(told) == 2


def test_admins_who_cannot_be_told_are_told_later(core: Core, tmp_path: Path) -> None:
    now, tried = [0.0], list[str]()

    def tell(faults: Sequence[str]) -> bool:
        tried.extend(faults)
        if len(tried) == 1:
            raise OSError
        return len(tried) > 2

    found = witnesses(str(tmp_path / "no" / "heads.log"), tmp_path)
    watch = Heads(core.store, core.signer, "signoff", found, tell, clock=lambda: now[0])
    watch.step()
    for _ in range(5):
        now[0] += PATIENCE
        watch.step()
    assert len(tried) == 3


def test_the_timer_sends_at_once_and_each_minute_until_it_is_stopped(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timer.SECONDS == 60
    monkeypatch.setattr(timer, "SECONDS", 0.01)
    path, stop = tmp_path / "heads.log", threading.Event()
    running = threading.Thread(target=of(core, str(path), tmp_path).run, args=(stop,))
    running.start()
    eventually(lambda: path.exists() and len(path.read_text().splitlines()) > 3)
    stop.set()
    running.join(timeout=20)
    assert not running.is_alive()


def test_a_head_passes_for_nothing_else_and_nothing_else_for_one(core: Core) -> None:
    keys = verify_keys(core.signer.verify_key)
    token = heads.sealed(core.signer, HEAD, "signoff")
    assert heads.TOKEN.fullmatch(token) and heads.opened(token, keys, "signoff")[0] == HEAD
    for wrong in (
        heads.sealed(Signer.generate(), HEAD, "signoff"),
        heads.sealed(core.signer, HEAD, "another"),
        core.signer.seal("signoff-receipt+jwt", {"iss": "signoff", "iat": 1, "lines": 1, "head": "a" * 64}),
        core.signer.seal("signoff-head+jwt", {"iss": "signoff", "iat": 1, "lines": "1", "head": "a" * 64}),
        core.signer.seal("signoff-head+jwt", {"iss": "signoff", "iat": 1, "lines": 1, "head": "A" * 64}),
        core.signer.seal("signoff-head+jwt", {"iss": "signoff", "iat": 1, "lines": -1, "head": "a" * 64}),
        token + "=",
    ):
        with pytest.raises(NotVerified):
            heads.opened(wrong, keys, "signoff")


class Stamper:
    """A certificate authority and a time stamper of its own, made with openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "ca.pem"
        usage = "extendedKeyUsage=critical,timeStamping"
        self._run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test Root",
                  "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
        self._run("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test Stamper",
                  "-keyout", "tsa.key", "-out", "tsa.csr")  # fmt: skip
        (folder / "usage").write_text(usage)
        self._run("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                  "-days", "2", "-extfile", "usage", "-out", "tsa.pem")  # fmt: skip
        (folder / "serial").write_text("01")
        (folder / "tsa.cnf").write_text(
            "[tsa]\ndefault_tsa = one\n[one]\nserial = serial\nsigner_cert = tsa.pem\nsigner_key = tsa.key\n"
            "signer_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256, sha512\n"
            "accuracy = secs:1\nordering = yes\ntsa_name = yes\ness_cert_id_chain = no\n"
        )

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def stamp(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        self._run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
        return (self.folder / "reply").read_bytes()


@pytest.fixture(scope="module")
def stamper(tmp_path_factory: pytest.TempPathFactory) -> Stamper:
    return Stamper(tmp_path_factory.mktemp("tsa"))


def test_a_time_stamper_stamps_heads_that_are_kept_and_hold(
    core: Core, tmp_path: Path, stamper: Stamper, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def answer(handler: Any) -> None:
        handler.reply(200, stamper.stamp(type(handler).got[-1][1]))

    with service(answer) as (url, got):
        watch = of(core, f"tsa+{url}", tmp_path)
        watch.step()
        core.submit()
        watch.step()
    assert watch.attendance[0].taken == 2 and len(got) == 2
    kept = (tmp_path / kinds.STAMPS).read_text()
    assert found_in(core, kept).heads.keys() == {0, 2}
    assert stamps.check(kept.splitlines(), str(stamper.root)) == "2 time stamps hold"
    assert "not checked" in stamps.check(kept.splitlines(), None)
    first, second = map(json.loads, kept.splitlines())
    swapped = json.dumps({**first, "stamp": second["stamp"]})
    with pytest.raises(NotVerified):
        stamps.check([swapped], str(stamper.root))
    other = Stamper(tmp_path_factory.mktemp("other"))
    with pytest.raises(NotVerified):
        stamps.check(kept.splitlines(), str(other.root))


@pytest.mark.parametrize("how", ["replayed", "no stamp", "refused"])
def test_a_stamp_of_something_else_is_not_kept(
    core: Core, tmp_path: Path, stamper: Stamper, how: str
) -> None:
    from rfc3161_client import TimestampRequestBuilder

    other = TimestampRequestBuilder().data(b"other").nonce(nonce=True).build().as_bytes()
    refusal = bytes.fromhex("30053003020102")
    body = {"replayed": lambda: stamper.stamp(other), "no stamp": lambda: b"x", "refused": lambda: refusal}[
        how
    ]()
    with service(lambda handler: handler.reply(200, body)) as (url, _):
        watch = of(core, f"tsa+{url}", tmp_path)
        watch.step()
    assert watch.attendance[0].failed == 1 and not (tmp_path / kinds.STAMPS).exists()
