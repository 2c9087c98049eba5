"""`signoff policy …`: to check a policy, to ask it, to test it, and to replay it over what came in."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from signoff.cli import classes, proofs, replay
from signoff.cli.output import laid_out, printable
from signoff.cli.parsers import Commands, command, group, json_value
from signoff.cli.policy_file import loaded, place
from signoff.cli.policy_times import lines as lines_of_time
from signoff.errors import Invalid

if TYPE_CHECKING:
    from signoff.models.amounts import Entry
    from signoff.models.messages import ApprovalRequest
    from signoff.models.verdict import Verdict
    from signoff.policy.evaluate import Explanation
    from signoff.policy.examples import Example
    from signoff.policy.policy import Policy

CHECK_EPILOG = """\
Names every fault with file, line, column and what to do. `signoff serve` refuses a policy that is refused
here. What holds, and may not mean what it seems to, is warned of; --strict is for CI.

exit: 0 it holds   1 with --strict, it holds and there are warnings
      2 it does not
"""
EXPLAIN_EPILOG = """\
The request is a JSON object with agent, action and payload, and whatever else a request may say:
reversible (true, false or "costly"), risk, reason, tags, … Says which rule decides, and of each rule
before it why it does not.

  signoff policy explain policy.yml --request '{"agent": "billing-bot",
      "action": "refund.create", "payload": {"amount": 1200}}'

--json prints one line: {"verdict", "rule", "why", "channel", "approvers", "expires_in", "feedback", "talk",
"batch", "digest"}; where it asks, "seats", "reject", "exclude", "exclude_by_default"; and, where there is
one, "after", "undo", "undo_for", "per_hour" (of questions), "remind", "escalate", "valid", "clock", "quiet".
`batch`
says whether it may share a card with what is asked together with it. What does not apply is null, or no
approvers. Approvers are named as the policy names them; times are in seconds.
"""
TEST_EPILOG = """\
Judges each of the policy's `examples`, and compares: the verdict, and of rule, approvers, seats, reject,
exclude, channel, feedback, talk, batch, after, undo, undo_for, remind, escalate, valid and clock what is
named.

exit: 0 all are as wanted   1 some are not, or there are none   2 no policy
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    policy = group(commands, "policy", "check, ask, test and replay a policy's file")
    check = command(
        policy,
        "check",
        _check,
        "say whether a policy holds, and where not",
        common=common,
        epilog=CHECK_EPILOG,
    )
    explain = command(
        policy,
        "explain",
        _explain,
        "say what becomes of one request, and why",
        common=common,
        epilog=EXPLAIN_EPILOG,
    )
    test = command(
        policy,
        "test",
        _test,
        "compare a policy's examples with what it says",
        common=common,
        epilog=TEST_EPILOG,
    )
    for parser in (check, explain, test):
        parser.add_argument("file", metavar="FILE", help="the policy")
    check.add_argument("--strict", action="store_true", help="exit 1 where there are warnings")
    explain.add_argument("--request", metavar="FILE|JSON|-", required=True, help="the request; - is stdin")
    explain.add_argument("--json", action="store_true", help="one line of JSON")
    replay.add(policy, common)
    table = command(
        policy,
        "classes",
        classes.show,
        "print the table of actions, their risk and reversibility",
        common=common,
    )
    table.add_argument("--json", action="store_true", help="the table as JSON")
    command(policy, "schema", _schema, "print the JSON Schema of a policy, for editors", common=common)


def _check(arguments: argparse.Namespace) -> int:
    found = loaded(arguments.file)
    contents = found.policy.contents
    assert contents is not None
    own = [rule for rule in contents.rules if not rule.source]
    preset = len(contents.rules) - len(own)
    of_preset = f" and {preset} of the preset {contents.rules[-1].source}" if preset else ""
    print(
        f"{printable(arguments.file)} holds: {_count(len(own), 'rule')}{of_preset}, "
        f"{_count(len(found.examples), 'example')}\n"
        f"autonomy is {contents.autonomy}; digest {found.policy.digest}"
    )
    for line in found.warnings:
        print(_wrapped_warning(line))
    return 1 if arguments.strict and found.warnings else 0


