"""What waits, and one request: for whoever runs the server."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from signoff.cli.database import opened_store
from signoff.cli.output import Shown, answer_lines, clock, iso, laid_out, printable, say
from signoff.cli.parsers import Commands, command
from signoff.cli.talks import batch_line, talk_lines, talks_of
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.models.approval import Approval
    from signoff.models.batch_lists import Folded

SHOW_EPILOG = """\
  signoff show 7F3K2Q

By the code that stands on its card, by its id, or by at least the first 8 characters of that.
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    pending = command(commands, "pending", _pending, "list what waits for a decision", common=common)
    show = command(commands, "show", _show, "show one request", common=common, epilog=SHOW_EPILOG)
    show.add_argument("id", metavar="CODE|ID")
    for parser, what in ((pending, "a list, with"), (show, "an object with")):
        parser.add_argument(
            "--json", action="store_true", help=f"one line: {what} the same keys as `signoff status --json`"
        )


def _pending(arguments: argparse.Namespace) -> int:
    with opened_store() as (_, store):
        from signoff.models import batch_lists

        found = [store.get(approval_id) for approval_id, _ in store.waiting()]
        together = batch_lists.folded(store, [approval.id for approval in found if approval])
    waiting = [approval for approval in found if approval and approval.pending]
    if arguments.json:
        print(json.dumps([_shown(approval).__dict__ for approval in waiting]))
    elif waiting:
        print("\n".join(_listed(waiting, together)))
    else:
        say("nothing waits for a decision.")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from signoff.approvals.errors import UnknownApproval
    from signoff.approvals.lists import Ambiguous, NoId, find
    from signoff.models import batch_lists

    folded: Folded | None = None
    with opened_store() as (_, store):
        now = store.clock()
        try:
            approval = store.get(find(store, arguments.id))
        except NoId:
            raise ConfigError(f"{arguments.id!r} is neither a code, such as 7F3K2Q, nor an id.") from None
        except Ambiguous:
            raise ConfigError(f"several requests begin with {arguments.id!r}: give more of it.") from None
        except UnknownApproval:
            approval = None
        if approval is not None and approval.batch_id is not None:
            folded = batch_lists.over(store, [approval.batch_id]).get(approval.batch_id)
    if approval is None:
        raise ConfigError(f"there is no request {arguments.id!r}: `signoff pending` lists what waits.")
    if arguments.json:
        print(json.dumps(_shown(approval).__dict__))
    else:
        print("\n".join([*_listed([approval]), *_rest(approval, now, folded)]))
    return 0


def _shown(approval: Approval) -> Shown:
    """As for an agent; but here `payload` is what is asked for."""
    from signoff.models.messages import moment

    decision = None if approval.pending else approval.decision
    return Shown(
        id=approval.request_id,
        status=approval.status,
        action=approval.action,
        agent=approval.agent,
        payload=approval.payload,
        edited=approval.edited,
        reason=approval.reason or None,
        decided_by=decision.approver if decision else None,
        decided_at=iso(moment(approval.ended_at)) if decision and approval.ended_at else None,
        receipt=approval.receipt,
        permalink=approval.permalink,
        rule=approval.verdict.rule,
        why=approval.verdict.why,
        answer=decision.answer if decision else None,
        kind=approval.request.kind,
        batch=approval.request.batch,
        notes=[{"by": one.name, "text": one.text, "at": iso(moment(one.at))} for one in approval.notes],
        talks=talks_of(approval),
    )


def _listed(approvals: list[Approval], together: Mapping[str, Folded] | None = None) -> list[str]:
    """Two lines each: code and what it is, told apart from the others; then whose, how long, and its id."""
    from signoff.bot.text.which import Which, titles
    from signoff.bot.text.words.which import cannot_be_undone
    from signoff.models.questions import QUESTION

    found = []
    for approval, title in zip(approvals, titles([Which.of(one) for one in approvals]), strict=True):
        verdict, indent = approval.verdict, " " * (len(approval.code) + 2)
        question = approval.request.kind == QUESTION
        undo = "" if question else cannot_be_undone(verdict.reversibility, verdict.reversibility_from)
        when = f"until {_clock(approval.expires_at)}" if approval.pending else approval.status
        batch = (together or {}).get(approval.id)
        shared = f"one of {len(batch.ids):,} of “{batch.title}”" if batch else ""
        kind = "a question" if question else ""
        parts = [
            kind,
            shared,
            f"{approval.agent} asked {_clock(approval.created_at)}",
            undo,
            when,
            approval.request_id,
        ]
        found += [
            f"{approval.code}  {printable(title)}",
            indent + printable(" · ".join(part for part in parts if part)),
        ]
    return found


