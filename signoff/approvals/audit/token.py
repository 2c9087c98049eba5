"""A receipt in a row: its signature, and its claims beside the columns that say the same."""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature

from signoff.approvals.audit.told import Said
from signoff.models.store import MICROSECONDS
from signoff.payload.canonical import digest
from signoff.receipts import VerifyKeys
from signoff.signatures import decode_part

TYPES = frozenset(("JWT", "signoff-receipt+jwt"))
"""What receipts are called in their headers; the first in those of before."""

BY_PEOPLE = frozenset(("approved", "answered", "rejected"))
"""What a receipt says where somebody has decided, and is named."""


@dataclass(frozen=True)
class Finding:
    """What is wrong; empty where nothing is. `unknown_key`: nothing could be said of its signature."""

    what: str = ""
    unknown_key: bool = False


def differing(
    row: Mapping[str, Any],
    decisions: Sequence[Mapping[str, Any]],
    text: str | None,
    line: Said,
    keys: VerifyKeys | None,
) -> Finding:
    """How an approval's receipt differs from its row, from its `decisions` or from the last payload's `text`.

    Expiry is no fault: the log is older than that. Without `keys` signatures are not looked at.
    """
    token = row["receipt"]
    try:
        head, body, signature = token.split(".")
        header, claims = _json(head), _json(body)
        signed, raw = f"{head}.{body}".encode(), decode_part(signature)
    except (ValueError, binascii.Error, UnicodeDecodeError):
        return Finding("the receipt is none")
    if header.get("alg") != "EdDSA" or header.get("typ") not in TYPES:
        return Finding("the receipt is of another kind")
    unknown = False
    if keys is not None:
        key = keys.get(str(header.get("kid")))
        if key is None:
            unknown = True
        else:
            try:
                key.verify(raw, signed)
            except InvalidSignature:
                return Finding("the receipt's signature does not hold")
    expected = _expected(claims, row, text, line)
    wrong = [name for name, value in expected.items() if claims.get(name) != value]
    wrong += _of_decider(claims, [one for one in decisions if one.get("withdrawn_at") is None])
    return Finding(f"the receipt says another {wrong[0]}" if wrong else "", unknown)


def _expected(
    claims: Mapping[str, Any], row: Mapping[str, Any], text: str | None, line: Said
) -> dict[str, Any]:
    found = {
        "sub": row["request_id"],
        "aud": row["agent"],
        "action": row["action"],
        "status": row["status"],
        "version": row["version"],
        "jti": line.data["jti"] if "jti" in line.data else line.data["nonce"],
        "exp": row["receipt_expires_at"] // MICROSECONDS,
    }
    if text is not None:
        found["digest"] = digest(text)
    if claims.get("nonce") or "kind" not in claims:  # an id that commits to nothing names no payload
        found["digest_sent"] = row["digest_sent"]
    if row["reason"]:
        found["reason"] = row["reason"]
    if line.kind == "receipt":  # an adopted one was signed by the verdict of a row that was lost
        found["policy"] = json.loads(row["verdict"]).get("policy", "")
    return found


def _of_decider(claims: Mapping[str, Any], decisions: Sequence[Mapping[str, Any]]) -> list[str]:
    by = claims.get("decided_by")
    if by is None:
        return ["decided_by"] if decisions and claims.get("status") in BY_PEOPLE else []
    if not isinstance(by, dict) or not decisions:
        return ["decided_by"]
    last = decisions[-1]
    at = round(datetime.fromisoformat(str(by.get("at"))).timestamp() * MICROSECONDS)
    same = (by.get("id"), by.get("name"), at) == (last["approver"], last["name"], last["at"])
    if not same:
        return ["decided_by"]
    answer = json.loads(last["answer"]) if last["answer"] else None
    return [] if claims.get("answer") == answer else ["answer"]


def _json(part: str) -> dict[str, Any]:
    found = json.loads(decode_part(part))
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found
