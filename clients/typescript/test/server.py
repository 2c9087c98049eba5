"""A real server for the client's tests: Redis, SQLite and the doors by HTTP, and a person who decides.

Prints a line of JSON once it runs: url, token, other and spend (tokens of another agent and an executor),
verify_key. Then it does what each line of its standard input says, which names one of `DO`, and answers with
a line. It ends with its input.
"""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import redis

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import Core, People, RedisServer, free_port  # noqa: E402
from web.conftest import Door, opened  # noqa: E402

from signoff.approvals.receipts import Receipts  # noqa: E402
from signoff.approvals.service import Approvals  # noqa: E402
from signoff.models import migrate, tokens  # noqa: E402
from signoff.models.engine import open_engine  # noqa: E402
from signoff.models.people import Person  # noqa: E402
from signoff.models.questions import GivenAnswer  # noqa: E402
from signoff.models.stops import OPERATOR, StopScope  # noqa: E402
from signoff.models.store import Store  # noqa: E402
from signoff.policy.policy import Policy  # noqa: E402
from signoff.queue.publisher import Publisher  # noqa: E402
from signoff.receipts import Signer  # noqa: E402
from signoff.server import web_role  # noqa: E402

PERSON = "U0ANA"


class Stage:
    """What stands behind the doors, which open and close."""

    def __init__(self, core: Core, redis_url: str) -> None:
        self.core, self._redis_url = core, redis_url
        self._open, port = ExitStack(), free_port()
        listen = web_role.listen
        web_role.listen = lambda name, _: listen(name, f"127.0.0.1:{port}")
        self.door = self.open()

    def open(self) -> Door:
        """Listen, at the same address each time."""
        return self._open.enter_context(opened(self.core, self._redis_url))

    def close(self) -> None:
        """Listen no more; who waits is answered as pending."""
        self._open.close()


def build(folder: Path, redis_url: str) -> Core:
    """Approvals with all real parts but Slack."""
    engine = open_engine(f"sqlite:///{folder / 'signoff.db'}")
    migrate.upgrade(engine)
    store, signer, changed = Store(engine), Signer.generate(), list[str]()
    receipts, client = Receipts(signer, hours=24), redis.Redis.from_url(redis_url, socket_timeout=5)
    people = People({PERSON: Person(PERSON, "ana", team_id="T1")}, {"S0FIN": {PERSON}})
    policy = Policy(approvers=("S0FIN",), conversation="C0APPROVE")
    publisher = Publisher(client, receipts.lifetime)
    approvals = Approvals(store, receipts, publisher, lambda: core.policy, people, changed.append)
    core = Core(approvals, store, signer, people, client, changed, policy)
    return core


def decide(stage: Stage, request_id: str, vote: Any = "approve", **said: Any) -> None:
    """Ana's vote; `payload` approves with corrections."""
    stage.core.approvals.decide(request_id, 1, PERSON, vote, **said)


def answer(stage: Stage, request_id: str, **said: Any) -> None:
    """Ana's answer to a question."""
    stage.core.approvals.questions.answer(request_id, 1, PERSON, GivenAnswer.of(said))


def question(stage: Stage, request_id: str, text: str) -> str:
    """Ana asks the agent about what waits."""
    return stage.core.approvals.talks.ask(request_id, 1, PERSON, text).id


def note(stage: Stage, request_id: str, text: str) -> None:
    """Ana's note for the agent."""
    stage.core.approvals.talks.note(request_id, PERSON, text)


def talk(stage: Stage, talk_id: str) -> dict[str, Any]:
    """How a question stands."""
    kept = stage.core.approvals.talks.get(talk_id)
    assert kept is not None
    return {"state": kept.talk.state, "answer": kept.talk.answer}


def felt(stage: Stage, request_id: str, answer: str, text: str = "") -> None:
    """What Ana says of a result."""
    stage.core.approvals.feedback.give(request_id, PERSON, answer, text)


