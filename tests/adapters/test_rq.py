"""RQ: a job waits without a worker, and runs once, with what was approved and nothing else."""

from __future__ import annotations

import importlib
import json
import pickle
import re
import threading
import zlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis
import rq_shop
from rq import Callback, Queue, SimpleWorker
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from support import Core, eventually, intake_of

from signoff import Guard, Invalid, Receipt, Signoff, Unreachable, WaitTimeout
from signoff.adapters import rq as adapter
from signoff.adapters.rq import ApprovalQueue
from signoff.spent import open_store
from signoff.testing import Approvals

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore:.*nobody said whether it can be undone:UserWarning")


class Shop:
    """A queue on a real Redis, and its worker in this process."""

    def __init__(self, url: str, client: Signoff) -> None:
        self.connection = redis.Redis.from_url(url)
        self.queue = Queue("refunds", connection=self.connection, serializer=JSONSerializer)
        self.client = client
        self.approvals = ApprovalQueue(client, self.queue, reversible=False)
        adapter.use(client)
        rq_shop.ran.clear()
        rq_shop.told.clear()

    def worked(self, job: Job) -> Job:
        """The job, after a worker has done all that is to be done."""
        worker = SimpleWorker([self.queue], connection=self.connection, serializer=JSONSerializer)
        worker.work(burst=True, logging_level="ERROR")
        job.refresh()  # type: ignore[no-untyped-call]
        return job

    def taken(self, job: Job) -> Job:
        """What `work` does once it is decided."""
        receipt = self.client.get(job.id)
        assert isinstance(receipt, Receipt)
        self.approvals.take(receipt)
        return self.worked(job)


@pytest.fixture
def shop(redis_url: str, signoff_approvals: Approvals) -> Iterator[Shop]:
    with Signoff() as client:
        made = Shop(redis_url, client)
        yield made
        made.connection.close()
        adapter.use(Signoff())


def text_of(job: Job) -> str:
    result = job.latest_result()
    return str(result and result.exc_string)


def test_a_job_waits_in_redis_and_runs_with_what_was_approved(
    shop: Shop, signoff_approvals: Approvals
) -> None:
    signoff_approvals.leave_pending()
    job = shop.approvals.enqueue(
        rq_shop.refund, "cus_42", amount=120, signoff={"reason": "Lost."}, result_ttl=60
    )
    assert job.get_status() == JobStatus.DEFERRED and shop.worked(job).get_status() == JobStatus.DEFERRED
    assert job.id in shop.queue.deferred_job_registry.get_job_ids() and len(shop.queue) == 0
    [request] = signoff_approvals.requests
    assert request.action == "rq_shop.refund" and request.reason == "Lost."
    assert request.payload == {"customer": "cus_42", "amount": 120, "currency": "EUR"}
    assert str(request.id) == job.id and request.json_schema
    shop.approvals.catch_up()
    assert job.get_status() == JobStatus.DEFERRED
    signoff_approvals.edit("*", {"amount": 80}, by="Ana")
    shop.approvals.catch_up()
    assert shop.worked(job).get_status() == JobStatus.FINISHED
    assert job.return_value() == "refunded 80 EUR" and rq_shop.ran == [("cus_42", 80, "EUR")]
    assert signoff_approvals.outcomes[job.id].succeeded
    assert shop.queue.deferred_job_registry.get_job_ids() == []


@pytest.mark.parametrize(
    ("said", "kind", "reads"),
    [
        ("reject", "Rejected", "Ana rejected it. Reason: Too much."),
        ("expire", "Expired", "This is not a rejection"),
        ("block", "Blocked", "the policy blocks it"),
    ],
)
def test_what_was_not_approved_fails_with_the_text_and_its_callback(
    said: str, kind: str, reads: str, shop: Shop, signoff_approvals: Approvals
) -> None:
    more = {"reason": "Too much.", "by": "Ana"} if said == "reject" else {}
    getattr(signoff_approvals, said)("*", **more)
    job = shop.approvals.enqueue("rq_shop.refund", "cus_42", 120, on_failure=Callback(rq_shop.failed))
    assert shop.taken(job).get_status() == JobStatus.FAILED
    assert rq_shop.ran == [] and rq_shop.told == [kind] and reads in text_of(job)
    job.requeue()
    assert shop.worked(job).get_status() == JobStatus.FAILED and rq_shop.ran == []


def test_arguments_are_rebuilt_by_their_annotations_and_coroutines_run(
    shop: Shop, signoff_approvals: Approvals
) -> None:
    signoff_approvals.approve("order.ship")
    job = shop.approvals.enqueue(rq_shop.ship, rq_shop.Order(7, Decimal("1.10")))
    assert shop.taken(job).return_value() == 7
    assert rq_shop.ran == [rq_shop.Order(7, Decimal("1.10"))]


