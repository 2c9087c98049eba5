"""Two people answer at the same moment: one wins, the other is told so, and the log has one decision."""

from __future__ import annotations

import random
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faults.accounts import decisions_of
from faults.results import Round
from faults.world import CHANNEL, Shape, World
from flows.person import Someone
from support import a_request

from signoff.approvals import audit
from signoff.approvals.receipts import Receipts
from signoff.approvals.service import Approvals
from signoff.bot.cards.card import card
from signoff.policy.policy import Policy
from signoff.queue.publisher import Publisher

BOTS_ALONE = Shape(bots=2, intakes=0, workers=0, agents=0)
"""Nobody redraws a card: both people see its buttons until the end."""
SECONDS = 20.0


def races(round: Round, most: int) -> None:
    """So many races, of two approvals or of an approval and a rejection, through two bots."""
    dice = random.Random(round.seed)
    with tempfile.TemporaryDirectory(prefix="faults-races-") as folder:
        made = World(Path(folder), round.database, BOTS_ALONE, reviewers=False)
        try:
            made.start()
            approvals = _approvals(made)
            found: Counter[str] = Counter()
            for _ in range(most):
                found[_race(made, approvals, dice)] += 1
                round.done += 1
            round.requests += most
            chain = audit.verify(made.store)
            found["chain" if not chain.ok else ""] += 1
            round.breaches = {kind: count for kind, count in found.items() if kind}
            round.details += made.deaths
        finally:
            made.close()


def _approvals(made: World) -> Approvals:
    receipts = Receipts(made.signer, hours=24)
    publisher = Publisher(made.redis.client, receipts.lifetime)
    policy = Policy(approvers=tuple(made.people.users), conversation=CHANNEL)
    return Approvals(
        made.store,
        receipts,
        publisher,
        lambda: policy,
        directory=None,  # type: ignore[arg-type]
        on_change=lambda _: None,
    )


def _race(made: World, approvals: Approvals, dice: random.Random) -> str:
    """One race; the kind of the breach, empty where all is right."""
    approval = approvals.submit("racing-bot", a_request(agent="racing-bot", reversibility="reversible"))
    message = card(approval)
    workspace = made.slack._service.workspace
    channel = workspace.team.channel(CHANNEL)
    posted = workspace.post(channel, message.text, message.blocks, metadata=message.metadata)
    first, second = (Someone(made.slack, user) for user in dice.sample(made.people.users, 2))
    acts: list[Callable[[], Any]] = [lambda: first.click(posted, "approve")]
    if dice.random() < 0.5:
        acts.append(lambda: second.click(posted, "approve"))
    else:
        second.close_all()
        second.click(posted, "reject")
        view = second.view("reject")
        said = {"Which is it?": "final", "Why,_or_what_to_change": "No"}
        acts.append(lambda: second.submit(view, **said))
    before = made.people.window.whispers(first.user), made.people.window.whispers(second.user)
    answers = _at_once(acts)
    told = [
        made.people.window.whispers(someone.user) > count
        or (answer["response"] or {}).get("response_action") == "update"
        for someone, count, answer in zip((first, second), before, answers, strict=True)
    ]
    recorded, ends = decisions_of(made, approval.id)
    workspace.messages[CHANNEL].clear()
    if len(recorded) > 1 or ends > 1:
        return "double"
    if len(recorded) != 1 or ends != 1:
        return "lost"
    winner = (first.user, second.user).index(recorded[0])
    return "" if not told[winner] and told[1 - winner] else "told"


def _at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Both begin when both are ready."""
    gate, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int) -> None:
        gate.wait(SECONDS)
        answers[number] = acts[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    return answers
