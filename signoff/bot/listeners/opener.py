"""Opens views within the 3 s that a click's trigger lives, and replaces those that are open.

Nothing is decided here, so what goes wrong is told as that: it could not be opened, and can be pressed again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from slack_bolt.context.respond import Respond

from signoff.bot.forms.loading import again_with
from signoff.bot.forms.modals import checking_view, message_blocks, message_view
from signoff.bot.listeners.replies import NotOpened, foreseen
from signoff.bot.slack.client import Slack
from signoff.bot.slack.directory import SlackDirectory
from signoff.bot.slack.errors import SlackError, was_taken
from signoff.bot.slack.views import Place, Views
from signoff.bot.text.text import Block, Trusted
from signoff.bot.text.words import replies as replies_words
from signoff.models.approval import Approval

log = logging.getLogger("signoff.bot")

Body = dict[str, Any]
STACK = 3
"""Slack: modals that lie on each other."""


def depth(view: Block | None) -> int:
    """How deep a modal lies in its stack, counted from 1; 0 for a Home, or none."""
    if not view or view.get("type") != "modal":
        return 0
    before, root = view.get("previous_view_id"), view.get("root_view_id")
    return 1 if not before else 2 if before == root else STACK


class Opener:
    """At once where Slack need not be asked who somebody is; else *Checking…* first, filled by an update."""

    def __init__(self, slack: Slack, directory: SlackDirectory) -> None:
        self._slack = slack
        self._directory = directory
        self._views = Views(slack)

    def show(self, body: Body, view: Block, levels: int = 1) -> Place:
        """Show a view after a click: over the modal that was clicked, where it was one.

        In its place where Slack's stack would not hold `levels` more. Raises SlackError.
        """
        under = body.get("view") or {}
        deep = depth(under)
        if deep and deep + levels > STACK:
            self._views.replace(Place(under["id"], under.get("hash")), view)
            return Place(under["id"])
        show = self._slack.push_view if deep else self._slack.open_view
        opened = show(body["trigger_id"], view)
        return Place(str(opened["id"]), opened.get("hash"))

    def open(
        self,
        body: Body,
        build: Callable[[str], Block],
        refuse: Callable[[Exception], Block],
        say: Callable[[Exception], None] | None = None,
        levels: int = 1,
        slow: bool = False,
    ) -> bool:
        """Open what `build` gives for this person; False where that came to nothing.

        What it raises is told in the view that `refuse` gives, or by `say` where no view is open yet.
        `levels` are the modals that it and those over it take; what is `slow` to build is opened empty first.
        """
        user, place = body["user"]["id"], None
        try:
            if slow or not self._directory.knows(user):
                place = self.show(body, checking_view(), levels)
            view = build(user)
        except Exception as error:
            error = NotOpened.of(error)
            if say is not None and place is None:
                say(error)
                return False
            view = refuse(error)
            self._put(body, place, view, refuse, say, levels)
            return False
        return self._put(body, place, view, refuse, say, levels)

    def replace(self, body: Body, build: Callable[[], Block], refuse: Callable[[Exception], Block]) -> None:
        """Show what `build` gives in place of the modal that was clicked; told as by `open`.

        Where somebody has gone on meanwhile, what they went on to stays.
        """
        view = body["view"]
        try:
            shown = build()
        except Exception as error:
            shown = refuse(error) if foreseen(error) else again_with(NotOpened(error).sentence, view)
        try:
            place = Place(view["id"], view.get("hash"))
            self._views.replace(place, shown)
        except SlackError as error:
            self.tell(body, NotOpened(error).sentence)

    def put(self, view_id: str, view: Block) -> bool:
        """Show a view in place of one that lies under others; whether that is open. Raises SlackError."""
        return self._views.replace(Place(view_id), view)

    def tell(self, body: Body, text: Trusted, again: Approval | None = None) -> None:
        """Tell only the person who clicked, in the best place that there is for it; never raises.

        Beside the message that was clicked; over the modal, or on it; else in a direct message. `again`: see
        `message_blocks`.
        """
        for way in (self._beside, self._over, self._on_top, self._directly):
            try:
                if way(body, text, again):
                    return
            except Exception as error:
                log.warning("not told (%s): %s", way.__name__.strip("_"), type(error).__name__)

    def _put(
        self,
        body: Body,
        place: Place | None,
        view: Block,
        refuse: Callable[[Exception], Block],
        say: Callable[[Exception], None] | None,
        levels: int,
    ) -> bool:
        """The last step of `open`; whether the view stands there."""
        try:
            if place is None:
                self.show(body, view, levels)
                return True
            return self._views.replace(place, view)
        except SlackError as error:
            failed = NotOpened(error)
        if place is not None and self._replaced(place, refuse(failed)):
            return False
        if say is not None:
            say(failed)
        else:
            self.tell(body, failed.sentence)
        return False

    def _replaced(self, place: Place, view: Block) -> bool:
        try:
            return self._views.replace(place, view)
        except SlackError:
            return False

    def _beside(self, body: Body, text: Trusted, again: Approval | None) -> bool:
        """An answer to the message that was clicked; a shortcut's would not stand in its thread."""
        url = body.get("response_url")
        if not url or body.get("type") == "message_action":
            return False
        blocks, thread_ts = message_blocks(text, again), thread_of(body)
        alone = "" if again else text  # where blocks say more, Slack makes a text of them
        if thread_ts:  # a response_url keeps what one person sees out of threads
            where = (body["container"]["channel_id"], body["user"]["id"])
            if self._slack.whisper(*where, alone, blocks, thread_ts=thread_ts):
                return True
        web = self._slack.web
        answer = Respond(response_url=url, proxy=web.proxy, ssl=web.ssl)(
            text=alone, blocks=blocks, response_type="ephemeral", replace_original=False
        )
        return was_taken(answer.status_code, answer.body)

    def _over(self, body: Body, text: Trusted, again: Approval | None) -> bool:
        """A view of its own: App Home and modals have no other place to answer in."""
        if depth(body.get("view")) == STACK:
            return False
        self.show(body, message_view(replies_words.NOT_POSSIBLE, text, again))
        return True

    def _on_top(self, body: Body, text: Trusted, again: Approval | None) -> bool:
        """A notice on top of the modal, which needs no trigger."""
        view = body.get("view") or {}
        if not depth(view):
            return False
        return self._views.replace(Place(view["id"], view.get("hash")), again_with(text, view))

    def _directly(self, body: Body, text: Trusted, again: Approval | None) -> bool:
        """A message to that person, in the conversation where they are where that is known."""
        user, channel = body["user"]["id"], (body.get("channel") or {}).get("id")
        said = {"text": text, "blocks": message_blocks(text, again)}
        if channel:
            thread_ts = (body.get("message") or {}).get("thread_ts")
            self._slack.call("chat.postEphemeral", channel=channel, user=user, thread_ts=thread_ts, **said)
        else:
            self._slack.post(user, text, message_blocks(text, again))
        return True


def thread_of(body: Body) -> str | None:
    """The thread that somebody clicked in, where an answer is seen; None for a message outside threads.

    Slack gives a message that has replies its own ts for a thread.
    """
    place = body.get("container") or {}
    thread_ts = place.get("thread_ts")
    return str(thread_ts) if thread_ts and thread_ts != place.get("message_ts") else None