def test_what_a_job_raises_is_reported_without_its_text(shop: Shop, signoff_approvals: Approvals) -> None:
    signoff_approvals.approve()
    job = shop.approvals.enqueue(rq_shop.fail, "/tmp/a")
    assert shop.taken(job).get_status() == JobStatus.FAILED
    outcome = signoff_approvals.outcomes[job.id]
    assert not outcome.succeeded and outcome.note == "It raised ValueError."
    job.requeue()  # an approval is for one run
    assert "AlreadySpent" in text_of(shop.worked(job))
    assert rq_shop.ran == ["/tmp/a"]


def changed(job: Job, **fields: Any) -> None:
    """Somebody who may write RQ's keys changes a job."""
    values: dict[Any, Any] = {name: json.dumps(value).encode() for name, value in fields.items()}
    if "data" in values:
        values["data"] = zlib.compress(values["data"])
    job.connection.hset(job.key, mapping=values)


@pytest.mark.parametrize("attack", ["payload", "function", "receipt", "other", "none", "queued"])
def test_a_job_that_was_changed_in_redis_does_not_run(
    attack: str, shop: Shop, signoff_approvals: Approvals
) -> None:
    signoff_approvals.approve()
    enqueue = shop.approvals.enqueue
    one, other = (enqueue(rq_shop.refund, "cus_42", amount) for amount in (120, 999))
    if attack == "queued":
        one.set_status(JobStatus.QUEUED)
        shop.queue.push_job_id(one.id)
        shop.worked(one)
    else:
        for job in (one, other):
            receipt = shop.client.get(job.id)
            assert isinstance(receipt, Receipt)
            shop.approvals.take(receipt)
        shop.queue.remove(other)
        one = Job.fetch(one.id, shop.connection, JSONSerializer)
        other = Job.fetch(other.id, shop.connection, JSONSerializer)
        kept, others = (json.loads(shop.connection.hget(job.key, "signoff") or "") for job in (one, other))
        forged = {
            "payload": {**kept, "payload": json.dumps({**json.loads(kept["payload"]), "amount": 999})},
            "receipt": {**kept, "receipt": kept["receipt"][:-8] + "AAAAAAAA"},
            "other": others,
            "function": kept,
            "none": None,
        }[attack]
        changed(one, signoff=forged)
        if attack == "function":
            changed(one, data=[adapter.PERFORM, None, ["rq_shop.wipe"], {}])
        shop.worked(one)
    assert one.get_status() == JobStatus.FAILED and rq_shop.ran == [] and signoff_approvals.outcomes == {}
    assert "signoff.errors" in text_of(one)


def test_two_that_work_enqueue_it_once_and_the_same_key_is_the_same_job(
    shop: Shop, signoff_approvals: Approvals
) -> None:
    signoff_approvals.leave_pending()
    jobs = [shop.approvals.enqueue(rq_shop.refund, "c", 1, signoff={"key": "order-7"}) for _ in range(2)]
    assert jobs[0].id == jobs[1].id and len(signoff_approvals.requests) == 1
    signoff_approvals.approve()
    receipt = shop.client.get(jobs[0].id)
    assert isinstance(receipt, Receipt)
    going = [threading.Thread(target=shop.approvals.take, args=(receipt,)) for _ in range(8)]
    for thread in going:
        thread.start()
    for thread in going:
        thread.join(30)
    assert shop.queue.job_ids == [jobs[0].id]
    shop.worked(jobs[0])
    assert rq_shop.ran == [("c", 1, "EUR")] and shop.approvals.take(receipt) is None
    assert shop.approvals.enqueue(rq_shop.refund, "c", 1, signoff={"key": "order-7"}).is_finished


