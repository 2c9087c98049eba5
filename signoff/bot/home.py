"""App Home: what waits for the person who opens it."""

from __future__ import annotations

from signoff.bot import replies
from signoff.bot.actions import Body
from signoff.bot.commands import Commands
from signoff.bot.post import Slack


class Home:
    """Publishes a person's Home when they open it."""

    def __init__(self, commands: Commands, slack: Slack) -> None:
        self._commands = commands
        self._slack = slack

    def opened(self, event: Body) -> None:
        """`app_home_opened`."""
        if event.get("tab", "home") != "home":
            return
        try:
            blocks = self._commands.waiting(event["user"], 1)
            self._slack.publish_home(event["user"], {"type": "home", "blocks": blocks})
        except Exception as error:
            replies.log.warning("Home not published: %s", type(error).__name__)