def _wrapped_warning(line: str) -> str:
    import textwrap

    return textwrap.fill(
        printable(line), 80, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _explain(arguments: argparse.Namespace) -> int:
    from signoff.policy.evaluate import explain
    from signoff.policy.examples import a_request

    policy = loaded(arguments.file).policy
    source: str = arguments.request
    given = source if source == "-" or source.lstrip().startswith(("{", "@")) else f"@{source}"
    try:
        agent, request = a_request(json_value("--request", given))
    except Invalid as error:
        detail = error.detail or str(error)
        raise Invalid(detail if detail.startswith("--request") else f"--request: {detail}") from None
    found = explain(request, agent, policy)
    said = _said(found, policy, request, agent)
    print(json.dumps(answer(found.verdict, policy, request, agent)) if arguments.json else said)
    return 0


def answer(verdict: Verdict, policy: Policy, request: ApprovalRequest, agent: str) -> dict[str, Any]:
    """What `explain --json` prints."""
    from signoff.models.feedback import percent
    from signoff.models.questions import QUESTION
    from signoff.models.receipt_claims import APPROVAL
    from signoff.policy.times import told

    per_hour = policy.limits(agent, request.kind).per_hour if request.kind == QUESTION else None
    together = verdict.effect == "ask" and request.kind == APPROVAL
    asks = verdict.effect == "ask" or verdict.in_grace
    seen = asks or verdict.effect == "notify"
    return {
        "verdict": verdict.effect,
        "rule": verdict.rule or None,
        "why": verdict.why,
        "channel": (verdict.conversation or None) if seen else None,
        "approvers": list(verdict.named or policy.approvers) if asks or verdict.undo else [],
        **(quorum_of(verdict) if verdict.effect == "ask" else {}),
        "expires_in": verdict.expires_in if asks else None,
        "feedback": percent(verdict.feedback) if seen else "0%",
        "talk": verdict.talk if asks else None,
        "batch": not policy.batch.why_alone(request.action, verdict) if together else None,
        **({"after": verdict.after} if verdict.in_grace else {}),
        **proofs.wanted(verdict),
        **({"undo": verdict.undo.action, "undo_for": verdict.undo.seconds} if verdict.undo else {}),
        **(told(verdict.timing) if verdict.timing else {}),
        **({"per_hour": per_hour} if per_hour is not None else {}),
        "digest": verdict.policy,
    }


def quorum_of(verdict: Verdict) -> dict[str, Any]:
    """How many people it takes, of whom, and who may not approve: as the policy says it."""
    return {
        "seats": [seat.said() for seat in verdict.seats],
        "reject": verdict.reject,
        "exclude": list(verdict.exclude),
        "exclude_by_default": verdict.exclude_by_default,
    }


def _said(found: Explanation, policy: Policy, request: ApprovalRequest, agent: str) -> str:
    from signoff.models.amounts import entries
    from signoff.policy.evaluate import missing
    from signoff.policy.placements import OF_BATCH

    verdict, facts = found.verdict, found.facts
    shown, lacks = answer(verdict, policy, request, agent), missing(verdict, request)
    said: list[tuple[str, str]] = []
    if facts:
        claimed = {"policy": "the policy", "agent": "the agent says so", "nobody": "nobody rates it"}
        risk = f"{verdict.risk} risk ({claimed[verdict.risk_from]})"
        if verdict.risk_from == "nobody":
            risk = f"risk not rated (rules take it for {verdict.risk})"
        rated = f"{risk}, {verdict.reversibility} ({claimed[verdict.reversibility_from]})"
        said += [("rated", rated), ("class", facts.class_name or "none")]
        if facts.why_outside:
            said.append(("outside", facts.why_outside))
    if verdict.after is not None:
        said.append(("runs", f"{_length(verdict.after)} after its card is shown, unless somebody holds it"))
    if verdict.undo is not None:
        told = f"{verdict.undo.action}, for {_length(verdict.undo.seconds)} once it is reported"
        said.append(("undo", told))
    if verdict.effect == "ask" or verdict.after is not None or verdict.undo is not None:
        said.append(("who", ", ".join(shown["approvers"]) or "SIGNOFF_APPROVERS, which are not set here"))
        for seat in verdict.seats:
            said.append(("seat", f"{seat.need} of {seat.name}"))
        if verdict.reject > 1:
            said.append(("rejects", f"{verdict.reject} people have to reject it"))
        if verdict.exclude:
            by = ", where somebody else can (by default)" if verdict.exclude_by_default else ""
            said.append(("not", f"{', '.join(verdict.exclude)} may not approve it{by}"))
        more = f"; {_length(verdict.talk)} more once its agent is asked about it" if verdict.talk else ""
        said.append(("how long", f"{_length(verdict.expires_in)}{more}"))
        said += lines_of_time(verdict, _length)
    if verdict.asks_proof:
        said.append(("proof", proofs.told(verdict, _length)))
    if shown["channel"] is not None or verdict.effect in ("ask", "notify"):
        said.append(("where", shown["channel"] or "SIGNOFF_CHANNEL, which is not set here"))
        if verdict.feedback:
            share = f"{shown['feedback']} of outcomes: was this right?"
            said.append(("feedback", f"{share} Of a batch about {OF_BATCH} at most"))
    if "per_hour" in shown:
        said.append(("how often", f"{_count(shown['per_hour'], 'question')} of {agent} in any hour"))
    if shown["batch"] is not None:
        alone = policy.batch.why_alone(request.action, verdict)
        share = f"may share a card with others, {policy.batch.most} at most, that ask the same people there"
        said.append(("batch", f"has a card of its own: {alone}" if alone else share))
    if verdict.headline:
        said.append(("headline", verdict.headline))
    for entry in entries(verdict.sums, found.facts.payload if found.facts else {}):
        said.append(("sum", _counted(entry)))
    if verdict.over:
        said.append(("over", verdict.over))
    if verdict.require:
        said.append(("requires", ", ".join(verdict.require)))
    if lacks:
        said.append(("lacks", f"{', '.join(lacks)}: so it is refused, and nobody is asked"))
    if verdict.reason:
        said.append(("told", verdict.reason))
    lines = [laid_out(f"{verdict.effect}: ", verdict.why)]
    lines += [laid_out(f"  {name:<10}", text) for name, text in said]
    if found.passed:
        aside = ", as if the agent had claimed nothing" if found.claims_aside else ""
        lines.append(f"  passed over, in their order{aside}")
        lines += [laid_out(f"{place(rule)}  ", f"{rule.name}: {why}") for rule, why in found.passed]
    return "\n".join(lines)


def _counted(entry: Entry) -> str:
    """What a request counts for in a sum, and of how much."""
    from decimal import Decimal

    from signoff.models.amounts import shown

    whose = f"the rule “{entry.sum.place}”" if entry.sum.place else "the agent"
    unit = f" {entry.unit}" if entry.unit else ""
    if entry.amount is None:
        return f"of {whose}: {entry.fault}, so it asks"
    return f"of {whose}: {shown(entry.amount)} of {shown(Decimal(entry.sum.most))}{unit} in any 24 h"


def _test(arguments: argparse.Namespace) -> int:
    found = loaded(arguments.file)
    failed = [(example, faults) for example in found.examples if (faults := _wrong(example, found.policy))]
    for example, faults in failed:
        print(printable(f"{arguments.file}:{example.line}: {example.name}: {'; '.join(faults)}"))
    if not found.examples:
        print(f"{arguments.file} has no examples: write some under `examples:`.")
        return 1
    held = len(found.examples) - len(failed)
    print(f"{held} of {_count(len(found.examples), 'example')} {'is' if held == 1 else 'are'} as wanted")
    return 1 if failed else 0


def _wrong(example: Example, policy: Policy) -> list[str]:
    """What is other than wanted, and why it is so."""
    from signoff.models.timing import Timing
    from signoff.policy.evaluate import evaluate
    from signoff.policy.times import told

    verdict = evaluate(example.request, example.agent, policy)
    shown = told(Timing()) | answer(verdict, policy, example.request, example.agent)
    wanted: Mapping[str, Any] = {"verdict": example.verdict, **example.wanted}
    faults = [
        f"wanted {key} {_named(value)}, got {_named(shown.get(key))}"
        for key, value in wanted.items()
        if shown.get(key) != ([value] if key == "approvers" and isinstance(value, str) else value)
    ]
    return [*faults, f"because: {verdict.why}"] if faults else []


def _named(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and value and isinstance(value[0], dict) and "need" in value[0]:
        return " and ".join(f"{one['need']} of {', '.join(one['from'])}" for one in value)
    if isinstance(value, list) and value:
        return ", ".join(map(str, value))
    return "none" if value in (None, []) else str(value)


def _schema(_: argparse.Namespace) -> int:
    from signoff.policy.checks import schema_text

    print(schema_text(), end="")
    return 0


def _length(seconds: int) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
