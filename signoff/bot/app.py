"""Builds the Bolt App, registers the listeners, and runs it over Socket Mode. Nothing is built at import."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from slack_bolt import Ack, App
from slack_bolt.request import BoltRequest
from slack_bolt.response import BoltResponse

from signoff.approvals.lists import Lists
from signoff.approvals.service import Approvals
from signoff.bot.cards.menu import MENU
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.forms.modals import message_view
from signoff.bot.listeners.acks import Acks
from signoff.bot.listeners.actions import Actions
from signoff.bot.listeners.answers import OPTIONS, Answers
from signoff.bot.listeners.away import Absent
from signoff.bot.listeners.batch_doors import BatchDoors
from signoff.bot.listeners.commands import Commands
from signoff.bot.listeners.editor import Editor
from signoff.bot.listeners.factors import Enrolling
from signoff.bot.listeners.feedback import FORMS, RIGHT, Feedback
from signoff.bot.listeners.home import Home
from signoff.bot.listeners.mentions import Mentions
from signoff.bot.listeners.menus import Menus
from signoff.bot.listeners.news import News
from signoff.bot.listeners.opener import Opener
from signoff.bot.listeners.shortcut import Decide
from signoff.bot.listeners.stops import Stops
from signoff.bot.listeners.undo import Second
from signoff.bot.slack.client import Slack
from signoff.bot.slack.directory import SlackDirectory
from signoff.bot.text.views import ACTION
from signoff.bot.text.words import replies as replies_words
from signoff.models import crash
from signoff.models.store import Store

log = logging.getLogger("signoff.bot")

CONCURRENCY = 32
"""Threads for listeners, each connection. Bolt's default of five leaves a burst unacknowledged."""
FOLLOWERS = 16
"""Threads for what follows an acknowledgement."""
ANYTHING = re.compile("")


