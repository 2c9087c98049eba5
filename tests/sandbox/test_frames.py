"""What an app may send over a link: one frame a message, of 20,480 bytes; and links that are ghosts."""

from __future__ import annotations

import asyncio
import json
import os
from functools import partial

import aiohttp
import pytest
from sandbox.test_socket_mode import Connect, act_later, over_sockets

from signoff.bot.blocks import FRAME_BYTES
from signoff.sandbox.server import Sandbox


def text_frame(text: str, *, fin: bool = True, opcode: int = 1) -> bytes:
    """A frame of a client's as it is sent, with a mask of zeros."""
    body = text.encode()
    wide = b"\xfe" + len(body).to_bytes(2, "big") if len(body) > 125 else bytes([0x80 | len(body)])
    return bytes([(0x80 if fin else 0) | opcode]) + wide + b"\0\0\0\0" + body


def padded(envelope_id: str, size: int) -> str:
    """An acknowledgement of so many bytes."""
    bare = json.dumps({"envelope_id": envelope_id, "payload": {"text": ""}})
    return json.dumps({"envelope_id": envelope_id, "payload": {"text": "x" * (size - len(bare))}})


@pytest.mark.parametrize(("size", "fits"), [(FRAME_BYTES, True), (FRAME_BYTES + 1, False), (70_000, False)])
def test_a_frame_over_20480_bytes_closes_the_link_and_acknowledges_nothing(
    slack: Sandbox, people: dict[str, str], large_frames: None, size: int, fits: bool
) -> None:
    async def work(connect: Connect) -> None:
        link = await connect()
        await link.receive_json()
        thread, answers = act_later(slack, type="open_home", user=people["ana"])
        envelope = await link.receive_json()
        await link.send_str(padded(envelope["envelope_id"], size))
        if not fits:
            closed = await link.receive()
            assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 1009)
            assert closed.extra == "Max frame length of 20480 has been exceeded"
        await asyncio.to_thread(thread.join)
        assert answers[0]["acked"] is fits
        assert slack.state()["connections"] == int(fits)
        frames = [entry["bytes"] for entry in slack.log() if entry["kind"] == "frame"]
        assert frames == ([] if fits else [size])
        if fits:
            assert slack.log()[-1]["ack_bytes"] == size
        await link.close()

    over_sockets(slack, work)


def test_a_message_in_several_frames_is_passed_over_and_the_next_one_counts(
    slack: Sandbox, people: dict[str, str], large_frames: None
) -> None:
    async def work(connect: Connect) -> None:
        slack.faults(redelivery_seconds=[])
        link = await connect()
        await link.receive_json()
        thread, answers = act_later(slack, type="open_home", user=people["ana"])
        envelope = await link.receive_json()
        ack = json.dumps({"envelope_id": envelope["envelope_id"]})
        send = partial(os.write, link.get_extra_info("socket").fileno())
        pieces = text_frame(ack[:9], fin=False) + text_frame("between", opcode=9)
        pieces += text_frame(ack[9:], opcode=0)
        for byte in pieces:  # however it is cut on its way
            send(bytes([byte]))
        await asyncio.to_thread(thread.join)
        assert not answers[0]["acked"] and slack.state()["connections"] == 1
        thread, answers = act_later(slack, type="open_home", user=people["ana"])
        envelope = await link.receive_json()
        send(text_frame(json.dumps({"envelope_id": envelope["envelope_id"]})))
        await asyncio.to_thread(thread.join)
        assert answers[0]["acked"]
        await link.close()

    over_sockets(slack, work)


def test_ghosts_count_and_get_their_turn_of_the_envelopes_and_lose_them(
    slack: Sandbox, people: dict[str, str]
) -> None:
    async def work(connect: Connect) -> None:
        slack.faults(ghosts=2)
        slack.faults(redelivery_seconds=[])
        link = await connect()
        assert (await link.receive_json())["num_connections"] == 3

        async def serve() -> None:
            async for message in link:
                await link.send_json({"envelope_id": message.json()["envelope_id"]})

        task = asyncio.create_task(serve())
        acks = [asyncio.to_thread(slack.act, type="open_home", user=people["ana"]) for _ in range(6)]
        assert [answer["acked"] for answer in await asyncio.gather(*acks)].count(True) == 2
        lost = [e for e in slack.log() if e["kind"] == "envelope" and e["link"] == "ghost"]
        assert len(lost) == 4 and not any(entry["acked"] for entry in lost)
        slack.faults(ghosts=9)
        tenth = await connect()
        assert (await tenth.receive_json())["reason"] == "too_many_websockets"
        await tenth.close()
        assert slack.faults(clear=True)["ghosts"] == 0
        await link.close()
        await task

    over_sockets(slack, work)


def test_a_link_that_breaks_off_leaves_a_ghost(slack: Sandbox) -> None:
    async def work(connect: Connect) -> None:
        link = await connect()
        await link.receive_json()
        await asyncio.to_thread(slack.faults, method="socket", mode="disconnect", reason="half_open")
        assert (await link.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        again = await connect()
        assert (await again.receive_json())["num_connections"] == 2
        assert slack.faults()["ghosts"] == 1
        await again.close()
        slack.faults(clear=True)

    over_sockets(slack, work)
