"""*Stop billing-bot…* and *Resume…*: what is stopped, what becomes of what waits, how it goes on; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.approvals.errors import UnknownApproval
from signoff.bot.blocks import OPTION_TEXT, SELECT_OPTIONS
from signoff.bot.text.text import Block, Trusted, cut, plain
from signoff.bot.text.views import asks, element, modal, note, says, state_of
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import stops as words
from signoff.models.stops import Stop, StopScope

RADIOS = 10
"""Slack: options that radio buttons hold."""
_KINDS = ("agent", "action", "all")


@dataclass(frozen=True)
class Asked:
    """What somebody wants stopped: `withdraw` ends what waits, `undos` lets undos run."""

    scope: StopScope
    reason: str
    undos: bool
    withdraw: bool


def stop_view(scopes: Sequence[StopScope], standing: Sequence[Stop] = (), *, named: bool = True) -> Block:
    """What this person may stop, and what of it is stopped already. `scopes` is not empty.

    Where somebody has `named` the first one it is chosen; else nothing is, so that nobody stops what they
    have not read.
    """
    offered = [_option(words.choice(scope), written(scope)) for scope in scopes[:SELECT_OPTIONS]]
    kind = "radio_buttons" if len(offered) <= RADIOS else "static_select"
    waits = [_option(words.WAITING_HELD, "hold"), _option(words.WAITING_ENDS, "end")]
    undos = [_option(words.UNDOS_HELD, "stop"), _option(words.UNDOS_PASS, "pass")]
    reason = element("plain_text_input", multiline=True, max_length=words.REASON_MOST)
    title = words.title(words.STOP, scopes[0]) if named else words.STOP
    chosen = offered[0] if named else None
    found = [says(words.already(one), f"already:{number}") for number, one in enumerate(standing[:3])]
    blocks = [
        *found,
        asks("scope", words.WHAT, element(kind, options=offered, initial_option=chosen), words.WHAT_HINT),
        asks("waits", words.WAITING, element("radio_buttons", options=waits, initial_option=waits[0])),
        asks("undos", words.UNDOS, element("radio_buttons", options=undos, initial_option=undos[0])),
        asks("reason", words.REASON, reason, words.REASON_HINT, optional=True),
    ]
    return modal("stop", title, blocks, submit=words.STOP, close=forms_words.CANCEL)


def read_stop(values: Mapping[str, Any]) -> Asked:
    """What was chosen; raises UnknownApproval for what no form of ours holds."""
    chosen = {name: _chosen(values, name) for name in ("scope", "waits", "undos")}
    typed = state_of(values, "reason").get("value")
    reason = typed.strip()[: words.REASON_MOST] if isinstance(typed, str) else ""
    return Asked(read_scope(chosen["scope"]), reason, chosen["undos"] == "pass", chosen["waits"] == "end")


def resume_view(stop: Stop) -> Block:
    """What is stopped, by whom and why, and the two ways in which it goes on."""
    why = words.reason(stop.reason)
    ways = [_option(words.AT_ONCE, "once"), _option(words.STAGED, "staged")]
    how = asks("how", words.HOW_LABEL, element("radio_buttons", options=ways, initial_option=ways[0]))
    blocks = [
        says(words.line(stop), "stop"),
        *([note(why, "why")] if why else []),
        *([] if stop.staged else [how]),
        says(words.STAYS_VOID, "void"),
    ]
    title = words.title(words.RESUME, stop.scope)
    return _about(stop, modal("resume", title, blocks, submit=words.RESUME, close=forms_words.CANCEL))


def read_resume(view: Block) -> tuple[str, bool]:
    """The stop's id, and whether it goes on in two steps; raises UnknownApproval for what is none of ours."""
    return stop_of(view), _chosen(view["state"]["values"], "how") == "staged"


def stopped_view(stop: Stop, told: Trusted, *, more: bool = True) -> Block:
    """To who has stopped it: that it is, and what is `told` of what was approved before.

    `more` says that more of it may be known soon: then they can look again.
    """
    button = {
        "type": "button",
        "action_id": "stop_known",
        "text": plain(words.LOOK_AGAIN),
        "value": stop.id,
    }
    look: list[Block] = [
        {"type": "actions", "block_id": "look", "elements": [button]},
        note(words.GUARDS, "guards"),
    ]
    blocks = [says(words.done(stop), "done"), says(told, "known"), *(look if more else [])]
    return _about(stop, modal("stopped", words.STOPPED, blocks))


def resumed_view(stop: Stop) -> Block:
    """To who has resumed it."""
    return modal("resumed", words.RESUMED, [says(words.resumed(stop)), says(words.STAYS_VOID)])


def written(scope: StopScope) -> str:
    """A scope as an option's value: `agent:billing-bot`."""
    return f"{scope.kind}:{scope.name}"


def read_scope(value: str) -> StopScope:
    """Such a value; raises UnknownApproval for what is none."""
    kind, _, name = value.partition(":")
    if kind not in _KINDS:
        raise UnknownApproval
    return StopScope(kind, name)  # type: ignore[arg-type]


def stop_of(view: Block) -> str:
    """Which stop a view is about; raises UnknownApproval."""
    try:
        return str(json.loads(view.get("private_metadata") or "")["stop"])
    except (ValueError, TypeError, KeyError):
        raise UnknownApproval from None


def _about(stop: Stop, view: Block) -> Block:
    return view | {"private_metadata": json.dumps({"stop": stop.id}, separators=(",", ":"))}


def _option(text: str, value: str) -> Block:
    return {"text": plain(cut(text, OPTION_TEXT)), "value": value}


def _chosen(values: Mapping[str, Any], block_id: str) -> str:
    option = state_of(values, block_id).get("selected_option")
    return str(option.get("value") or "") if isinstance(option, dict) else ""
