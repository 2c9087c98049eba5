"""The form that shows what an edit changes and approves it; pure.

It shows only what changed where the card shows all the rest; else everything that will run, so that nobody
approves what they have not seen. It carries the changes in its private_metadata, of which Slack keeps 3,000
characters. They are never taken on trust: who reads them back has the payload checked again, against its
schema and against what may be edited.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from signoff.approvals.errors import UnknownApproval
from signoff.bot.text.difference import changes, elements
from signoff.bot.text.fold import shown_whole, split
from signoff.bot.text.payload import rows
from signoff.bot.text.text import Block, line, literal, rich
from signoff.bot.text.views import (
    BLOCK_CHARACTERS,
    final,
    modal,
    note,
    paragraph,
    read_metadata,
    row_blocks,
    stakes,
)
from signoff.bot.text.words import forms as forms_words
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.payload.canonical import canonical, digest, parse

METADATA = 3000
"""Slack: characters of private_metadata."""
BYTES = 230_000
"""Of the view as JSON: Slack takes 250 KB."""
BLOCKS = 100
UNPACKED = 512 * 1024


def difference_view(approval: Approval, payload: dict[str, Any], form: str = "") -> Block:
    """What changes, old → new, then all that will run unless the card shows it; its submit approves.

    Changes that its metadata cannot hold are left where they are kept under `form`, pinned by the digest of
    the payload. Raises Invalid where the changes do not fit, with a message for the person in `detail`.
    """
    found = changes(approval.payload, payload)
    for old in (600, 60):
        parts, _ = elements(found, 200_000, old)
        groups = [parts[at : at + 40] for at in range(0, len(parts), 40)]
        blocks: list[Block] = [paragraph(forms_words.WITH_CHANGES, "ask")]
        blocks += [rich(f"change:{index}", *group) for index, group in enumerate(groups)]
        text = canonical(payload)
        blocks += _rest(approval, payload)
        blocks += [
            {"type": "divider"},
            stakes(approval),
            final(approval),
            note(forms_words.digest_line(digest(text))),
        ]
        view = modal(
            "difference",
            approval.action,
            blocks,
            approval,
            forms_words.APPROVE_CHANGES,
            forms_words.BACK,
            **_carried(approval.payload, payload, form),
        )
        if len(json.dumps(view)) <= BYTES and len(blocks) <= BLOCKS:
            break
    else:
        raise Invalid(forms_words.CHANGES_TOO_LARGE)
    if len(view["private_metadata"]) > METADATA:
        raise Invalid(forms_words.CHANGES_TOO_LARGE)
    return view


def read_difference(view: Block, approval: Approval) -> dict[str, Any]:
    """The edited payload that a difference view carries, on top of the approval's.

    Check it before it is used. Raises UnknownApproval where the view is not about this approval and
    version, or does not hold changes.
    """
    kept = read_metadata(view)
    if (kept["id"], kept["version"]) != (approval.id, approval.version):
        raise UnknownApproval()
    try:
        found = parse(_unpacked(kept["packed"])) if "packed" in kept else kept
        changed, gone = dict(found["set"]), set(found["gone"])
    except (KeyError, TypeError, ValueError, zlib.error, Invalid):
        raise UnknownApproval() from None
    payload = {name: value for name, value in approval.payload.items() if name not in gone}
    return payload | changed


def carries(view: Block) -> bool:
    """True where a difference view holds its changes itself; raises UnknownApproval."""
    kept = read_metadata(view)
    return "packed" in kept or "set" in kept


def _carried(old: dict[str, Any], new: dict[str, Any], form: str) -> dict[str, Any]:
    """The fields that differ: as they are where they are short, else packed, else where they are kept."""
    changed = {n: v for n, v in new.items() if n not in old or canonical(old[n]) != canonical(v)}
    kept: dict[str, Any] = {"set": changed, "gone": [name for name in old if name not in new]}
    if len(json.dumps(kept)) <= METADATA - 200:
        return kept
    packed = {"packed": base64.b85encode(zlib.compress(canonical(kept).encode(), 9)).decode()}
    if len(json.dumps(packed)) <= METADATA - 200 or not form:
        return packed
    return {"form": form, "digest": digest(canonical(new))}


def _unpacked(text: str) -> bytes:
    return zlib.decompressobj().decompress(base64.b85decode(text), UNPACKED)


def _rest(approval: Approval, payload: dict[str, Any]) -> list[Block]:
    """What does not change: on the card where that is whole, else here with all that will run."""
    if shown_whole(approval):
        return [note(forms_words.UNCHANGED_REST, "rest")]
    whole = split(rows(approval.request.json_schema, payload, whole=True), BLOCK_CHARACTERS)
    heading = line(literal(forms_words.runs_with(len(canonical(payload).encode())), "bold"))
    return [{"type": "divider"}, rich("heading", heading), *row_blocks(whole, "whole")]
