"""⋯ on a card: each choice leads to whoever does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from signoff.bot.cards.menu import RECORD, RESUME, STOP
from signoff.bot.listeners.actions import Actions
from signoff.bot.listeners.batch_doors import BatchDoors
from signoff.bot.listeners.commands import Commands
from signoff.bot.listeners.opener import Body
from signoff.bot.listeners.presses import value_of
from signoff.bot.listeners.stops import Stops

Way = Callable[[Body, str], None]


class Menus:
    """A choice's value is `what:about what`; what nobody has claimed names one of a request's own forms."""

    def __init__(self, actions: Actions, together: BatchDoors, commands: Commands, stops: Stops) -> None:
        self._forms = actions.form
        self._ways: Mapping[str, Way] = {
            **together.ways,
            RECORD: commands.record,
            STOP: stops.ask,
            RESUME: stops.ask_resume,
        }

    def chosen(self, body: Body) -> None:
        """What was chosen, in the menu or in *More…*."""
        choice, _, about = value_of(body).partition(":")
        way = self._ways.get(choice)
        if way is None:
            self._forms(body, choice, about)
        else:
            way(body, about)
