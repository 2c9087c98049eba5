"""Every acknowledgement on its way out: what Slack does not take in a frame is cut down, or follows after it.

This is the one place that all of them pass (see `app.CountedApp`), so no listener has to think of it.
"""

from __future__ import annotations

import json
import logging
from bisect import bisect_right
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from uuid import uuid4

from slack_bolt.context.respond import Respond
from slack_bolt.response import BoltResponse

from signoff.bot.forms.loading import again_with, loading_view, not_shown_view
from signoff.bot.listeners.opener import STACK, Body, depth
from signoff.bot.listeners.replies import NotOpened
from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackError, SlackRefused, was_taken
from signoff.bot.slack.frames import fits
from signoff.bot.slack.views import Views
from signoff.bot.text.text import Block, cut, plain
from signoff.bot.text.words import opening

log = logging.getLogger("signoff.bot")

MESSAGE = 2000
"""Characters of an error at a field, at most; where there are many, fewer."""


class Acks:
    """Makes acknowledgements fit. What follows one is done in `pool`."""

    def __init__(self, slack: Slack, pool: Executor) -> None:
        self._slack = slack
        self._views = Views(slack)
        self._pool = pool

    def fitted(self, body: Body, answer: BoltResponse) -> BoltResponse:
        """What is sent in place of an answer to the request `body`: the answer itself where it fits."""
        if answer.status != 200 or not answer.body:
            return answer
        payload = _payload(answer)
        smaller = self._in_place(body, payload)
        if fits(smaller):
            return answer if smaller is payload else BoltResponse(status=200, body=smaller)
        smaller = self._smaller(body, smaller)
        if not fits(smaller):
            log.error("an acknowledgement that Slack would not take was left out")
            smaller = {}
        return BoltResponse(status=200, body=smaller or "")

    def _in_place(self, body: Body, payload: Body) -> Body:
        """A push becomes an update where Slack's stack of modals is full."""
        if payload.get("response_action") == "push" and depth(body.get("view")) == STACK:
            return payload | {"response_action": "update"}
        return payload

    def _smaller(self, body: Body, payload: Body) -> Body:
        action = payload.get("response_action")
        if action in ("update", "push") and isinstance(payload.get("view"), dict):
            return self._loading(body, action, payload["view"])
        if isinstance(payload.get("errors"), dict):
            return payload | {"errors": fewer_words(payload["errors"])}
        if "options" in payload or "option_groups" in payload:
            return fewer_options(_options(payload))
        if body.get("response_url"):
            self._follow(lambda: self._respond(body, payload))
        return {}

    def _loading(self, body: Body, action: str, view: Block) -> Body:
        """*Loading…* at once, and then the view by an update, which takes 250 KB."""
        external_id, under = f"signoff-{uuid4()}", body.get("view") or {}
        view_id = str(under.get("id") or "") if action == "update" else ""
        self._follow(lambda: self._fill(external_id, view_id, view, under))
        return {"response_action": action, "view": loading_view(view, external_id)}

    def _fill(self, external_id: str, view_id: str, view: Block, under: Block) -> None:
        """Put the view there. Where Slack refuses it, what was there before, or a word and the way back."""
        try:
            if not self._views.fill(external_id, view_id, view):
                log.info("a view was closed before it came")
        except SlackRefused as error:
            text = NotOpened(error).sentence
            instead = [not_shown_view(text, view)]
            if view_id:
                instead.insert(0, again_with(text, under))
            self._views.fill(external_id, view_id, *instead)

    def _respond(self, body: Body, message: Body) -> None:
        """The answer to a command, by its response_url; a word to the person alone where that fails."""
        web, given = self._slack.web, {"response_type": "ephemeral", **message}
        answer = Respond(response_url=body["response_url"], proxy=web.proxy, ssl=web.ssl)(given)
        if not was_taken(answer.status_code, answer.body):
            log.warning("an answer was not taken: %d", answer.status_code)
            said = NotOpened(SlackRefused("response_url")).sentence
            self._slack.whisper(str(body.get("channel_id")), str(body.get("user_id")), said)

    def _follow(self, work: Callable[[], None]) -> None:
        def follow() -> None:
            try:
                work()
            except SlackError as error:
                log.warning("what follows an acknowledgement is not shown: %s", error)
            except Exception as error:
                log.error("what follows an acknowledgement failed: %s", type(error).__name__)

        self._pool.submit(follow)


def fewer_words(errors: Mapping[str, str]) -> dict[str, str]:
    """Errors at fields, each cut so that all of them fit; of too many for that, the first."""

    def fit(found: Mapping[str, str]) -> bool:
        return fits({"response_action": "errors", "errors": found})

    lengths = range(2, MESSAGE)
    found = _cut(errors, 1 + bisect_right(lengths, False, key=lambda length: not fit(_cut(errors, length))))
    while not fit(found):
        found = dict(list(found.items())[: len(found) // 2])
    return found


def fewer_options(options: list[Block]) -> Body:
    """The first of the values that a search offers, under a heading that says that there are more."""
    count = bisect_right(range(1, len(options) + 1), False, key=lambda most: not fits(_group(options[:most])))
    return _group(options[: max(count, 1)])


def _group(options: list[Block]) -> Body:
    return {"option_groups": [{"label": plain(opening.first_options(len(options))), "options": options}]}


def _cut(errors: Mapping[str, str], length: int) -> dict[str, str]:
    return {block_id: cut(text, length) for block_id, text in errors.items()}


def _options(payload: Body) -> list[Block]:
    groups = payload.get("option_groups") or [payload]
    return [option for group in groups for option in group.get("options") or ()]


def _payload(answer: BoltResponse) -> Body:
    """What the SDK makes of an answer."""
    if answer.headers.get("content-type", [""])[0].startswith("application/json"):
        found: Body = json.loads(answer.body)
        return found
    return {"text": answer.body}