class Running:
    """Counts what listeners are doing, so that SIGTERM can let it finish."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Around one request."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def begin(self) -> None:
        """One more; `end` says that it is done."""
        with self._idle:
            self._count += 1

    def end(self) -> None:
        """One less."""
        with self._idle:
            self._count -= 1
            self._idle.notify_all()

    def wait(self, seconds: float) -> bool:
        """Until nothing runs; False after `seconds`."""
        with self._idle:
            return self._idle.wait_for(lambda: self._count == 0, seconds)


class CountedPool(ThreadPoolExecutor):
    """Counts what is given to it from that moment, so that nothing is missed while it waits for a thread."""

    def __init__(self, running: Running, threads: int, name: str) -> None:
        super().__init__(threads, thread_name_prefix=name)
        self._running = running

    def submit(self, *given: Any, **more: Any) -> Future[Any]:
        """As its base does."""
        self._running.begin()
        try:
            work = super().submit(*given, **more)
        except BaseException:
            self._running.end()
            raise
        work.add_done_callback(lambda _: self._running.end())
        return work


class CountedApp(App):
    """Counts each request from its arrival until its acknowledgement is made, and makes that fit a frame.

    Bolt's middlewares cannot: it calls the listener after they have all returned. The listeners of `buttons`,
    by action id, are called without them: an agent waits behind, and none of them has a say about a click.
    """

    def __init__(self, running: Running, slack: Slack, **given: Any) -> None:
        super().__init__(**given)
        self._running = running
        self._acks = Acks(slack, CountedPool(running, FOLLOWERS, "follows"))
        self.buttons: dict[str, Callable[[Ack, dict[str, Any]], None]] = {}

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """One request, from Socket Mode."""
        with self._running.one():
            crash.here("bot.clicked")
            answer = self._pressed(req.body) or self._acks.fitted(req.body, super().dispatch(req))
            crash.here("bot.done")
            return answer

    def _pressed(self, body: dict[str, Any]) -> BoltResponse | None:
        """The answer to a click on one of `buttons`; None for anything else. They catch what is raised."""
        if body.get("type") != "block_actions":
            return None
        listener = self.buttons.get((body.get("actions") or [{}])[0].get("action_id", ""))
        if listener is None:
            return None
        ack = Ack()  # type: ignore[no-untyped-call]
        listener(ack, body)
        return ack.response or BoltResponse(status=200)


class Parts(Protocol):
    """What the bot is built of: the server has them."""

    @property
    def approvals(self) -> Approvals: ...
    @property
    def lists(self) -> Lists: ...
    @property
    def store(self) -> Store: ...
    @property
    def slack(self) -> Slack: ...
    @property
    def directory(self) -> SlackDirectory: ...
    @property
    def delivery(self) -> Delivery: ...
    @property
    def wake_home(self) -> Callable[[str], None]: ...


def build_bolt(server: Parts, running: Running | None = None) -> App:
    """The Bolt App with every listener."""
    counted = running or Running()
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        os.environ.pop(name, None)  # Bolt would take them for OAuth, and drop the token
    app = CountedApp(
        counted,
        server.slack,
        client=server.slack.web,
        process_before_response=True,  # its default looks for the ack every 10 ms
        token_verification_enabled=True,
        listener_executor=CountedPool(counted, CONCURRENCY, "listener"),
    )

    opener = Opener(server.slack, server.directory)
    actions = Actions(server.approvals, server.slack, opener, server.delivery)
    together = BatchDoors(server.approvals, server.lists, server.slack, opener, actions)
    answers = Answers(server.approvals, opener, actions)
    second = Second(server.approvals, opener, actions)
    feedback = Feedback(server.approvals, actions)
    editor = Editor(server.approvals, opener, actions.refusal, together.after)
    stops = Stops(server.approvals, server.lists, opener)
    enrolling = Enrolling(server.approvals, opener, actions.refusal, server.lists.admins)
    absent = Absent(server.approvals, server.directory)
    commands = Commands(server.lists, server.store, opener, stops, enrolling, absent)
    menus = Menus(actions, together, commands, stops)
    decide = Decide(server.approvals, opener, actions)
    mentions = Mentions(server.approvals, server.lists, server.slack, actions.explain)
    news = News(server.directory)
    home = Home(server.store, server.wake_home)

    def at_once(ack: Callable[..., Any]) -> None:
        ack()

    def later(listener: Callable[..., None]) -> dict[str, Any]:
        """Opening a view asks Slack, so the click is acknowledged first."""
        return {"ack": at_once, "lazy": [listener]}

    app.buttons["approve"] = actions.approve
    app.buttons["take_back"] = actions.take_back
    app.buttons["hold"] = second.hold
    app.action("undo")(**later(second.open))
    app.view("undo")(second.submit)
    app.buttons |= dict.fromkeys(OPTIONS, answers.choose)
    app.buttons["you_decide"] = answers.leave
    app.buttons[RIGHT] = feedback.right
    for action_id in ("reject", "edit", "review", "answer", "none", "hand", *FORMS):
        app.action(action_id)(**later(actions.open))
    app.action(re.compile(f"^{MENU}(_[a-z_]+)?$"))(**later(menus.chosen))
    app.action("stop")(**later(stops.begin))
    app.action("stop_known")(**later(stops.look_again))
    app.action("resume")(**later(stops.begin_resume))
    app.view("stop")(stops.submit)
    app.view("resume")(stops.submit_resume)
    app.action("page")(**later(actions.page_back))
    app.action(re.compile("^list_(back|next)$"))(**later(commands.other_page))
    app.action("list_all")(**later(commands.see_all))
    app.action("details")(**later(commands.details))
    app.action("ask")(**later(actions.open))
    app.action("conversation")(**later(actions.conversation))
    app.action(re.compile("^conversation_(newer|older)$"))(**later(actions.other_turns))
    app.view("ask")(actions.submit_ask)
    app.view("reject")(actions.submit_reject)
    app.view("note")(actions.submit_note)
    app.view("edit")(editor.submit)
    app.view("difference")(editor.submit_difference)
    app.action("edit_back")(**later(editor.back))
    app.options(ACTION)(editor.suggest)
    app.view("review")(actions.submit_review)
    together.register(app, later)
    app.view("answer")(answers.submit)
    app.view("none")(answers.submit_none)
    app.view("hand")(answers.submit_hand)
    app.view("feedback")(feedback.submit)
    app.view("factor")(enrolling.submit)
    app.view("factor_new")(enrolling.finish)
    app.command("/approvals")(commands.approvals)
    app.shortcut("pending")(**later(commands.shortcut))
    app.shortcut("decide")(**later(decide.shortcut))
    app.event("app_mention")(**later(mentions.answer))
    app.event("app_home_opened")(home.note_opened)
    app.event("user_change")(news.person_changed)
    app.event("subteam_members_changed")(news.group_changed)
    app.event("app_uninstalled")(news.uninstalled)
    app.event("tokens_revoked")(news.revoked)
    # What nobody knows is acknowledged: an unanswered envelope shows the person an error, and comes again.
    app.action(ANYTHING)(at_once)
    app.view(ANYTHING)(at_once)
    app.shortcut(ANYTHING)(at_once)
    app.event(ANYTHING)(at_once)

    @app.error
    def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Whatever the listeners did not foresee: nothing was recorded, and the person is told so."""
        log.error("listener failed: %s", type(error).__name__)
        return BoltResponse(status=200, body=_not_recorded(body))

    return app


def _not_recorded(body: dict[str, Any]) -> Any:
    if body.get("type") == "view_submission":
        return {
            "response_action": "update",
            "view": message_view(replies_words.NOT_POSSIBLE, replies_words.NOT_RECORDED),
        }
    if body.get("command"):
        return {"response_type": "ephemeral", "text": replies_words.NOT_RECORDED}
    return ""
