"""Opens views within the 3 s that a click's trigger lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signoff.bot.forms.modals import checking_view
from signoff.bot.slack.client import Slack
from signoff.bot.slack.directory import SlackDirectory
from signoff.bot.text.text import Block

Body = dict[str, Any]


class Opener:
    """At once where Slack need not be asked who somebody is; else *Checking…* first, filled by an update."""

    def __init__(self, slack: Slack, directory: SlackDirectory) -> None:
        self._slack = slack
        self._directory = directory

    def show(self, body: Body, view: Block) -> str:
        """Show a view after a click: over the modal that was clicked, where it was one. The view's id.

        Slack holds three, one over the other: above the third there is no room, and the new one replaces it.
        """
        under = body.get("view") or {}
        if under.get("type") != "modal":
            return self._slack.open_view(body["trigger_id"], view)
        if under.get("previous_view_id") not in (None, under.get("root_view_id")):
            self._slack.update_view(under["id"], view)
            return str(under["id"])
        return self._slack.push_view(body["trigger_id"], view)

    def open(
        self,
        body: Body,
        build: Callable[[str], Block],
        refuse: Callable[[Exception], Block],
        say: Callable[[Exception], None] | None = None,
    ) -> bool:
        """Open what `build` gives for this person; False where that came to nothing.

        What it raises is told in the view that `refuse` gives, or by `say` where no view is open yet.
        """
        user, opened = body["user"]["id"], ""
        try:
            if not self._directory.knows(user):
                opened = self.show(body, checking_view())
            self._place(body, opened, build(user))
        except Exception as error:
            if say is not None and not opened:
                say(error)
            else:
                self._place(body, opened, refuse(error))
            return False
        return True

    def _place(self, body: Body, opened: str, view: Block) -> None:
        if opened:
            self._slack.update_view(opened, view)
        else:
            self.show(body, view)
