"""POST /api/<method>: who may call what, with which arguments, and how Slack answers.

Order of checks, as Slack's: the method is known, the token is good, its scope suffices, then the arguments.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from signoff.sandbox import (
    auth,
    chat,
    directory,
    file_methods,
    history,
    json_text,
    validation,
    view_methods,
)
from signoff.sandbox.arguments import Arguments
from signoff.sandbox.errors import SlackError
from signoff.sandbox.faults import NOT_SLACKS, Fault, Faults
from signoff.sandbox.journal import Journal
from signoff.sandbox.method import Method, need
from signoff.sandbox.socket_mode import SocketMode
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]
_FORM = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class WebApi:
    """The Web API of one stand-in."""

    workspace: Workspace
    socket_mode: SocketMode
    faults: Faults
    journal: Journal
    methods: dict[str, Method] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.methods = auth.METHODS | chat.METHODS | directory.METHODS
        self.methods |= file_methods.METHODS | view_methods.METHODS | history.METHODS | validation.METHODS
        self.methods["apps.connections.open"] = Method(self._open_connection, app_token=True)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call: its faults, its work, its answer, its line in the journal."""
        method, started = request.match_info["method"], time.perf_counter()
        body = await request.read()
        raw: JSON = {}
        refusal: SlackError | None = None
        try:
            raw = _parse(request, body)
        except SlackError as error:
            refusal = error
        fault = self.faults.take(method, raw)
        mode = fault.mode if fault else ""
        status = 200
        answer: JSON = {}
        headers: dict[str, str] = {}
        if fault and mode == "hang":
            await asyncio.sleep(fault.seconds)
        if refusal is not None:
            answer = refusal.answer
        elif fault is None or fault.reaches_slack:
            status, answer, headers = self.call(method, _token(request, raw), raw, fault)
        self._tell_of_views(method, raw, answer)
        self.journal.add(
            "call",
            method=method,
            arguments={name: value for name, value in raw.items() if name != "token"},
            answer=answer,
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 3),
            fault=mode or None,
        )
        if mode in ("drop_reply", "disconnect") and request.transport is not None:
            request.transport.abort()
        if fault and mode in NOT_SLACKS:
            text, kind = NOT_SLACKS[mode]
            return web.Response(text=text, status=fault.status, content_type=kind)
        return _answer(answer, status, headers)

    def _tell_of_views(self, method: str, raw: JSON, answer: JSON) -> None:
        """A view that cannot be opened concerns the person who waits for it, too."""
        trigger = self.workspace.triggers.get(str(raw.get("trigger_id")))
        if trigger is not None and method in ("views.open", "views.push") and not answer.get("ok"):
            failed = {"method": method, "error": answer.get("error", "")}
            self.workspace.feed.tell("view_failed", failed, user=trigger.user)

    def call(
        self, method: str, token: str | None, raw: JSON, fault: Fault | None = None
    ) -> tuple[int, JSON, dict[str, str]]:
        """A call's HTTP status, its answer and its extra headers."""
        known = self.methods.get(method)
        headers: dict[str, str] = {}
        if token == self.workspace.bot_token:
            headers["x-oauth-scopes"] = ",".join(self.workspace.scopes)
        elif token == self.workspace.app_token:
            headers["x-oauth-scopes"] = "connections:write"
        wait = fault.seconds if fault and fault.mode == "ratelimited" else -1.0
        try:
            if wait < 0:
                if fault and fault.mode == "error":
                    raise SlackError(fault.error)
                if known is None:
                    raise SlackError("unknown_method", req_method=method)
                if not known.public:
                    self._check_token(token, app_token=known.app_token)
                if known.scope:
                    headers["x-accepted-oauth-scopes"] = known.scope
                    need(self.workspace, known.scope)
                wait = self.faults.wait_for(method, str(raw.get("channel", ""))) or wait
            if wait >= 0:
                headers["Retry-After"] = str(math.ceil(wait))
                return 429, {"ok": False, "error": "ratelimited"}, headers
            assert known is not None
            return 200, {"ok": True, **known.function(self.workspace, Arguments(raw))}, headers
        except SlackError as error:
            return 200, error.answer, headers

    def _check_token(self, token: str | None, *, app_token: bool) -> None:
        workspace = self.workspace
        if not token:
            raise SlackError("not_authed")
        if token not in (workspace.bot_token, workspace.app_token):
            raise SlackError("invalid_auth")
        if workspace.token_error:
            raise SlackError(workspace.token_error)
        if token == workspace.bot_token and not workspace.installed:
            raise SlackError("account_inactive")
        if (token == workspace.app_token) is not app_token:
            raise SlackError("not_allowed_token_type")

    def _open_connection(self, workspace: Workspace, arguments: Arguments) -> JSON:
        base = workspace.base_url.replace("http://", "ws://", 1)
        return {"url": f"{base}/link/{self.socket_mode.ticket()}"}


def _parse(request: web.Request, body: bytes) -> JSON:
    arguments: JSON = dict(request.query)
    kind = request.content_type
    if kind == "application/json":
        try:
            sent = json_text.parse(body) if body else {}
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(sent, dict):
            raise SlackError("json_not_object")
        return arguments | sent
    if body and kind != _FORM:
        raise SlackError("invalid_post_type")
    try:
        return arguments | dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        raise SlackError("invalid_form_data") from None


def _token(request: web.Request, raw: JSON) -> str | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind == "Bearer" and token:
        return token
    given = raw.get("token")
    return given if isinstance(given, str) else None


def _answer(answer: JSON, status: int, headers: dict[str, str]) -> web.Response:
    body = json.dumps(answer, separators=(",", ":")).encode()
    return web.Response(
        body=body, status=status, headers=headers, content_type="application/json", charset="utf-8"
    )
