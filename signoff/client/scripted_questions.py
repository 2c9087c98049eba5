"""What a test asks an agent about its requests, as a person would: the client's other side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

from signoff.client.script import AGENT, News
from signoff.models.identity import new_id
from signoff.models.messages import ApprovalRequest
from signoff.models.receipt import DEPLOYMENT
from signoff.models.talks import Inquiry, Message
from signoff.receipts import Signer, sign_inquiry

NOT_AFTER = timedelta(hours=1)


class ScriptedQuestions:
    """A `signoff.client.road.Questions`; `messages` are by their ids. What nobody takes comes again."""

    def __init__(self, news: News, signer: Signer) -> None:
        self._news, self._signer = news, signer
        self.messages: dict[str, Message] = {}
        self.over = False
        self._taken: set[str] = set()

    def put(self, request: ApprovalRequest, text: str, by: str) -> str:
        """A person's question about a request, signed for the agent → its id."""
        now, talk_id = datetime.now(UTC), new_id()
        inquiry = Inquiry(
            id=str(talk_id),
            agent=AGENT,
            request_id=str(request.id),
            action=request.action,
            version=1,
            digest=request.digest,
            text=text,
            by_id="U0TEST",
            by=by,
            asked_at=now,
            not_after=now + NOT_AFTER,
        )
        token = sign_inquiry(self._signer, inquiry, DEPLOYMENT)
        with self._news.lock:
            self.messages[inquiry.id] = Message(id=talk_id, token=token, text=text)
            self._news.tell()
        return inquiry.id

    async def ids(self) -> AsyncGenerator[tuple[bytes, str], None]:
        """In the order in which they were asked, until the test is over."""
        while True:
            with self._news.lock:
                due = [one for one in self.messages if one not in self._taken]
                if self.over:
                    return
                news = self._news.listen()
            for talk_id in due:
                yield talk_id.encode(), talk_id
            await asyncio.wrap_future(news)

    async def ack(self, *entries: bytes) -> None:
        """Those are taken."""
        self._taken.update(entry.decode() for entry in entries)

    async def close(self) -> None:
        """There is nothing to let go."""
