"""What watches a deployment is told: health by parts, and figures."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
from approvals.test_grace import in_grace
from approvals.test_undo import let_run, moved
from prometheus_client.parser import text_string_to_metric_families
from support import Core, eventually

from signoff.errors import ConfigError
from signoff.models.figures import Figures
from signoff.models.messages import Outcome
from signoff.models.stops import StopScope
from signoff.queue import hearing
from signoff.queue.hearing import Ears
from signoff.server import web_role
from signoff.web.health import NotWorking, Watch, build_health
from signoff.web.metrics import registry


@contextmanager
def watched(
    core: Core, checks: dict[str, Callable[[], str]], queues: Callable[[], dict[str, int]]
) -> Iterator[str]:
    """The second port, open inside the `with`; its address."""
    with web_role.listen("SIGNOFF_HEALTH_BIND", "127.0.0.1:0") as listener:
        app = build_health(Watch(checks), registry(Figures(core.store), queues))
        server = web_role.listener(app)
        running = threading.Thread(target=server.run, args=([listener],))
        running.start()
        eventually(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        running.join(30)


def works() -> str:
    return "works"


def fails() -> str:
    raise NotWorking("none runs")


def raises() -> str:
    raise OSError("secret words")


def queues() -> dict[str, int]:
    return {"jobs": 2, "dead": 3, "refused": 1}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_part_that_fails_is_named_and_nothing_secret_is(core: Core) -> None:
    checks = {"redis": works, "database": works, "slack": raises, "worker": fails}
    with watched(core, checks, queues) as url, httpx.Client(base_url=url, trust_env=False) as client:
        alive, ready, own = client.get("/healthz"), client.get("/readyz"), client.get("/readyz?only=web")
    assert alive.status_code == 200 and ready.status_code == 503 and own.status_code == 200
    said = ready.json()
    assert said["parts"]["worker"] == {"ok": False, "is": "none runs"} and said["parts"]["redis"]["ok"]
    assert said["parts"]["slack"] == {"ok": False, "is": "OSError"} and "secret" not in ready.text


def figures(url: str) -> dict[str, float]:
    """All samples by their name and labels."""
    with httpx.Client(base_url=url, trust_env=False) as client:
        text = client.get("/metrics").text
    return {
        f"{one.name}{','.join(f'{k}={v}' for k, v in one.labels.items())}": one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_what_happened_is_counted_from_the_rows(core: Core) -> None:
    with watched(core, {}, queues) as url:
        empty = figures(url)
        asked = [core.submit(payload={"n": n}) for n in range(4)]
        core.approvals.decide(asked[0].id, 1, "U0ANA", "approve")
        core.approvals.decide(asked[1].id, 1, "U0ANA", "reject")
        core.approvals.cancel("billing-bot", asked[2].id)
        core.approvals.spend("billing-bot", asked[0].id, "process-of-mine-1")
        core.approvals.report("billing-bot", asked[0].id, Outcome(succeeded=False))
        for revision in (1, 2, 3):  # the card, and what it was redrawn to
            shown = replace(core.approvals.get(asked[3].id), revision=revision)
            core.approvals.cards.note_shown(shown, "C0APPROVE", "1.1", None, "rendered")
        for name in ("never.*", "nothing.*"):
            stop = core.approvals.stop(StopScope("action", name), by="U0ANA")
        core.approvals.resume(stop.id, by="U0BEN")
        found = figures(url)
        again = figures(url)
    assert empty["signoff_waitingle=+Inf"] == 0 and again.keys() == found.keys()
    expected = {
        "signoff_requests_totalverdict=ask": 4, "signoff_ended_totalstatus=approved": 1,
        "signoff_ended_totalstatus=rejected": 1, "signoff_ended_totalstatus=cancelled": 1,
        "signoff_outcomes_totaloutcome=failed": 1, "signoff_spent_total": 1, "signoff_decisions_total": 2,
        "signoff_waitingle=60": 1, "signoff_waitingle=+Inf": 1, "signoff_undelivered": 3,
        "signoff_deliveries_total": 3, "signoff_delivery_seconds_count": 1,
        "signoff_jobs_waiting": 2, "signoff_dead_letters": 3, "signoff_jobs_refused_total": 1,
        "signoff_webhooks_due": 0, "signoff_stopped": 1, "signoff_stops_total": 2, "signoff_resumes_total": 1,
        "signoff_guards_late": 0,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == {name: again[name] for name in expected} == expected


def test_what_was_undone_and_held_is_counted(core: Core) -> None:
    """Asked for, done, failed, and not taken by anybody; and what was held, by why."""
    hearing.note(core.redis, "a-bot", Ears(0, 0, 1 << 60))
    first, second, third = (let_run(core, {"id": n}, payload={"amount": n}) for n in range(3))
    with watched(core, {}, queues) as url:
        empty = figures(url)
        done, failed, waits = (core.approvals.undo.ask(one.id, "U0ANA") for one in (first, second, third))
        for one, succeeded in ((done, True), (failed, False)):
            core.approvals.spend("billing-bot", one.request_id, "process-of-mine-1")
            core.approvals.report("billing-bot", one.request_id, Outcome(succeeded=succeeded))
        moved(core, waits, 31, "ended_at")
        held = in_grace(core, payload={"amount": 7})
        core.approvals.grace.hold(held.id, 1, "U0ANA")
        found = figures(url)
        moved(core, waits, 900, "receipt_expires_at")
        over = figures(url)
    assert (empty["signoff_undos_totaloutcome=asked"], empty["signoff_undos_untaken"]) == (0, 0)
    expected = {
        "signoff_undos_totaloutcome=asked": 3, "signoff_undos_totaloutcome=undone": 1,
        "signoff_undos_totaloutcome=failed": 1, "signoff_undos_untaken": 1,
        "signoff_held_totalwhy=person": 1, "signoff_undone_totalrule=refunds": 1,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    assert over["signoff_undos_untaken"] == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_figures_are_given_where_they_cannot_be_read(core: Core) -> None:
    def away() -> dict[str, int]:
        raise ConnectionError

    with watched(core, {}, away) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/metrics").status_code == 503
        assert client.get("/healthz").status_code == 200
        assert not re.search("Traceback", client.get("/metrics").text)


def test_a_place_that_is_taken_is_told_once_and_in_the_systems_words() -> None:
    with web_role.listen("SIGNOFF_WEB_BIND", "127.0.0.1:0") as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError) as caught:
            web_role.listen("SIGNOFF_WEB_BIND", place)
    assert caught.value.detail == (
        f"SIGNOFF_WEB_BIND: nothing can listen at {place} (Address already in use): "
        "free it, or set another one."
    )
