"""People ask an agent about a request that waits, and it answers; or they note something for it.

None of it decides anything. A question is written first and signed in its row; then it is put where the agent
finds it, and sweep repeats what did not get there.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from redis.exceptions import RedisError

from signoff.approvals import audit
from signoff.approvals.announcer import Announcer
from signoff.approvals.audit import Event, salted
from signoff.approvals.decide import Votes
from signoff.approvals.errors import AlreadyDecided, TooManyNotes, TooManyQuestions
from signoff.approvals.receipts import Receipts
from signoff.errors import Invalid
from signoff.models import card_replies, changes, talk_rows
from signoff.models.approval import Approval
from signoff.models.identity import new_id
from signoff.models.log import sha256
from signoff.models.messages import Reply
from signoff.models.store import MICROSECONDS, Store
from signoff.models.talk_rows import Kept
from signoff.models.talks import ANSWER_SECONDS, MAX_NOTE, MAX_QUESTION, MOST_NOTES, Message, Note, Talk
from signoff.payload.secrets import secret_in
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")

MOST_WAITING = 3
"""Questions about one request that wait for an answer at once."""
MOST = 20
"""Questions about one request, ever."""
PER_MINUTE = 30
"""Questions to one agent, from everybody together."""


class Talks:
    """Takes questions, answers and notes."""

    def __init__(
        self, store: Store, receipts: Receipts, publisher: Publisher, votes: Votes, announcer: Announcer
    ) -> None:
        self._store = store
        self._receipts = receipts
        self._publisher = publisher
        self._votes = votes
        self._announcer = announcer

    def ask(self, approval_id: str, version: int, user_id: str, question: str) -> Talk:
        """A person who may decide on this `version` asks its agent something, in up to 3,000 characters.

        Where the policy says `talk`, the first question gives the request so much more time. Raises what
        `Approvals.open_for` does, TooManyQuestions, or Invalid (the text). The database's errors pass.
        """
        text = _checked(question, MAX_QUESTION, "question")
        approval, person = self._votes.open_for(approval_id, version, user_id)
        heard = self._listens(approval.agent)
        with self._store.transaction("talk") as connection:
            held = talk_rows.hold(connection, approval_id)
            if held is not None and held[0] == version:
                before, waiting, lately = talk_rows.counted(connection, approval_id, approval.agent)
                if waiting >= MOST_WAITING or before >= MOST or lately >= PER_MINUTE:
                    raise TooManyQuestions(approval.agent, waiting >= MOST_WAITING)
                ends = held[1]
                more = approval.verdict.talk * MICROSECONDS if before == 0 else 0
                if more:
                    ends += more
                    talk_rows.extend(connection, approval_id, more)
                at = changes.clock(connection)
                talk = Talk(
                    id=str(new_id()),
                    version=version,
                    by_id=person.id,
                    name=person.name,
                    question=text,
                    state="asked" if heard else "unheard",
                    asked_at=at,
                    until=min(at + ANSWER_SECONDS * MICROSECONDS, ends),
                )
                token = self._receipts.inquiry(approval, talk, ends)
                talk_rows.add(connection, approval_id, talk, token)
                said = {"said": "question", "version": version, "until": talk.until, "heard": heard}
                said |= {"signed": sha256(token)} | ({"expires_at": ends} if more else {})
                self._append(connection, approval_id, talk, person.id, said)
        if held is None or held[0] != version:  # somebody was faster, or the time ran out: it says which
            self._votes.open_for(approval_id, version, user_id)
            raise AlreadyDecided(None)
        log.info("asked: id=%s agent=%s by=%s", approval_id, approval.agent, person.id)
        self._publish(
            Kept(talk, approval_id, approval.agent, token, False), replace(approval, expires_at=ends)
        )
        self._announcer.wake("talk", approval_id)
        return talk

    def reply(self, agent: str, talk_id: str, reply: Reply) -> Talk | None:
        """An agent answers. None where it is no question about a request of its own that waits, or has an
        answer: the first one counts.
        """
        with self._store.reading() as connection:
            kept = talk_rows.find(connection, talk_id)
        if kept is None or kept.agent != agent:
            return None
        unable = reply.unable or not reply.text.strip()
        with self._store.transaction("talked") as connection:
            if talk_rows.hold(connection, kept.approval_id) is None:
                return None
            at = changes.clock(connection)
            talk = replace(
                kept.talk, state="unable" if unable else "answered", answer=reply.text, answered_at=at
            )
            if not talk_rows.answer(connection, talk_id, talk.state, reply.text, at):
                return None
            card_replies.add(connection, kept.approval_id, "talk", {"talk": talk_id})
            self._append(connection, kept.approval_id, talk, agent, {"said": talk.state})
        self._announcer.wake("talked", kept.approval_id)
        return talk

    def note(self, approval_id: str, user_id: str, text: str) -> Note:
        """Somebody who may decide notes something for the agent, in up to 1,000 characters: it gets that with
        the decision. Raises what `Approvals.open_for` does, TooManyNotes, or Invalid (the text).
        """
        text = _checked(text, MAX_NOTE, "note")
        found = self._store.get(approval_id)
        version = found.version if found else 0
        _, person = self._votes.open_for(approval_id, version, user_id)
        with self._store.transaction("note") as connection:
            held = talk_rows.hold(connection, approval_id, shown=False)
            if held is not None:
                at = changes.clock(connection)
                note = Note(str(new_id()), person.id, person.name, text, at)
                if talk_rows.add_note(connection, approval_id, note) > MOST_NOTES:
                    raise TooManyNotes
                salt = changes.salt(connection, approval_id)
                said = {"note": note.id, "name": salted(salt, note.name), "text": salted(salt, text)}
                audit.append(connection, Event("note", approval_id, at, person.id, said))
        if held is None:
            self._votes.open_for(approval_id, version, user_id)
            raise AlreadyDecided(None)
        return note

    def get(self, talk_id: str) -> Kept | None:
        """One talk, with what its agent is given; None where there is none."""
        with self._store.reading() as connection:
            return talk_rows.find(connection, talk_id)

    def untold(self) -> Sequence[str]:
        """The ids of questions that agents may not have yet."""
        with self._store.reading() as connection:
            return talk_rows.untold(connection)

    def tell(self, talk_id: str) -> None:
        """Put a question where its agent finds it, where it does not stand there: who put it there may have
        died before it was noted, and an agent would be asked twice. Raises RedisError.
        """
        kept = self.get(talk_id)
        if kept is None:
            return
        approval = self._store.get(kept.approval_id)
        if approval and approval.pending and not self._publisher.has_asked(kept.agent, talk_id):
            self._put(kept, approval)
        self._note_told(talk_id)

    def untell(self) -> None:
        """Redis has lost what it had: what waits for an answer is published anew."""
        with self._store.transaction("untell") as connection:
            talk_rows.untell(connection)

    def overdue(self) -> Sequence[str]:
        """The ids of questions whose cards need wait for no answer any longer."""
        with self._store.reading() as connection:
            return talk_rows.overdue(connection)

    def silence(self, talk_id: str) -> None:
        """No answer has come in time: the card says so. A later one is taken still."""
        kept = self.get(talk_id)
        if kept is None:
            return
        with self._store.transaction("silence") as connection:
            waits = talk_rows.silence(connection, talk_id) and talk_rows.hold(connection, kept.approval_id)
        if waits:
            self._announcer.wake("silence", kept.approval_id)

    def _listens(self, agent: str) -> bool:
        """Whether a process of the agent's listens now; where nobody knows, it is asked as if one did."""
        try:
            return self._publisher.listens(agent)
        except (RedisError, OSError):
            return True

    def _publish(self, kept: Kept, approval: Approval) -> None:
        try:
            self._put(kept, approval)
        except (RedisError, OSError) as error:
            log.warning("question not published yet: id=%s %s", kept.talk.id, type(error).__name__)
            return
        self._note_told(kept.talk.id)

    def _put(self, kept: Kept, approval: Approval) -> None:
        """The question; and, where asking gives the request more time, until when it waits now."""
        message = Message(id=kept.talk.id, token=kept.token, text=kept.talk.question)  # type: ignore[arg-type]
        at = self._store.clock()
        if approval.verdict.talk:
            self._publisher.mark_received(approval, at)
        seconds = (approval.expires_at - at) // MICROSECONDS
        self._publisher.ask(kept.agent, kept.talk.id, message.model_dump_json(), seconds)

    def _note_told(self, talk_id: str) -> None:
        with self._store.transaction("told") as connection:
            talk_rows.note_told(connection, talk_id)

    def _append(
        self, connection: Any, approval_id: str, talk: Talk, actor: str, said: dict[str, Any]
    ) -> None:
        """The line of a question, or of its answer: texts as salted digests."""
        salt, asked = changes.salt(connection, approval_id), talk.answered_at is None
        text = {"text": salted(salt, talk.question if asked else talk.answer or "")}
        text |= {"name": salted(salt, talk.name)} if asked else {}
        at = talk.asked_at if talk.answered_at is None else talk.answered_at
        audit.append(connection, Event("talk", approval_id, at, actor, {"talk": talk.id, **said, **text}))


def _checked(text: str, most: int, what: str) -> str:
    """What somebody typed, without spaces around it; raises Invalid, also for what looks like a secret."""
    text = text.strip()
    if not text:
        raise Invalid(f"The {what} is empty: write what the agent is to know.")
    if len(text) > most:
        raise Invalid(f"The {what} has {len(text):,} characters; at most {most:,} are taken.")
    if any(0xD800 <= ord(one) <= 0xDFFF or one == "\0" for one in text):
        raise Invalid(f"The {what} holds characters that are no text.")
    if secret := secret_in(text):
        raise Invalid(f"The {what} holds what looks like {secret}: the agent reads it, and so may others.")
    return text
