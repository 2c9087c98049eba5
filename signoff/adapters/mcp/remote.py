"""A server behind a URL (streamable HTTP), spoken to as by lines: by the client of the library `mcp`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any, Self
from urllib.parse import urlsplit

import anyio
import httpx2
from mcp.client.streamable_http import streamable_http_client
from mcp.shared import inbound
from mcp.shared.message import ClientMessageMetadata, SessionMessage
from mcp_types import jsonrpc_message_adapter

from signoff.adapters.mcp.listing import tools_of
from signoff.adapters.mcp.messages import (
    CALL,
    MAX_LINE,
    VERSION_KEY,
    Message,
    glance,
    line,
    meta_of,
    params_of,
)
from signoff.adapters.mcp.upstream import NotSent, ServerEnded
from signoff.errors import ConfigError

CONNECT_SECONDS = 30.0
LOCAL = ("localhost", "127.0.0.1", "::1")


class Remote:
    """A server at a URL. `headers` go to its origin and nowhere else, and never in the clear."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("--url: write http:// or https://, and a host.")
        if parts.username or parts.password:
            raise ConfigError("--url holds a password, and others can read it: use --header.")
        if headers and parts.scheme == "http" and parts.hostname not in LOCAL:
            raise ConfigError("--header: with http:// anybody on the way can read it; use https://.")
        self._url, self._headers, self._local = url, dict(headers), parts.hostname in LOCAL
        self._stack = AsyncExitStack()
        self._version: str | None = None
        self._schemas: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        timeout = httpx2.Timeout(CONNECT_SECONDS, read=None)
        # A proxy of the environment's would read what goes to this machine in the clear.
        client = await self._stack.enter_async_context(
            httpx2.AsyncClient(headers=self._headers, timeout=timeout, trust_env=not self._local)
        )
        self._read, self._write = await self._stack.enter_async_context(
            streamable_http_client(self._url, http_client=client, max_sse_event_size=MAX_LINE)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def send(self, line: bytes) -> None:
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            raise NotSent("Such a message does not go to a server behind a URL.") from None
        value = glance(line)
        headers = self._headers_of(value) if isinstance(value, dict) else {}
        try:
            await self._write.send(SessionMessage(message, ClientMessageMetadata(headers=headers or None)))
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            raise ServerEnded from None

    async def lines(self) -> AsyncIterator[bytes]:
        try:
            async for received in self._read:
                if isinstance(received, Exception):
                    continue  # what could not be read: its request is answered with an error
                value = received.message.model_dump(mode="json", by_alias=True, exclude_unset=True)
                self._note(value)
                yield line(value)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            return

    async def finish(self) -> None:
        """There is nothing to tell: its session ends with the connection."""

    def _note(self, value: Message) -> None:
        """Keep what headers have to say: the version agreed on, and each tool's schema."""
        result = value.get("result")
        if isinstance(result, dict):
            if isinstance(found := result.get("protocolVersion"), str):
                self._version = found
            self._schemas.update({tool["name"]: tool.get("inputSchema") for tool in tools_of(result)})

    def _headers_of(self, value: Message) -> dict[str, str]:
        """What the protocol wants said in headers, too: from 2026-07-28 on a request's method and name."""
        method, params = value.get("method"), params_of(value)
        version = meta_of(value).get(VERSION_KEY)
        if not isinstance(version, str) or not isinstance(method, str):
            later = self._version is not None and method != "initialize"
            return {inbound.MCP_PROTOCOL_VERSION_HEADER: str(self._version)} if later else {}
        headers = {inbound.MCP_PROTOCOL_VERSION_HEADER: version, inbound.MCP_METHOD_HEADER: method}
        name = params.get(inbound.NAME_BEARING_METHODS.get(method, "taskId"))
        if isinstance(name, str):
            headers[inbound.MCP_NAME_HEADER] = inbound.encode_header_value(name)
        schema = self._schemas.get(str(name)) if method == CALL else None
        if schema is not None and inbound.find_invalid_x_mcp_header(schema) is None:
            found = inbound.x_mcp_header_map(schema)
            headers.update(inbound.mcp_param_headers(found, params.get("arguments") or {}))
        return headers
