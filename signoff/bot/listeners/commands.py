"""/approvals, the shortcut that opens the same lists, and the buttons on them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from typing import Any

from signoff.approvals.errors import GroupsUnread, NotAllowed, UnknownApproval
from signoff.approvals.lists import Ambiguous, Kind, Lists, NoId, NotListed, Page
from signoff.approvals.stop_errors import MayNotStop
from signoff.bot.cards.card import parse_token
from signoff.bot.cards.lists import list_blocks, list_view, read_page
from signoff.bot.cards.record import record_blocks, record_view
from signoff.bot.forms import modals
from signoff.bot.listeners import replies
from signoff.bot.listeners.actions import Ack
from signoff.bot.listeners.away import Absent
from signoff.bot.listeners.factors import Enrolling
from signoff.bot.listeners.opener import Body, Opener
from signoff.bot.listeners.replies import NotOpened
from signoff.bot.listeners.stops import Stops
from signoff.bot.text.text import Block, Trusted
from signoff.bot.text.words import lists as lists_words
from signoff.bot.text.words import replies as replies_words
from signoff.models.store import Store

Respond = Callable[..., Any]

ACK_SECONDS = 1.5
"""How long an answer may take to come with the ack, which Slack wants within 3 s; it follows the ack then."""
ANSWERS_AT_ONCE = 16


class Commands:
    """The slash command, the shortcut, and what is on their lists."""

    def __init__(
        self,
        lists: Lists,
        store: Store,
        opener: Opener,
        stops: Stops,
        enrolling: Enrolling,
        absent: Absent,
    ) -> None:
        self._enrolling = enrolling
        self._absent = absent
        self._lists = lists
        self._store = store
        self._opener = opener
        self._stops = stops
        self._pool = ThreadPoolExecutor(ANSWERS_AT_ONCE, thread_name_prefix="answer")

    def approvals(self, ack: Ack, command: Body, respond: Respond, context: Body) -> None:
        """`/approvals [pending|mine|show|history|stop|resume|factor|away|back|help] …`: with the ack, or
        after it where that takes longer.
        """
        me = str(context.get("bot_user_id") or "")
        if str(command.get("text") or "").strip().lower() == "factor":
            ack()
            self._enrolling.open(command)
            return
        work = self._pool.submit(self._answer, command, me)
        try:
            ack(**work.result(ACK_SECONDS))
        except NotInTime:
            ack()
            work.add_done_callback(lambda done: _follow_up(done, respond))

    def shortcut(self, body: Body) -> None:
        """*Pending approvals*: the list in a modal."""
        self._opener.open(body, lambda user: self._list_view(self._lists.pending(user)), _refused)

    def see_all(self, body: Body) -> None:
        """The rest of a list on Home, in a modal."""
        kind, page, about = read_page(_value(body))
        self._opener.open(body, lambda user: self._list_view(self._page(kind, user, page, about)), _refused)

    def details(self, body: Body) -> None:
        """Details… on a list: one request with everything, for who may see it."""
        self.record(body, _value(body))

    def record(self, body: Body, token: str) -> None:
        """The same in the menu of a card that waits no more."""

        def view(user: str) -> Any:
            return record_view(self._lists.see(user, parse_token(token)[0]), self._store.clock())

        self._opener.open(body, view, _refused)

    def other_page(self, body: Body, respond: Respond) -> None:
        """Another page, in place of the one that was there."""
        user, (kind, page, about) = body["user"]["id"], read_page(_value(body))
        if body.get("view"):
            self._opener.replace(body, lambda: self._list_view(self._page(kind, user, page, about)), _refused)
            return
        try:
            respond(**self._listed(self._page(kind, user, page, about)), replace_original=True)
        except Exception as error:
            self._opener.tell(body, explain(error))

    def _answer(self, command: Body, me: str) -> dict[str, Any]:
        user, text = command["user_id"], str(command.get("text") or "")
        asked, rest = [*text.split(maxsplit=1), "", ""][:2]
        asked, rest = asked.lower() or "pending", rest.strip()
        try:
            if asked == "factor" and rest.lower().startswith("invite"):
                return _said(self._enrolling.invite(user, rest[6:]))
            if asked == "away":
                return _said(self._absent.away(user, rest))
            if asked == "back":
                return _said(self._absent.back(user))
            if asked == "show":
                return self._show(user, rest)
            if asked == "stop":
                self._stops.command(_as_click(command), rest)
                return {}
            if asked == "resume":
                return _shown(self._stops.listed(user))
            if asked in ("pending", "mine", "history"):
                about = rest[:100] if asked != "mine" else ""
                return self._listed(self._page(asked, user, 1, about))  # type: ignore[arg-type]
        except Exception as error:
            return _said(explain(error))
        return _said(lists_words.help_text(me))

    def _show(self, user: str, asked: str) -> dict[str, Any]:
        approval = self._lists.find(user, asked)
        may = approval.pending and self._lists.can_decide(user, approval)
        blocks = record_blocks(approval, may_decide=may, now=self._store.clock())
        return _shown(blocks)

    def _page(self, kind: Kind, user: str, page: int, about: str) -> Page:
        if kind == "mine":
            return self._lists.mine(user, page)
        if kind == "history":
            return self._lists.history(user, page, about)
        return self._lists.pending(user, page, about)

    def _listed(self, page: Page) -> dict[str, Any]:
        return _shown(list_blocks(page, self._store.clock()))

    def _list_view(self, page: Page) -> Any:
        return list_view(page, self._store.clock())


def explain(error: Exception) -> Trusted:
    """Why a list or a request is not shown. Logs what was not foreseen."""
    if isinstance(error, NotOpened):
        return error.sentence
    if isinstance(error, NotListed):
        return lists_words.may_not_see(error.approvers)
    if isinstance(error, MayNotStop):
        return replies.explain(error, lambda: (None, 0))
    if isinstance(error, GroupsUnread):
        return replies_words.groups_unread(error.groups, error.why)
    if isinstance(error, NotAllowed):
        return replies_words.NOT_A_MEMBER if "workspace" in error.detail else lists_words.NOT_FOR_HISTORY
    if isinstance(error, NoId):
        return lists_words.NO_ID
    if isinstance(error, Ambiguous):
        return lists_words.AMBIGUOUS
    if isinstance(error, UnknownApproval):
        return lists_words.NO_SUCH
    # Its text may repeat what somebody typed or sent: only its type is logged.
    replies.log.error("not looked up: %s", type(error).__name__)
    return lists_words.NOT_LOOKED_UP


def _follow_up(done: Future[dict[str, Any]], respond: Respond) -> None:
    try:
        if answer := done.result():
            respond(**answer)
    except Exception as error:
        replies.log.warning("no answer given: %s", type(error).__name__)


def _as_click(command: Body) -> Body:
    """A command as a click, which opens a form."""
    place = {"id": command.get("channel_id")}
    return {**command, "type": "command", "user": {"id": command["user_id"]}, "channel": place}


def _said(text: Trusted) -> dict[str, Any]:
    return {"response_type": "ephemeral", "text": text}


def _shown(blocks: list[Block]) -> dict[str, Any]:
    """An answer in blocks. Without a text: Slack makes one of them, for who hears it read."""
    return {"response_type": "ephemeral", "blocks": blocks}


def _refused(error: Exception) -> Any:
    return modals.message_view(replies_words.NOT_POSSIBLE, explain(error))


def _value(body: Body) -> str:
    return str(body["actions"][0].get("value") or "")
