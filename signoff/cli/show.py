"""`signoff show CODE`: one request as the server knows it, by the code that people see."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from signoff.cli.database import opened_store, shown
from signoff.cli.output import clock, laid_out, printable
from signoff.cli.parsers import Commands, command
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.models.approval import Approval

EPILOG = """\
Beside the server, as it reads the database. An agent that has no more than its own Redis user asks for the
state of its own requests: `signoff status ID`.

--json prints the keys of `signoff status --json`, and here `payload` is what is asked for.

exit: 0 it is there   2 no request, or several, are called so
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    show = command(
        commands, "show", _show, "tell all of one request, by its code", common=common, epilog=EPILOG
    )
    show.add_argument("code", metavar="CODE", help="as on its card, such as K7Q2MX; its id does as well")
    show.add_argument("--json", action="store_true", help="one line of JSON instead of text")


def _show(arguments: argparse.Namespace) -> int:
    from signoff.approvals.errors import UnknownApproval
    from signoff.approvals.lists import Ambiguous, NoId, find

    asked = arguments.code
    with opened_store() as (_, store):
        try:
            approval = store.get(find(store, asked))
        except NoId:
            raise ConfigError(f"{asked[:60]!r} is no request's code, such as K7Q2MX, and no id.") from None
        except Ambiguous:
            raise ConfigError(f"several requests are called {asked[:60]}: write more of the id.") from None
        except UnknownApproval:
            approval = None
    if approval is None:
        raise ConfigError(f"no request is called {asked[:60]!r}: `signoff pending` lists what waits.")
    print(json.dumps(shown(approval).__dict__) if arguments.json else "\n".join(_lines(approval)))
    return 0


def _lines(approval: Approval) -> list[str]:
    from signoff.models.messages import moment

    request, verdict = approval.request, approval.verdict
    said = {
        "asked": f"by {approval.agent}, {clock(moment(approval.created_at))}",
        "for": request.requested_by,
        "state": _state(approval),
        "policy": f"{verdict.why} ({verdict.effect})" if verdict.why else "",
        "reason": approval.reason,
        "request": approval.request_id,
        "card": approval.card.permalink or "" if approval.card else "",
        "why": request.reason,
    }
    lines = [printable(f"{approval.code}  {approval.action}")]
    lines += [laid_out(f"  {name:<8} ", text) for name, text in said.items() if text]
    return [*lines, printable(json.dumps(approval.payload, ensure_ascii=False))]


def _state(approval: Approval) -> str:
    from signoff.models.messages import moment

    if approval.pending:
        return f"pending, until {clock(moment(approval.expires_at))}"
    decision = approval.decision
    by = f" by {decision.name} ({decision.approver})" if decision else ""
    at = f", {clock(moment(approval.ended_at))}" if approval.ended_at else ""
    edited = ", edited" if approval.edited else ""
    return f"{approval.status}{by}{at}{edited}"
