"""`signoff policy replay`: what a policy would have done with what came in."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from signoff.cli.database import check_upgraded, opened
from signoff.cli.output import laid_out, printable
from signoff.cli.parsers import Commands, command, duration
from signoff.cli.policy_file import loaded, place

if TYPE_CHECKING:
    from signoff.policy.replay import Change, Changed, Report

EPILOG = """\
Judges every request of that time anew, as it was sent, and compares with the answer that it had then. Reads
the server's database, and changes nothing. What became of the requests stands beside each change: a policy
that lets run what people rejected is too loose. What is over an hourly limit counts as refused; what was
refused then is not known. Of what agents asked together it says what would share a card, and why not.

  signoff policy replay policy.yml --since 30d
"""
EFFECTS = ("allow", "notify", "allow after", "ask", "block", "refused")
MOST = 30
"""Kinds of changes that are listed; --json has them all."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser = command(
        commands,
        "replay",
        _replay,
        "say what it would have done with what came in",
        common=common,
        epilog=EPILOG,
    )
    parser.add_argument("file", metavar="FILE", help="the policy")
    parser.add_argument(
        "--since",
        metavar="TIME",
        type=duration,
        default=30 * 86400,
        help="how far back: 12h, 30d (default: 30d)",
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON")


def _replay(arguments: argparse.Namespace) -> int:
    from signoff.models import history
    from signoff.models.engine import snapshot
    from signoff.models.store import MICROSECONDS, Store
    from signoff.policy.replay import replay
    from signoff.server import settings

    policy = loaded(arguments.file).policy
    with opened(settings.load()) as engine:
        check_upgraded(engine)
        since = max(Store(engine).clock() - arguments.since * MICROSECONDS, 0)
        with snapshot(engine) as connection:
            report = replay(policy, history.since(connection, since))
    if arguments.json:
        print(json.dumps({"digest": policy.digest, **_values(report)}))
    else:
        print("\n".join(_lines(report, arguments.file)))
    return 0


def _ordered(report: Report) -> list[tuple[Change, Changed]]:
    """What is let run first, of that what people rejected, then the most frequent."""

    def place_of(one: tuple[Change, Changed]) -> tuple[int, int, int, str]:
        kind, found = one
        return EFFECTS.index(kind.now), -found.ended["rejected"], -found.count, kind.action

    return sorted(report.changes.items(), key=place_of)


def _values(report: Report) -> dict[str, Any]:
    return {
        "requests": report.requests,
        "erased": report.erased,
        "then": dict(report.then),
        "now": dict(report.now),
        "changed": report.changed,
        "asked_about": report.asked_about,
        "undoable": report.undoable,
        "more_time": report.more_time,
        "several": report.several,
        "batches": {
            "batches": report.batches.batches,
            "shared_then": report.shared_then,
            "shared": report.batches.shared,
            "alone": {why: count for why, count in report.batches.alone.most_common() if count},
        },
        "changes": [
            {
                "then": kind.then, "now": kind.now, "action": kind.action, "why": kind.why,
                "count": found.count, "ended": dict(found.ended), "last": found.last,
            }
            for kind, found in _ordered(report)
        ],
        "undone": {rule: count for rule, count in report.undone.items() if count},
        "never_hit": [rule.name for rule in report.never_hit],
    }  # fmt: skip


def _lines(report: Report, file: str) -> list[str]:
    if not report.requests:
        return [f"No request came in within that time{_erased(report)}: there is nothing to judge."]
    lines = [
        printable(f"{report.requests:,} requests{_erased(report)}, judged by {file}"),
        "",
        f"{'':12}{'then':>10}{'now':>10}",
    ]
    for name in EFFECTS:
        if report.then[name] or report.now[name]:
            lines.append(f"{name:<12}{report.then[name]:>10,}{report.now[name]:>10,}")
    lines += ["", f"{report.changed:,} would be answered otherwise" + (":" if report.changed else "")]
    found = _ordered(report)
    for kind, those in found[:MOST]:
        ended = ", ".join(f"{count:,} {status}" for status, count in those.ended.most_common())
        lines.append(laid_out(f"{those.count:>8,}  ", f"{kind.then} → {kind.now}  {kind.action}: {kind.why}"))
        lines.append(laid_out(f"{'':10}", f"they were: {ended}; the last: {those.last}"))
    if len(found) > MOST:
        lines.append(f"{'':10}and {len(found) - MOST:,} kinds more: --json has them all")
    lines += [*_beside(report), *_batches(report)]
    undone = [(rule, count) for rule, count in report.undone.most_common() if count]
    if undone:
        lines += ["", "people undid, of what these rules decide:"]
        lines += [laid_out(f"{count:>8,}  ", rule or "no rule") for rule, count in undone]
    if report.never_hit:
        lines += ["", "rules that decided nothing:"]
        lines += [laid_out(f"{place(rule)}  ", rule.name) for rule in report.never_hit]
    return lines


def _beside(report: Report) -> list[str]:
    """What follows from the answers."""
    said = (
        (report.asked_about, "outcomes would be asked about: was this right?"),
        (report.undoable, "that run could be undone as the policy says"),
        (report.several, "would take more than one person"),
        (report.more_time, "would wait for longer once their agent was asked about them"),
    )
    return [f"{count:,} {what}" for count, what in said if count]


def _batches(report: Report) -> list[str]:
    """Where the requests of batches would stand."""
    found = report.batches
    if not found.batches:
        return []
    many = "batches" if found.batches > 1 else "batch"
    then = f"{report.shared_then:,} did then"
    lines = ["", f"of {found.batches:,} {many} {found.shared:,} requests would share a card, {then}"]
    alone = [(why, count) for why, count in found.alone.most_common() if count]
    return lines + [laid_out(f"{count:>8,}  ", f"would not: {why}") for why, count in alone]


def _erased(report: Report) -> str:
    return f", and {report.erased:,} whose payloads are erased" if report.erased else ""