def undo(stage: Stage, request_id: str) -> str:
    """Ana has it undone, on the card → the undo's id."""
    found = stage.core.approvals.get(request_id)
    return stage.core.approvals.undo.ask(found.id, PERSON).id


def undoers(stage: Stage) -> list[dict[str, Any]]:
    """What agents say that they can undo."""
    found = stage.core.approvals.undoers.listed()
    return [{"action": one.action, "passed": one.passed, "fault": one.fault} for one in found]


def undo_test(stage: Stage, action: str) -> str:
    """Somebody runs `signoff undo test` → the test's id."""
    return stage.core.approvals.undoers.test("billing-bot", action)


def expire(stage: Stage, request_id: str) -> None:
    """Nobody has answered it in time."""
    with stage.core.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE approval SET expires_at = 1 WHERE id = ?", (request_id,))
    assert stage.core.approvals.expire(request_id)


def follow(stage: Stage, text: str) -> None:
    """Put a policy in force."""
    stage.core.follow(text)


def look(stage: Stage, request_id: str) -> dict[str, Any]:
    """What the row says."""
    found = stage.core.approvals.get(request_id)
    outcome = found.outcome and {"succeeded": found.outcome.succeeded, "note": found.outcome.note}
    asked = json.loads(found.request.model_dump_json(exclude_defaults=True))
    return {"status": found.status, "outcome": outcome, "request": asked, "spent_by": found.spent_by}


def waiting(stage: Stage) -> list[str]:
    """Ids of what waits for a decision."""
    with stage.core.store.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT id FROM approval WHERE status = 'pending' ORDER BY created_at"
        )
        return list(rows.scalars())


def clear(stage: Stage) -> None:
    """Nothing waits any more."""
    for request_id in waiting(stage):
        if stage.core.approvals.get(request_id).request.kind == "question":
            expire(stage, request_id)
        else:
            decide(stage, request_id, "reject")


def halt(stage: Stage, **said: Any) -> str:
    """Ana stops the agent → the stop's id."""
    return stage.core.approvals.stop(StopScope("agent", "billing-bot"), by=PERSON, **said).id


def resume(stage: Stage, stop_id: str) -> None:
    """The operator lets it run again."""
    stage.core.approvals.resume(stop_id, by=OPERATOR)


def known(stage: Stage, stop_id: str) -> dict[str, int]:
    """What is known of that which was granted before."""
    stop = stage.core.approvals.stopping.get(stop_id)
    assert stop is not None
    found = stage.core.approvals.stopping.known(stop)
    return {"void": found.void, "unconfirmed": found.unconfirmed, "spent": found.spent}


def stop(stage: Stage) -> None:
    """The server goes away."""
    stage.close()


def start(stage: Stage) -> None:
    """It comes back."""
    stage.open()


DO = {
    one.__name__: one
    for one in (
        decide,
        answer,
        question,
        note,
        talk,
        felt,
        undo,
        undoers,
        undo_test,
        expire,
        follow,
        look,
        waiting,
        clear,
        halt,
        resume,
        known,
        stop,
        start,
    )
}


def main() -> None:
    """Serve, and do as told."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as ends:
        server = RedisServer(Path(name))
        server.start()
        ends.callback(server.stop, kill=True)
        core = build(Path(name), server.url)
        stage = Stage(core, server.url)
        ends.callback(stage.close)
        tell(
            url=stage.door.url, token=stage.door.token, verify_key=core.signer.verify_key,
            other=tokens.add(core.store, "other-bot", ("ask",)),
            spend=tokens.add(core.store, "executor", ("spend:billing-bot:refund.*",)),
        )  # fmt: skip
        for line in sys.stdin:
            said = json.loads(line)
            try:
                tell(done=DO[said.pop("do")](stage, **said))
            except Exception as error:
                tell(error=f"{type(error).__name__}: {error}")


def tell(**said: Any) -> None:
    """One line for the test."""
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