def test_what_cannot_be_meant_is_refused_before_anything_is_stored(
    shop: Shop, signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue = shop.approvals.enqueue
    for call in (
        lambda: enqueue(rq_shop.refund, "c", 1, retry=3),
        lambda: enqueue(rq_shop.refund, "c", 1, signoff={"reversibel": True}),
        lambda: enqueue(lambda: None),
        lambda: enqueue("rq_shop.nothing"),
        lambda: enqueue("os.system", "ls"),
        lambda: enqueue(rq_shop.refund),
        lambda: ApprovalQueue(shop.client, Queue(connection=shop.connection, is_async=False)),
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(Invalid):
        enqueue(rq_shop.refund, "c", float("nan"))

    def away(*_: Any, **__: Any) -> None:
        raise Unreachable("away")

    monkeypatch.setattr(shop.client, "request", away)
    with pytest.raises(Unreachable):
        enqueue(rq_shop.refund, "c", 1)
    assert shop.connection.keys("rq:job:*") == [] and signoff_approvals.requests == []
    assert shop.queue.deferred_job_registry.get_job_ids() == []


def test_a_guard_of_the_worker_spends_in_its_own_store(
    shop: Shop, signoff_approvals: Approvals, tmp_path: Path
) -> None:
    signoff_approvals.approve()
    keys, _ = shop.client._async._link.keys()
    path = tmp_path / "spent"
    path.mkdir(0o700)
    adapter.use(shop.client, Guard(open_store(str(path / "s.db")), keys, agents=["test-agent"]))
    job = shop.approvals.enqueue(rq_shop.refund, "c", 1)
    assert shop.taken(job).is_finished
    shop.queue.push_job_id(job.id)  # somebody has it run again
    assert shop.worked(job).is_failed and len(rq_shop.ran) == 1


def test_the_page_and_the_example_run(
    shop: Shop, redis_url: str, signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`work` never ends by itself: here no decision comes but those that it finds at its start."""
    monkeypatch.setattr(Signoff, "decisions", lambda self, group="default": iter(()))
    monkeypatch.setattr("rq.Worker", SimpleWorker)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    page = (ROOT / "docs/adapters/rq.md").read_text(encoding="utf-8")
    module, *blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    (tmp_path / "shop.py").write_text(module)
    signoff_approvals.approve(by="Ana")
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "rq.md", "exec"), names)
    assert names["job"].return_value() == "refunded 120 EUR" and len(blocks) == 3
    example = importlib.import_module("rq_jobs")
    signoff_approvals.edit("rq_jobs.refund", {"amount": 80})
    assert len(example.ask()) == 2
    example.work()
    assert sorted(example.run(burst=True)) == ["refunded 80 EUR of A-1", "refunded 80 EUR of B-2"]


def test_decisions_of_a_server_are_enqueued_as_they_come(core: Core, redis_url: str) -> None:
    with intake_of(core, redis_url, "billing-bot"):
        key = core.signer.verify_key
        with Signoff(redis_url=redis_url, agent="billing-bot", verify_key=key) as client:
            shop = Shop(redis_url, client)
            working = threading.Thread(target=shop.approvals.work, daemon=True)
            job = shop.approvals.enqueue(rq_shop.refund, "cus_42", 120)
            working.start()
            approval = eventually(lambda: core.store.find("billing-bot", job.id))
            core.approvals.decide(approval.id, 1, "U0ANA", "approve")
            eventually(lambda: shop.queue.job_ids == [job.id])
            assert shop.worked(job).return_value() == "refunded 120 EUR"
            adapter.use(Signoff())
        working.join(30)
        assert not working.is_alive()


def test_an_approval_is_of_one_function_though_another_has_its_action(
    shop: Shop, signoff_approvals: Approvals
) -> None:
    signoff_approvals.leave_pending()
    enqueue = shop.approvals.enqueue
    jobs = [enqueue(f, "c", 1, signoff={"key": "7"}) for f in (rq_shop.pay, rq_shop.pay_from_reserve)]
    assert jobs[0].id != jobs[1].id and len(signoff_approvals.requests) == 2
    assert enqueue("rq_shop.pay_too", "c", 1, signoff={"key": "7"}).id == jobs[0].id  # it is pay
    call = ["signoff.adapters.rq.perform", None, ["rq_shop.pay_from_reserve"], {}]
    changed(jobs[0], data=call)
    signoff_approvals.approve(signoff_approvals.requests[0])
    assert "another function" in text_of(shop.taken(jobs[0])) and rq_shop.ran == []
    kept = json.loads(shop.connection.hget(jobs[0].key, "signoff") or "")
    jobs[0].requeue()
    changed(jobs[0], data=call, signoff={**kept, "key": ["7"]})
    assert "another function" in text_of(shop.worked(jobs[0])) and rq_shop.ran == []
    jobs[0].requeue()
    changed(jobs[0], data=[*call[:2], ["rq_shop.pay"], {}], signoff=kept)  # as it was: nothing was spent
    assert shop.worked(jobs[0]).is_finished and rq_shop.ran == [("pay", "c", 1)]


class Evil:
    """A pickle that runs what it says."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.mkdir, (self.path,))


def test_nothing_of_redis_is_unpickled_by_who_enqueues(
    shop: Shop, signoff_approvals: Approvals, tmp_path: Path
) -> None:
    plain = Queue("refunds", connection=shop.connection)
    with pytest.raises(TypeError, match="JSONSerializer"):
        ApprovalQueue(shop.client, plain)
    approvals = ApprovalQueue(shop.client, plain, trusts_redis=True, reversible=False)
    signoff_approvals.leave_pending()
    job = approvals.enqueue(rq_shop.refund, "c", 1, meta={"order": Decimal(7)})
    evil = pickle.dumps(Evil(tmp_path / "ran"))
    was = shop.connection.hgetall(job.key)
    shop.connection.hset(job.key, mapping={"data": zlib.compress(evil), "meta": evil})
    signoff_approvals.approve()
    approvals.catch_up()
    assert shop.queue.job_ids == [job.id] and not (tmp_path / "ran").exists()
    shop.connection.hset(job.key, mapping={name: was[name] for name in (b"data", b"meta")})
    worker = SimpleWorker([plain], connection=shop.connection)
    worker.work(burst=True, logging_level="ERROR")
    job.refresh()  # type: ignore[no-untyped-call]
    assert job.is_finished and job.meta == {"order": Decimal(7)} and rq_shop.ran == [("c", 1, "EUR")]


def test_what_was_decided_while_there_was_no_job_is_carried_out_when_it_is_asked_again(
    shop: Shop, signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def enqueue() -> Job:
        return shop.approvals.enqueue(rq_shop.refund, "c", 1, signoff={"key": "k"})

    asks = shop.client.request

    def lost(*args: Any, **said: Any) -> None:
        asks(*args, **said)
        raise Unreachable("the answer was lost")

    signoff_approvals.leave_pending()
    with monkeypatch.context() as patched, pytest.raises(Unreachable):
        patched.setattr(shop.client, "request", lost)
        enqueue()
    signoff_approvals.approve()
    [request] = signoff_approvals.requests
    receipt = shop.client.get(str(request.id))
    assert isinstance(receipt, Receipt) and shop.approvals.take(receipt) is None  # of no job by now
    job = enqueue()
    assert job.id == str(request.id) and shop.worked(job).is_finished
    job.delete()  # as RQ does after result_ttl
    assert "AlreadySpent" in text_of(shop.worked(enqueue()))
    assert rq_shop.ran == [("c", 1, "EUR")] and len(signoff_approvals.requests) == 1

    def late(*args: Any, **said: Any) -> None:  # decided and queued before the client gives up
        asks(*args, **said)
        shop.approvals.catch_up()
        raise Unreachable("the answer was lost")

    monkeypatch.setattr(shop.client, "request", late)
    assert shop.worked(shop.approvals.enqueue(rq_shop.refund, "d", 2)).is_finished


def test_asking_twice_at_once_never_stores_over_a_job(shop: Shop, signoff_approvals: Approvals) -> None:
    """Eight threads with one key; whoever comes first is decided at once."""
    signoff_approvals.approve()
    begin = threading.Barrier(8)
    jobs = list[Job]()

    def ask() -> None:
        begin.wait(30)
        jobs.append(shop.approvals.enqueue(rq_shop.refund, "c", 1, signoff={"key": "k"}))
        shop.approvals.catch_up()

    going = [threading.Thread(target=ask) for _ in range(8)]
    for thread in going:
        thread.start()
    for thread in going:
        thread.join(30)
    assert len({job.id for job in jobs}) == 1 and shop.queue.job_ids == [jobs[0].id]
    assert shop.worked(jobs[0]).is_finished and len(rq_shop.ran) == 1


def test_work_looks_again_for_what_it_missed(
    shop: Shop, signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr("signoff.adapters.rq.queue.CATCH_UP_SECONDS", 0.01)
    monkeypatch.setattr(Signoff, "decisions", lambda self, group="default": iter(ended.wait, True))
    signoff_approvals.leave_pending()
    job = shop.approvals.enqueue(rq_shop.refund, "c", 1)
    working = threading.Thread(target=shop.approvals.work)
    working.start()
    signoff_approvals.approve()
    eventually(lambda: shop.queue.job_ids == [job.id])
    ended.set()
    working.join(30)
    assert not working.is_alive()


def test_a_server_that_says_nothing_does_not_hold_a_worker(
    shop: Shop, signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float | None] = []

    def silent(receipt: Receipt, timeout: float | None = None) -> None:
        waited.append(timeout)
        raise WaitTimeout("nobody says so")

    signoff_approvals.approve()
    monkeypatch.setattr(shop.client, "spend", silent)
    job = shop.approvals.enqueue(rq_shop.refund, "c", 1)
    assert "WaitTimeout" in text_of(shop.taken(job)) and rq_shop.ran == []
    assert waited == [30.0]
