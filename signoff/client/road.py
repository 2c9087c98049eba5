"""What a client needs of the road to its server: `exchange` is the one by Redis, `scripted` that of tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from signoff.models.messages import Response
from signoff.models.talks import Message


class Arrivals(Protocol):
    """One group of an agent's decisions."""

    def ids(self) -> AsyncGenerator[tuple[bytes, str], None]:
        """(entry, request id), as they come; raises Unreachable."""

    async def ack(self, entry: bytes) -> None:
        """That one is done with: it does not come again. Raises Unreachable."""

    def leave(self) -> None:
        """What is not acknowledged is for other processes: take over nothing for a while."""

    async def close(self) -> None:
        """Let its connection go."""


class Questions(Protocol):
    """People's questions to an agent."""

    def ids(self) -> AsyncGenerator[tuple[bytes, str], None]:
        """(entry, question's id), as they come; raises Unreachable."""

    async def ack(self, *entries: bytes) -> None:
        """Those are done with: they come to no process again. Raises Unreachable."""

    async def close(self) -> None:
        """Let its connection go."""


class Exchange(Protocol):
    """What a client needs of the other side; `signoff.testing` has one without Redis."""

    async def send(self, kind: str, request_id: str, body: str) -> None:
        """Put one entry on this agent's stream; raises Unreachable."""

    async def send_batch(self, requests: Sequence[tuple[str, str]], entry_id: str, body: str) -> None:
        """Send (id, body) of each request, then what freezes their batch, and see to it that all of that is
        read; raises Unreachable.
        """

    async def refused(self, entry_id: str, body: str) -> Response:
        """What is said of a batch that is at fault itself; waits without end where none is."""

    async def lookup(self, request_id: str) -> Response | None:
        """What is known of a request now; None: nothing. Raises Unreachable."""

    async def find(self, nonce: str) -> str | None:
        """The id of the request with the key of this nonce; None: no server knows one. Raises Unreachable."""

    async def wait(self, request_id: str, timeout: float | None, body: str | None = None) -> Response:
        """The final response; raises TimeoutError after `timeout` seconds, or Unreachable.

        `body` is the request as it was sent, where that is known: with it, one that is lost is sent again.
        """

    async def spend(self, request_id: str, body: str, timeout: float | None) -> Response:
        """Who may run a request, as the server says; raises TimeoutError after `timeout` s, or Unreachable.

        `body` names the process that wants to.
        """

    async def stops(self) -> str | None:
        """The newest statement of what is stopped; None: nobody has said. Raises Unreachable."""

    async def is_received(self, request_id: str, timeout: float) -> bool:
        """True once an intake has marked the request; False after `timeout` seconds."""

    def inbox(self, group: str, take_over_ms: int | None = None) -> Arrivals:
        """Reads one group of this agent's decisions; what another process leaves is taken after so long."""

    def questions(self) -> Questions:
        """Reads what people ask this agent."""

    async def message(self, talk_id: str) -> Message | None:
        """A person's question as it stands; None: it is gone. Raises Unreachable or NotVerified."""

    async def close(self) -> None:
        """Let both connections go."""