def _rest(approval: Approval, now: int, folded: Folded | None) -> list[str]:
    """What else `show` tells: why, what became of it, where its card stands, and the payload."""
    request, verdict = approval.request, approval.verdict
    said = [("for", request.requested_by), ("reason", request.reason)]
    said.append(("read as", request.interpretation))
    said.append(("batch", batch_line(approval, folded)))
    said += [
        ("policy", f"{verdict.why} ({verdict.effect})" if verdict.why else ""),
        ("ended", approval.reason),
    ]
    said.append(("state", _state(approval)))
    said.append(("agent", _told_by_agent(approval, now)))
    said.append(("undo", _undo(approval, now)))
    if approval.permalink:
        said.append(("card", approval.permalink))
    lines = [laid_out(f"{label:<9}", text) for label, text in said if text]
    if approval.handed_to and approval.pending:
        lines.append(f"{'handed':<9}to {approval.handed_to} by {approval.handed_by}")
    decision = approval.decision
    lines += [f"{'':<9}{line}" for line in answer_lines((decision.answer if decision else None) or {})]
    lines += [*talk_lines(approval, _clock), *_afterwards(approval)]
    payload = json.dumps(approval.payload, ensure_ascii=False, indent=2)
    return [*lines, *map(printable, payload.split("\n"))]


def _undo(approval: Approval, now: int) -> str:
    """What it undoes; or whether it can be undone, and what has become of that."""
    if approval.undoes:
        return f"this undoes {approval.undoes}"
    plan, undo = approval.verdict.undo, approval.undo
    if plan is None or undo is None:
        return ""
    if undo.done is None:
        tried = "" if undo.tried else ", which was never tried"
        return f"by {plan.action}{tried}, for {plan.seconds // 60:,} min once it is reported"
    done = undo.done
    became = {None: "being undone", True: "undone", False: "the undo failed"}[done.succeeded]
    became = "nobody took the undo" if done.untaken(now) else became
    became = "the undo was taken, never reported" if done.unreported(now) else became
    return f"{became}, by {done.by_id}, {_clock(done.outcome_at or done.at)}: {done.approval_id}"


def _afterwards(approval: Approval) -> list[str]:
    """What the agent shows of what came out, and what somebody has said of that."""
    outcome, said, lines = approval.outcome, approval.feedback, list[str]()
    if outcome is not None and outcome.result is not None:
        lines.append(laid_out(f"{'gave':<9}", json.dumps(outcome.result, ensure_ascii=False)))
    if said is not None and said.answer is None:
        lines.append(f"{'right?':<9}asked {_clock(said.asked_at)}, nobody has said")
    elif said is not None:
        by = f"{said.answer}, says {said.name} ({said.by_id}) {_clock(said.at or said.asked_at)}"
        lines.append(laid_out(f"{'right?':<9}", f"{by}{f': {said.text}' if said.text else ''}"))
    return lines


def _state(approval: Approval) -> str:
    decision = approval.decision
    if approval.pending and approval.verdict.in_grace:
        return f"runs {_clock(approval.runs_at)} unless held" if approval.runs_at else "not shown yet"
    if approval.pending:
        return f"pending, until {_clock(approval.expires_at)}"
    by = f" by {decision.name} ({decision.approver})" if decision else ""
    at = f", {_clock(approval.ended_at)}" if approval.ended_at else ""
    return f"{approval.status}{by}{at}{', edited' if approval.edited else ''}"


def _told_by_agent(approval: Approval, now: int) -> str:
    """What became of it, as far as the agent has said; of what is pending, whether it has gone."""
    started = f"started {_clock(approval.spent_at)}, " if approval.spent_at else ""
    if approval.pending:
        return f"nobody waits for it any more, since {_clock(approval.left_at)}" if approval.left_at else ""
    if approval.status != "approved":
        return ""
    if approval.outcome is not None:
        said = "done" if approval.outcome.succeeded else "failed"
        at = f" {_clock(approval.outcome_at)}" if approval.outcome_at else ""
        return f"{said}{at}{f': {approval.outcome.note}' if approval.outcome.note else ''}"
    if approval.is_over(now):
        return f"{started}never reported"
    if approval.left_at and not started:
        return "not waiting when this was decided: it is told when it comes back; not reported yet"
    since = max(approval.ended_at or approval.created_at, approval.spent_at or 0)
    minutes = max(now - since, 0) // 60_000_000
    return f"{started}not reported yet{f', for over {minutes:,} min' if minutes else ''}"


def _clock(microseconds: int) -> str:
    from signoff.models.messages import moment

    return clock(moment(microseconds))
