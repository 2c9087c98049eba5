"""What follows once an agent was told, in a thread of its own: noted together, each card woken for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from support import Core, eventually

from signoff.approvals.aftermath import Aftermath


def test_what_gathers_while_something_is_noted_is_noted_together() -> None:
    begun, go, noted = threading.Event(), threading.Event(), list[Sequence[str]]()

    def note(ids: Sequence[str]) -> None:
        begun.set()
        go.wait(60)
        noted.append(tuple(ids))

    told = Aftermath(note)
    told.start()
    told.add("one")
    assert begun.wait(60)
    told.add("two")
    told.add("three")
    go.set()
    told.finish(20)
    assert noted == [("one",), ("two", "three")]
    told.add("four")
    assert noted[-1] == ("four",), "at once again"


def test_eight_who_decide_at_once_are_all_told_noted_and_woken_for(core: Core) -> None:
    ids = [core.submit(payload={"amount": n}).id for n in range(16)]
    core.changed.clear()
    core.approvals.told.start()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda id_: core.approvals.decide(id_, 1, "U0ANA", "approve"), ids))
    eventually(lambda: sorted(core.changed) == sorted(ids))
    assert all(core.approvals.get(id_).published_at for id_ in ids)
    core.approvals.told.finish(20)
