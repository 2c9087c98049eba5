"""How the bot ends its connections."""

from __future__ import annotations

import threading

from bolt_bot import web_client
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

from signoff.sandbox.server import Sandbox
from signoff.server.bot_role import close


def test_a_connection_that_begins_while_it_is_closed_ends_too() -> None:
    with Sandbox.start() as slack:
        app = App(client=web_client(slack), process_before_response=True)
        handler = SocketModeHandler(app, slack.app_token, web_client=web_client(slack))
        handler.connect()  # type: ignore[no-untyped-call]
        client = handler.client
        disconnect = client.disconnect

        def begin_meanwhile() -> None:
            disconnect()
            client.current_session_state.terminated = False  # as the SDK does where a session begins

        client.disconnect = begin_meanwhile  # type: ignore[method-assign]
        closing = threading.Thread(target=close, args=(handler,), daemon=True)
        closing.start()
        closing.join(30)
        assert not closing.is_alive()
