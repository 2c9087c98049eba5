"""Named points of the road at which a process can be made to die or stand still: nothing is lost there.

    SIGNOFF_CRASH_AT=end.committed:2
    SIGNOFF_FREEZE_AT=delivery.posted:1

kill the process by SIGKILL the second time that it passes there, and stop it by SIGSTOP the first time, until
somebody wakes it. Nothing is set in real use, and a point then costs one comparison. `tests/faults` kills and
stops at each; a test holds that between every two things that a
request does to Redis, the database or Slack there is a point, in this order.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from typing import Final

ENVIRONMENT: Final = "SIGNOFF_CRASH_AT"
FREEZE_ENVIRONMENT: Final = "SIGNOFF_FREEZE_AT"
CRASH_POINTS: Final[dict[str, str]] = {
    "client.stored": "the request's body stands, and nothing points to it",
    "client.sent": "the request is on its stream, and the agent does not wait yet",
    "intake.read": "an entry was read, and nothing done with it",
    "submit.written": "its rows and audit lines are written, not committed",
    "submit.committed": "the approval stands, and nobody was woken for its card",
    "submit.announced": "a worker was woken, and the agent does not know that it was received",
    "publication.received": "the agent can know that it was received, and the entry is not acknowledged",
    "intake.acked": "done with the entry",
    "client.received": "the agent knows that it was received",
    "worker.woken": "a worker has taken the wake-up out of the queue",
    "delivery.leased": "it has the card's lease",
    "delivery.posted": "the card stands in Slack, and nobody knows where",
    "delivery.noted": "where it stands and what it shows is in the database",
    "delivery.released": "the lease is given back",
    "bot.clicked": "a click, submit or command has come, and nothing was done",
    "decide.checked": "this person may decide, and nothing was written",
    "end.written": "its end (a decision, say), receipt and audit lines are written, not committed",
    "end.committed": "it has ended, and its agent was not told",
    "publication.sent": "the answer is in Redis, and that is not noted",
    "publication.written": "that is written, not committed",
    "publication.committed": "that is noted, and nobody was woken to redraw the card",
    "end.announced": "a worker was woken, and the person's click is not acknowledged",
    "bot.done": "the acknowledgement is about to be sent",
    "delivery.redrawn": "the card was updated in Slack, and that is not noted",
    "client.answered": "the agent has an answer, not verified",
    "client.verified": "the receipt holds, and nothing has run",
    "spend.written": "who may run it is written, not committed",
    "spend.committed": "that stands, and no process was told",
    "spend.told": "the process can know that it may run it, and the entry is not acknowledged",
    "client.spent": "this process may run it, and has not",
    "client.reported": "the outcome is on the agent's stream",
    "report.written": "the outcome is written, not committed",
    "report.committed": "the outcome stands, and nobody was woken to redraw the card",
    "report.announced": "a worker was woken, and the entry is not acknowledged",
    "thread.found": "its run's thread is known, and where it is new, noted",
    "thread.leased": "it has the lease to post its run's first message",
    "thread.posted": "that stands in Slack, and nobody knows where",
    "thread.noted": "where it stands is in the database",
    "delivery.renewed": "the lease is renewed, and another call to Slack is next",
    "thread.editing": "it has the lease to edit a run's first message",
    "thread.told": "a first message was edited, and that is not noted",
    "intake.buried": "a refused entry is with the dead letters, and its agent does not know",
    "publication.refused": "the agent can know, and the entry is not acknowledged",
    "sweep.expire": "what was overdue has expired; batches that nobody has frozen are next",
    "sweep.drop": "what was sent for them has ended; what may run after a while is next",
    "sweep.grace": "that runs, or is asked about; what the policy blocks by now is next",
    "sweep.judge": "what it blocks has ended; what a restore has closed is next",
    "sweep.close": "what a restore has closed has ended; agents are told of it next",
    "sweep.tell": "agents know; what Redis lost is next",
    "untell.written": "that agents may lack people's questions is written, not committed",
    "untell.committed": "that is noted; that no answer counts as published is next",
    "unpublication.written": "that no answer counts as published is written, not committed",
    "unpublication.committed": "none counts as published, and none was published anew",
    "sweep.recover": "what Redis lost is marked; what is unpublished is next",
    "sweep.publish": "that is published; what conversations have to be told is next",
    "sweep.warn": "they are told; old drafts are next",
    "sweep.clear": "they are gone; what guards have spent, and no receipt holds for any more, is next",
    "sweep.forget": "that is gone; what nobody has reported for long is next",
    "sweep.age": "its cards are due; whether agents wait for what is pending is next",
    "sweep.call": "whom to ping is noted, and more people are asked; saying so is next",
    "sweep.remind": "that is to be said; who went away, or is back, is told next",
    "sweep.absence": "admins and cards are told; what became of undoing is next",
    "sweep.undo": "cards tell what became of undoing; whether agents wait is looked at next",
    "sweep.attend": "that is noted; questions that agents do not have yet are next",
    "sweep.question": "they have them; those that nobody has answered in time are next",
    "sweep.silence": "the sweep is over",
}
"""Every point, in the order in which one request passes them, and what is so there."""
RARE_POINTS: Final[dict[str, str]] = {
    "vote.written": "a vote that ends nothing, or a changed payload, is written, not committed",
    "vote.committed": "that stands, and nobody was woken to redraw the card",
    "vote.announced": "a worker was woken, and the person's click is not acknowledged",
    "take_back.written": "that a vote was taken back is written, not committed",
    "take_back.committed": "it is taken back, and nobody was woken to redraw the card",
    "take_back.announced": "a worker was woken, and the person's click is not acknowledged",
    "client.gathered": "the bodies of a batch stand, and nothing points to them",
    "client.frozen": "all of a batch is on its stream, and the agent does not wait yet",
    "freeze.written": "that a batch is frozen is written, not committed",
    "freeze.committed": "it is frozen, and nobody was woken for its card",
    "complete.written": "that all that is missing of it was refused is written, not committed",
    "complete.committed": "that is noted: its card waits for nothing more",
    "freeze.announced": "a worker was woken, and the agent does not know that it was read",
    "freeze.told": "the agent can know, and the entry is not acknowledged",
    "batch.leased": "it has the lease of a batch's card",
    "batch.renewed": "the lease is renewed, and the card is posted next",
    "batch.posted": "a batch's card stands in Slack, and nobody knows where",
    "batch.redrawn": "a batch's card was updated in Slack, and that is not noted",
    "batch.noted": "what it shows is in the database",
    "drop.written": "that a batch comes to nothing, as nobody froze it, is written, not committed",
    "drop.committed": "that stands; what was sent for it ends next",
    "review.written": "what somebody begins to look through is written, not committed",
    "review.committed": "that is noted, and they see none of it",
    "seen.written": "what a page has shown them is written, not committed",
    "seen.committed": "that is noted, and the page is not acknowledged",
    "review.decided": "one of several that are decided together has ended; the next one does next",
    "double.claimed": "a message beside a card was found, and it is redrawn next",
    "double.redrawn": "nobody can decide on it any more, and that is not noted",
    "talk.written": "somebody's question to the agent is written, not committed",
    "talk.committed": "it stands, and the agent cannot know",
    "talk.told": "the agent can have it, and that is not noted",
    "told.written": "that is written, not committed",
    "told.committed": "that is noted, and nobody was woken to redraw the card",
    "talk.announced": "a worker was woken, and the person's form is not acknowledged",
    "client.heard": "a person's question is this process's to answer, and it has not",
    "talked.written": "the agent's answer is written, not committed",
    "talked.committed": "it stands, and nobody was woken to redraw the card",
    "talked.announced": "a worker was woken, and the entry is not acknowledged",
    "silence.written": "that no answer came is written, not committed",
    "silence.committed": "that stands, and nobody was woken to redraw the card",
    "silence.announced": "a worker was woken, and the sweep goes on",
    "note.written": "somebody's note for the agent is written, not committed",
    "note.committed": "it stands, and who wrote it does not know",
    "reply.claimed": "what is to be said in a card's thread is this process's to post",
    "reply.posted": "it stands in the thread, and that is not noted",
    "reply.noted": "that is in the database",
    "file.looked": "files whose payload was erased are known; what is due is next",
    "unwant.written": "that they have to go is written, not committed",
    "unwant.committed": "that stands, and none is deleted yet",
    "file.claimed": "a file of a payload is this process's to post or to delete",
    "file.begun": "Slack has given it an id, and nobody knows which",
    "file.named": "its id is in the database, and its bytes are not in Slack",
    "file.sent": "they are, and nobody can see them",
    "file.shared": "it stands in the thread, and that is not noted",
    "file.written": "that is written, not committed",
    "file.committed": "that is noted, and the card does not say so yet",
    "file.deleted": "it is deleted in Slack, and that is not noted",
    "unfile.written": "that is written, not committed",
    "unfile.committed": "nothing is left of it",
    "thread.late": "a first message was posted beside another, and is redrawn next",
    "webhook.posted": "an endpoint has answered, and that is not noted",
    "call.written": "whom to ping, and who is asked as well, is written, not committed",
    "call.committed": "it stands, and nobody was woken to redraw the card",
    "call.announced": "a worker was woken, and the sweep goes on",
    "called.written": "that people are pinged is written, not committed",
    "called.committed": "it stands, and is to be said in the card's thread",
    "away.written": "that somebody is away, and who stands in, is written, not committed",
    "away.committed": "it stands, and nobody was told",
    "back.written": "that they are back is written, not committed",
    "back.committed": "it stands, and nobody was told",
    "absence.written": "that admins and cards know is written, not committed",
    "absence.committed": "it stands, and nobody was woken to redraw a card",
    "absence.announced": "a worker was woken, and the sweep goes on",
    "hand.written": "whom somebody hands a request to is written, not committed",
    "hand.committed": "that stands, and nobody was woken to redraw the card",
    "hand.announced": "a worker was woken, and the person's click is not acknowledged",
    "feedback.written": "what somebody says of an outcome is written, not committed",
    "feedback.committed": "that stands, and nobody was woken to redraw the card",
    "feedback.announced": "a worker was woken, and the person's click is not acknowledged",
    "flood.written": "that an agent asks for too much is written, not committed",
    "flood.committed": "that is noted, and the agent does not know",
    "restore.unpacked": "the backup lies beside the database, up to date and verified",
    "restore.begun": "SQLite: the new epoch is in that copy",
    "restore.kept": "SQLite: what will be replaced has a second name, to be kept",
    "restore.replaced": "SQLite: the copy stands in the database's place",
    "restore.written": "PostgreSQL, and in place: all is written, the new epoch too, and not committed",
    "undo.checked": "this person may undo it, and nothing was written",
    "undo.written": "the undo and its receipt are written, not committed",
    "undo.committed": "it is approved, and its agent was not told",
    "undo.announced": "a worker was woken, and the person's click is not acknowledged",
    "client.undoes": "this process may run an undo, that was acknowledged, and it has not run",
    "client.undone": "it has run, and that is not reported",
    "untaken.written": "what is to be told of an undo is written, not committed",
    "untaken.committed": "that stands, and nobody was woken to redraw the card",
    "untaken.announced": "a worker was woken, and the sweep goes on",
    "spend.announced": "a worker was woken to tell that somebody undoes it, and the process was not told",
    "grace.checked": "this person may hold it, and nothing was written",
    "hold.written": "that it is asked about is written, not committed",
    "hold.committed": "it is asked about, and nobody was woken to redraw the card",
    "hold.announced": "a worker was woken, and the person's click is not acknowledged",
    "grace.written": "that it runs later is written, not committed",
    "grace.committed": "it runs later, and nobody was woken to redraw the card",
    "grace.announced": "a worker was woken, and sweep goes on",
    "stop.written": "that something is stopped is written, not committed",
    "stop.committed": "it is stopped, and nobody elsewhere was told",
    "stops.published": "gates and guards can know what is stopped, by the statement in Redis",
    "stop.told": "they can, and agents were not told that what they wait for is held",
    "stops.held": "agents can know that what they wait for is held, or is no longer",
    "stop.announced": "a worker was woken to redraw a card that waits, and who stopped it does not know",
    "resume.written": "that it is resumed is written, not committed",
    "resume.committed": "it is resumed, and nobody elsewhere was told",
    "resume.told": "gates and guards can know, and agents were not told that it is held no longer",
    "adopt.written": "what a receipt of the lost time says is written, not committed",
    "adopt.committed": "it stands, and nobody was woken to redraw the card",
    "adopt.announced": "a worker was woken; what else the restore has closed is next",
}
"""Those that need a batch, a policy, an endpoint, or a restore and the first sweep after it."""


KILL: Final = getattr(signal, "SIGKILL", 0)
STOP: Final = getattr(signal, "SIGSTOP", 0)
"""Windows, where agents may run, has neither of them."""


class _Armed:
    """Where this process dies or stands still; nowhere, unless it was told to."""

    point: str = ""
    left: int = 0
    by: int = KILL


_lock = threading.Lock()


def arm(where: str, by: int = KILL, name: str = ENVIRONMENT) -> None:
    """`point:n`: get a signal the n-th time that the point is passed; empty: never. Raises ValueError for
    neither, naming the environment's variable.
    """
    point, _, times = where.partition(":")
    if point and (point not in CRASH_POINTS | RARE_POINTS or not times.isdigit() or times == "0"):
        raise ValueError(f"{name}: {where[:60]!r} is no point of signoff.models.crash and :n.")
    _Armed.point, _Armed.left, _Armed.by = point, int(times or 0), by


def arm_by(environment: Mapping[str, str]) -> None:
    """What an environment says."""
    if where := environment.get(FREEZE_ENVIRONMENT, ""):
        arm(where, STOP, FREEZE_ENVIRONMENT)
    else:
        arm(environment.get(ENVIRONMENT, ""))


def here(point: str) -> None:
    """This point is passed."""
    if point == _Armed.point:
        _strike()


def _strike() -> None:
    with _lock:
        _Armed.left -= 1
        now = _Armed.left == 0
    if now:
        os.kill(os.getpid(), _Armed.by)


arm_by(os.environ)
