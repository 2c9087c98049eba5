"""`@signoff pending`, `details`, `reject`, `ask`, `note` and `help`, written in a thread; answered to who
wrote it alone.

Approving by words is not possible. People's discussion is theirs: what does not begin with the app's mention
is not answered.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from signoff.approvals.errors import AlreadyDecided, BlockedNow, NotAllowed, NotRecorded, TimeRanOut
from signoff.approvals.lists import Lists
from signoff.approvals.service import Approvals
from signoff.approvals.stop_errors import Held
from signoff.bot.cards.pending import waiting_blocks
from signoff.bot.cards.record import record_blocks
from signoff.bot.forms import modals
from signoff.bot.listeners.commands import explain as explain_lookup
from signoff.bot.listeners.mention_batch import meant
from signoff.bot.listeners.mention_text import Spoken, code_first, read
from signoff.bot.slack.client import Slack
from signoff.bot.text.states import state_line
from signoff.bot.text.text import Block, Trusted, escape
from signoff.bot.text.views import INPUT
from signoff.bot.text.which import Which, trusted_title
from signoff.bot.text.words import lists as lists_words
from signoff.bot.text.words import questions as questions_words
from signoff.bot.text.words import replies as replies_words
from signoff.bot.text.words import talks as talk_words
from signoff.errors import Invalid
from signoff.models import lists, places
from signoff.models.approval import Approval
from signoff.models.questions import QUESTION
from signoff.payload.secrets import secret_in

JSON = dict[str, Any]
Explain = Callable[[Exception, str], tuple[Trusted, Approval | None]]
Answer = tuple[Trusted, list[Block]]

REMEMBERED = 10_000
"""Events that are known again. Slack sends one again for about six minutes where nobody acknowledged it. To
another process it may be new: there the row decides, and a second answer is the worst of it."""


class Mentions:
    """Answers the event `app_mention`. `explain` says why something was not recorded."""

    def __init__(self, approvals: Approvals, found: Lists, slack: Slack, explain: Explain) -> None:
        self._approvals = approvals
        self._lists = found
        self._slack = slack
        self._explain = explain
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, body: JSON, event: JSON, context: JSON) -> None:
        """Somebody mentioned the app. Bots, and a second delivery of the same event, are passed over."""
        if event.get("bot_id") or not event.get("user") or not self._first(str(body.get("event_id") or "")):
            return
        me = str(context.get("bot_user_id") or "")
        asked = read(str(event.get("text") or ""), me)
        if asked is None:
            return
        thread_ts = str(event.get("thread_ts") or "")
        text, blocks = self._answer(asked, event, thread_ts, me)
        more = blocks is not None and len(blocks) > 1
        alone = "" if more else text  # where blocks say more, Slack makes a text of them
        self._slack.whisper(event["channel"], event["user"], alone, blocks, thread_ts=thread_ts or None)

    def _first(self, event_id: str) -> bool:
        """Whether this event is new here."""
        with self._lock:
            known = event_id in self._seen
            if event_id:
                self._seen[event_id] = None
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            return not known

    def _answer(self, asked: Spoken, event: JSON, thread_ts: str, me: str) -> Answer:
        if asked.meaning == "help":
            return _said(replies_words.mention_help(me))
        numbered = asked.rest.isascii() and asked.rest.isdigit() and len(asked.rest) < 4
        if asked.meaning == "details" and asked.rest and not (numbered and thread_ts):
            return self._details(event["user"], asked.rest)
        if asked.meaning == "reject" and not asked.rest:
            return _said(replies_words.no_reason(me))
        if len(asked.rest) > INPUT and asked.meaning == "reject":
            return _said(replies_words.REASON_TOO_LONG_HERE)
        found: list[Approval] = []
        try:
            ids = places.in_thread(self._approvals.store, event["channel"], thread_ts) if thread_ts else []
            found = [self._approvals.get(approval_id) for approval_id in ids]
            of_batch = None if found else meant(self._approvals, event["channel"], thread_ts, asked, me)
            if isinstance(of_batch, str):
                return _said(of_batch)
            if of_batch is not None:
                found, asked = [of_batch[0]], of_batch[1]
                if asked.meaning == "details":
                    return self._details(event["user"], found[0].id)
            elif asked.meaning == "details" and asked.rest:
                return self._details(event["user"], asked.rest)
            if not found:
                return _said(replies_words.NOT_IN_A_THREAD)
            if asked.meaning == "reject":
                return self._reject(found, event, asked.rest, me)
            if asked.meaning in ("ask", "note"):
                return self._tell_agent(found, event["user"], asked)
            if asked.meaning == "details":
                one = found[0].id if len(found) == 1 else ""
                return self._details(event["user"], one) if one else _said(lists_words.NO_ID)
            return self._waiting(found, event["user"], asked)
        except Exception as error:
            text, again = self._explain(error, found[0].id if found else "")
            return text, modals.message_blocks(text, again)

    def _details(self, user: str, asked: str) -> Answer:
        """One request, by its code or id, for who may see it."""
        try:
            approval = self._lists.find(user, asked.split()[0])
            may = approval.pending and self._lists.can_decide(user, approval)
            now = self._approvals.store.clock()
            return trusted_title(Which.of(approval)), record_blocks(approval, may_decide=may, now=now)
        except Exception as error:
            return _said(explain_lookup(error))

    def _waiting(self, found: Sequence[Approval], user: str, asked: Spoken) -> Answer:
        """What waits in this thread for this person, to be reviewed."""
        if asked.meaning == "pending" and len(found) == 1 and not found[0].pending:
            return _said(state_line(found[0]))
        text = replies_words.WAITS_HERE
        if asked.meaning == "approve":
            questions = all(one.request.kind == QUESTION for one in found)
            text = questions_words.NOT_BY_WORDS if questions else replies_words.NOT_BY_WORDS
        return self._choice(found, user, text)

    def _choice(self, found: Sequence[Approval], user: str, text: Trusted) -> Answer:
        """Those that this person may decide now. Raises where they may decide none: why not."""
        may, refused = [], list[NotRecorded]()
        for approval in found:
            try:
                may.append(self._approvals.open_for(approval.id, approval.version, user)[0])
            except (NotAllowed, BlockedNow, AlreadyDecided, TimeRanOut, Held) as error:
                refused.append(error)
        if may:
            return text, waiting_blocks(text, may, self._approvals.store.clock())
        nobody = next((error for error in refused if isinstance(error, NotAllowed | Held)), None)
        if nobody or len(found) == 1:
            raise nobody or refused[0]
        return _said(replies_words.NOTHING_WAITS_HERE)

    def _tell_agent(self, found: Sequence[Approval], user: str, asked: Spoken) -> Answer:
        """A question for the agent, or a note: about the one request here that waits, or the one named."""
        text, meant = asked.rest, [approval for approval in found if approval.pending] or [*found]
        code, after = code_first(text)
        if code and (ids := lists.with_code(self._approvals.store, code)):  # else it is a word of the text
            meant, text = [approval for approval in found if [approval.id] == ids], after
            if not meant:
                return self._choice([self._approvals.get(ids[0])], user, replies_words.NOT_HERE)
        if len(meant) != 1:
            return self._choice(meant, user, replies_words.WHICH_ONE)
        if secret_in(text):
            return _said(escape(talk_words.SECRET))
        (one,) = meant
        try:
            if asked.meaning == "ask":
                talk = self._approvals.talks.ask(one.id, one.version, user, text)
                return _said(talk_words.sent(one.agent, talk.state == "asked"))
            self._approvals.talks.note(one.id, user, text)
        except Invalid as error:  # our own words of it
            return _said(escape(error.detail))
        return _said(talk_words.noted(one.agent))

    def _reject(self, found: Sequence[Approval], event: JSON, reason: str, me: str) -> Answer:
        user, at = event["user"], _microseconds(event["ts"])
        meant = [approval for approval in found if _waited(approval, at)]
        code, after = code_first(reason)
        if code and (ids := lists.with_code(self._approvals.store, code)):  # else it is a word of the reason
            if not after:
                return _said(replies_words.no_reason(me))
            named = [approval for approval in found if [approval.id] == ids]
            if not named:  # somewhere else: they look at it before they say no
                return self._choice([self._approvals.get(ids[0])], user, replies_words.NOT_HERE)
            meant, reason = [one for one in meant if one in named] or named, after
        if len(meant) != 1:
            return self._choice(meant or found, user, replies_words.WHICH_ONE)
        (one,) = meant
        try:
            self._approvals.decide(one.id, one.version, user, "reject", reason=reason)
        except Exception as error:
            text, again = self._explain(error, one.id)
            return text, modals.message_blocks(text, again)
        return _said(replies_words.rejected_by_words(one.agent, one.action))


def _waited(approval: Approval, at: int) -> bool:
    """Whether its card stood there and waited when something was written at `at`.

    An event may come minutes late: what came or ended in between was, or was not, what its writer saw.
    """
    shown = approval.card.message if approval.card else None
    before = shown is not None and _microseconds(shown) < at
    return before and (approval.pending or (approval.ended_at or 0) >= at)


def _microseconds(ts: str) -> int:
    """A message's timestamp as microseconds since 1970. Slack: seconds, a dot, six digits."""
    seconds, _, rest = ts.partition(".")
    return int(seconds) * 1_000_000 + int(rest or 0)


def _said(text: Trusted) -> Answer:
    return text, modals.message_blocks(text)
