"""Links: tickets, hello, ten at most, envelopes to one of them, disconnects; plain and with Bolt."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk import WebClient

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
Connect = Callable[[], Awaitable[aiohttp.ClientWebSocketResponse]]


def over_sockets(slack: Sandbox, work: Callable[[Connect], Awaitable[None]]) -> None:
    """Run `work` with a function that opens one link after the other."""
    client = WebClient(slack.app_token, base_url=slack.api_url)

    async def main() -> None:
        async with aiohttp.ClientSession() as session:

            async def connect() -> aiohttp.ClientWebSocketResponse:
                url = client.apps_connections_open(app_token=slack.app_token)["url"]
                return await session.ws_connect(url)

            await asyncio.wait_for(work(connect), 30)

    asyncio.run(main())


def act_later(slack: Sandbox, **fields: Any) -> tuple[threading.Thread, list[JSON]]:
    answers: list[JSON] = []
    thread = threading.Thread(target=lambda: answers.append(slack.act(**fields)))
    thread.start()
    return thread, answers


def test_a_ticket_opens_one_link(slack: Sandbox) -> None:
    url = WebClient("", base_url=slack.api_url).apps_connections_open(app_token=slack.app_token)["url"]

    async def twice() -> None:
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(url) as first:
                assert (await first.receive_json())["type"] == "hello"
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(url)
            assert caught.value.status == 404

    asyncio.run(twice())


def test_an_eleventh_link_is_sent_away(slack: Sandbox) -> None:
    async def work(connect: Connect) -> None:
        links = [await connect() for _ in range(10)]
        hellos = [await link.receive_json() for link in links]
        assert [hello["num_connections"] for hello in hellos] == list(range(1, 11))
        assert hellos[0]["connection_info"]["app_id"] == slack.state()["bot"]["app_id"]
        eleventh = await connect()
        goodbye = await eleventh.receive_json()
        assert (goodbye["type"], goodbye["reason"]) == ("disconnect", "too_many_websockets")
        assert (await eleventh.receive()).type is aiohttp.WSMsgType.CLOSE
        for link in links:
            await link.close()

    over_sockets(slack, work)


def test_pings_are_answered_and_nonsense_is_ignored(slack: Sandbox, people: dict[str, str]) -> None:
    async def work(connect: Connect) -> None:
        link = await connect()
        await link.receive_json()
        await link.ping(b"still there?")
        for nonsense in ("", "{", "[]", '{"envelope_id": 5}', '{"envelope_id": "x"}', "[" * 20_000):
            await link.send_str(nonsense)
        thread, answers = act_later(slack, type="open_home", user=people["ana"])
        envelope = await link.receive_json()
        assert (envelope["type"], envelope["accepts_response_payload"]) == ("events_api", False)
        assert (envelope["retry_attempt"], envelope["retry_reason"]) == (0, "")
        await link.send_json({"envelope_id": envelope["envelope_id"]})
        await asyncio.to_thread(thread.join)
        assert answers[0]["acked"]
        await link.close()

    over_sockets(slack, work)


def test_each_envelope_goes_to_one_link_in_turn(slack: Sandbox, people: dict[str, str]) -> None:
    async def work(connect: Connect) -> None:
        links = [await connect() for _ in range(3)]
        for link in links:
            await link.receive_json()
        counts = [0, 0, 0]

        async def serve(number: int) -> None:
            async for message in links[number]:
                counts[number] += 1
                await links[number].send_json({"envelope_id": message.json()["envelope_id"]})

        tasks = [asyncio.create_task(serve(number)) for number in range(3)]
        for _ in range(9):
            answer = await asyncio.to_thread(slack.act, type="open_home", user=people["ana"])
            assert answer["acked"]
        assert counts == [3, 3, 3]
        for link in links:
            await link.close()
        await asyncio.gather(*tasks)

    over_sockets(slack, work)


def test_a_click_waits_for_a_link_to_come(slack: Sandbox, people: dict[str, str]) -> None:
    async def work(connect: Connect) -> None:
        thread, answers = act_later(slack, type="open_home", user=people["ana"])
        link = await connect()
        assert (await link.receive_json())["type"] == "hello"
        envelope = await link.receive_json()
        await link.send_json({"envelope_id": envelope["envelope_id"], "payload": {}})
        await asyncio.to_thread(thread.join)
        assert answers[0]["acked"]
        await link.close()

    over_sockets(slack, work)


def test_without_any_link_nothing_is_acknowledged(slack: Sandbox, people: dict[str, str]) -> None:
    answer = slack.act(type="open_home", user=people["ana"])
    assert (answer["ok"], answer["acked"], answer["response"]) == (True, False, None)
    assert slack.log()[-1]["link"] is None


def test_a_link_that_was_cut_gets_nothing_more(
    slack: Sandbox, people: dict[str, str], eventually: Callable[..., Any]
) -> None:
    async def work(connect: Connect) -> None:
        gone, stays = await connect(), await connect()
        for link in (gone, stays):
            await link.receive_json()
        transport = gone.get_extra_info("socket")
        transport.shutdown(2)
        await asyncio.to_thread(eventually, lambda: slack.state()["connections"] == 1)
        for _ in range(3):
            thread, answers = act_later(slack, type="open_home", user=people["ana"])
            envelope = await stays.receive_json()
            await stays.send_json({"envelope_id": envelope["envelope_id"]})
            await asyncio.to_thread(thread.join)
            assert answers[0]["acked"]
        await stays.close()

    over_sockets(slack, work)


@pytest.mark.parametrize(
    ("reason", "stays"), [("refresh_requested", False), ("link_disabled", False), ("warning", True)]
)
def test_a_disconnect_says_why(slack: Sandbox, reason: str, stays: bool) -> None:
    async def work(connect: Connect) -> None:
        link = await connect()
        await link.receive_json()
        call = asyncio.to_thread(slack.faults, method="socket", mode="disconnect", reason=reason)
        asked = asyncio.create_task(call)
        goodbye = await link.receive_json()
        assert (goodbye["type"], goodbye["reason"]) == ("disconnect", reason)
        if not stays:
            assert (await link.receive()).type is aiohttp.WSMsgType.CLOSE
        await asked
        assert slack.state()["connections"] == int(stays)
        await link.close()

    over_sockets(slack, work)


def test_the_sdk_comes_back_after_a_disconnect(
    bot: Any, slack: Sandbox, people: dict[str, str], eventually: Callable[..., Any]
) -> None:
    eventually(lambda: slack.state()["connections"] == 1)
    before = bot.handlers[0].client.session_id()
    slack.faults(method="socket", mode="disconnect")
    eventually(lambda: bot.handlers[0].client.session_id() != before)
    eventually(lambda: slack.act(type="open_home", user=people["ana"])["acked"])
