"""HTTP in place of Socket Mode: the app has a request URL, and is called there with Slack's signature.

Events are JSON, and come only to an address that has answered Slack's challenge; Slack asks for that before
the first one, and where an address is set. Interactions are a form with the field `payload`, commands a form.
The answer to each is its acknowledgement: 200 within three seconds (to an event any 2xx), redirects not
followed. Events alone come again (see `events.py`), with X-Slack-Retry-Num and -Reason, unless the app
answers X-Slack-No-Retry: 1.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import aiohttp

from signoff.sandbox import json_text
from signoff.sandbox.delivery import Ack
from signoff.sandbox.errors import ActError
from signoff.sandbox.journal import Journal

JSON = dict[str, Any]
PATH: Final = "/slack/events"
"""Where an address has none: Bolt's own, and Signoff's."""
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_AGENT: Final = "Slackbot 1.0 (+https://api.slack.com/robots)"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class HttpMode:
    """Calls the app. Lives in one event loop; `secret` is the app's signing secret."""

    journal: Journal
    secret: str
    token: str
    ack_seconds: float = 3.0
    url: str = ""
    verified: bool = False
    _session: aiohttp.ClientSession | None = field(default=None)

    async def start(self) -> None:
        """From here on it can call."""
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(self.ack_seconds)
        )

    async def close(self) -> None:
        """Let all connections go."""
        if self._session is not None:
            await self._session.close()

    async def set_url(self, url: Any) -> None:
        """As on the app's page: the address is kept once it has answered the challenge. Raises ActError."""
        address = request_url(url)
        if not await self._challenge(address):
            raise ActError("url_verification_failed", detail=f"{address} does not answer the challenge")
        self.url, self.verified = address, True

    async def deliver(
        self,
        kind: str,
        payload: JSON,
        *,
        takes_response: bool = True,
        retry_attempt: int = 0,
        retry_reason: str = "",
    ) -> Ack:
        """Call the app, and wait for its answer: see `Delivery`."""
        content_type, body = _body(kind, payload)
        headers = {"Content-Type": content_type}
        entry = self.journal.add(
            "envelope", type=kind, envelope_id=None, payload=payload, link="http", acked=False
        )
        entry["accepts_response_payload"] = takes_response
        if retry_attempt:
            entry["retry_attempt"] = retry_attempt
            headers |= {"X-Slack-Retry-Num": str(retry_attempt), "X-Slack-Retry-Reason": retry_reason}
        if not self.url or (kind == "events_api" and not await self._is_verified()):
            return self._failed(entry, "url_not_verified")
        started = time.perf_counter()
        try:
            answer = await self._post(self.url, body, headers)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return self._failed(entry, _reason(error))
        ms = round((time.perf_counter() - started) * 1000, 3)
        entry |= {"status": answer.status, "ack_bytes": len(answer.body)}
        if answer.status != 200 and not (kind == "events_api" and answer.status // 100 == 2):
            return self._failed(entry, "http_error", final=answer.headers.get("X-Slack-No-Retry") == "1")
        response = _response(answer)
        entry |= {"acked": True, "ack_ms": ms, "response": response}
        self.journal.changed(entry)
        return Ack(True, ms, response)

    def _failed(self, entry: JSON, reason: str, *, final: bool = False) -> Ack:
        entry |= {"late": False, "error": reason}
        self.journal.changed(entry)
        return Ack(False, reason=reason, is_final=final)

    async def _is_verified(self) -> bool:
        self.verified = self.verified or await self._challenge(self.url)
        return self.verified

    async def _challenge(self, url: str) -> bool:
        """Whether the address gives back what only Slack and it know: as text, as JSON or as a form."""
        challenge = secrets.token_urlsafe(32)
        asked = {"token": self.token, "challenge": challenge, "type": "url_verification"}
        try:
            answer = await self._post(url, json.dumps(asked).encode(), {"Content-Type": _JSON})
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        said = _response(answer)
        found = said.get("challenge", said.get("text")) if isinstance(said, dict) else said
        return answer.status == 200 and found in (challenge, f"challenge={challenge}")

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> _Answer:
        if self._session is None:
            raise OSError("not started")
        sent = {
            "User-Agent": _AGENT, "Accept": "*/*", "Accept-Encoding": "gzip,deflate",
            **headers, **signed(self.secret, body),
        }  # fmt: skip
        async with self._session.post(url, data=body, headers=sent, allow_redirects=False) as response:
            return _Answer(response.status, response.headers.copy(), await response.read())


def signed(secret: str, body: bytes, at: int | None = None) -> dict[str, str]:
    """Slack's two headers for a body, as of now or of another time (seconds since 1970)."""
    timestamp = str(int(time.time()) if at is None else at)
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest.hexdigest()}"}


def request_url(url: Any) -> str:
    """An address that the app is called at; one without a path gets Bolt's. Raises ActError."""
    wrong = ActError("invalid_url", detail="url is an http:// or https:// address")
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        raise wrong
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not host:
        raise wrong
    return parts._replace(path=PATH).geturl() if parts.path in ("", "/") else url


def _body(kind: str, payload: JSON) -> tuple[str, bytes]:
    """A payload's content type and bytes."""
    if kind == "events_api":
        return _JSON, json.dumps(payload, separators=(",", ":")).encode()
    if kind == "interactive":
        payload = {"payload": json.dumps(payload, separators=(",", ":"))}
    return _FORM, urlencode(payload, errors="replace").encode()


def _response(answer: _Answer) -> Any:
    """What an answer says: JSON where it is called so, else text; None where there is none."""
    if not answer.body.strip():
        return None
    if answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() == _JSON:
        try:
            return json_text.parse(answer.body)
        except ValueError:
            pass  # Slack cannot read it either
    return {"text": answer.body.decode(errors="replace")}


def _reason(error: Exception) -> str:
    """Slack's word in X-Slack-Retry-Reason."""
    if isinstance(error, TimeoutError):
        return "http_timeout"
    if isinstance(error, aiohttp.ClientSSLError):
        return "ssl_error"
    return "connection_failed" if isinstance(error, aiohttp.ClientConnectionError) else "unknown_error"
