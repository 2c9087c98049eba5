"""What registers a function that undoes, and what serves it: no server is needed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from signoff.client import undo as undos
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff
from signoff.errors import ConfigError


@pytest.fixture
def client() -> Signoff:
    return Signoff(redis_url="redis://127.0.0.1:1", agent="a", verify_key="k" * 43)


def test_one_is_given_as_text_or_bare_and_no_method(client: Signoff) -> None:
    """What registers nothing says so at once; `help` heads it as it is called."""
    registry = AsyncSignoff(redis_url="redis://127.0.0.1:1", agent="a", verify_key="k" * 43)

    @registry.undo
    def refund_cancel(id: str) -> None: ...

    def loose(self: Any, id: str) -> None: ...

    class Bank:
        def cancel(self, id: str) -> None: ...

    loose.__annotations__.clear()
    registry.undo()(Bank().cancel)
    assert refund_cancel.__name__ == "refund_cancel"
    assert [one.action for one in registry._undos.all] == ["refund_cancel", "cancel"]
    for wrong in (Bank.cancel, loose):
        with pytest.raises(TypeError, match="self of refund"):
            registry.undo("refund.cancel")(wrong)
    for side in (client, registry):
        with pytest.raises(TypeError, match="not int"):
            side.undo(7)
        assert side.undo.__name__ == "undo"


def test_serving_none_raises_and_one_registered_later_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(_later(monkeypatch))


async def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    served, news = list[str](), asyncio.Event()

    async def serve(_: Any, undo: undos.Undo) -> None:
        served.append(undo.action)
        news.set()
        if undo.action == "bad":
            raise ConfigError("no right")

    monkeypatch.setattr(undos, "serve", serve)
    client = AsyncSignoff(redis_url="redis://127.0.0.1:1", agent="a", verify_key="k" * 43)
    with pytest.raises(ConfigError, match="Nothing undoes"):
        await client.serve_undos()
    client.undo("first")(lambda: None)
    serving = asyncio.ensure_future(client.serve_undos())
    await asyncio.wait_for(news.wait(), 30)
    client.undo("bad")(lambda: None)
    with pytest.raises(ConfigError, match="no right"):
        await asyncio.wait_for(serving, 30)
    assert served == ["first", "bad"]
