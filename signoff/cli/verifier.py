"""signoff-verify: checks what Signoff signed, offline. Python 3.11 or later and `cryptography`, nothing else.

  signoff-verify.py bundle PATH --key ed25519:… [--issuer NAME]        an export, a folder or a zip
  signoff-verify.py receipt TOKEN --key ed25519:… --agent NAME --action NAME --payload FILE [--issuer NAME]

The keys have to come from elsewhere than what is checked: from whoever runs the server, by another way.
Exit 0: it holds. 1: it does not, and why. What cannot be checked is refused.
"""

import argparse
import base64
import hashlib
import json
import sys
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

RECEIPT, HEAD, EXPORT = "signoff-receipt+jwt", "signoff-head+jwt", "signoff-export+jwt"
Keys = dict[str, Ed25519PublicKey]
Files = Callable[[str], Iterable[bytes]]


class Refused(Exception):
    """It does not hold."""


def refuse(why: str) -> NoReturn:
    raise Refused(why)


def need(holds: object, why: str) -> None:
    if not holds:
        refuse(why)


# JSON, and its one canonical text (RFC 8785).
def parse(text: str | bytes) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        need(len(dict(pairs)) == len(pairs), "a name stands twice in one object")
        return dict(pairs)

    try:
        return json.loads(
            text, object_pairs_hook=unique, parse_constant=lambda name: refuse(f"{name} in JSON")
        )
    except (ValueError, RecursionError) as error:
        refuse(f"not JSON: {type(error).__name__}")


def canonical(value: Any, levels: int = 32) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        need("\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value), "not valid text")
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return number(value)
    need(levels, "nested too deep")
    if isinstance(value, list):
        return f"[{','.join(canonical(item, levels - 1) for item in value)}]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return f"{{{','.join(f'{canonical(name)}:{canonical(value[name], levels - 1)}' for name in names)}}}"


def number(value: int | float) -> str:
    need(value == value and abs(value) < 2**53, "a number that not every party reads alike")
    if value == int(value):
        return str(int(value))
    digits, _, power = repr(value).partition("e")
    if not power or int(power) < -6:
        return f"{digits}e{int(power)}" if power else digits
    sign = "-" if value < 0 else ""
    return f"{sign}0.{'0' * (-int(power) - 1)}{digits.replace('.', '').lstrip('-')}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def request_id(kind: str, agent: str, action: str, digest_sent: str, nonce: str) -> str:
    """The id that commits to all of these: a UUIDv8 of the first 128 bits of a SHA-256."""
    text = digest(canonical(["signoff-id-1", kind, agent, action, digest_sent, nonce]))
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


# What is signed: a JWT with EdDSA, of one kind, spelled in one way.
def read_keys(text: str) -> Keys:
    parts = [part.removeprefix("ed25519:") for part in text.replace(",", " ").split()]
    raws = [base64.urlsafe_b64decode(part + "=") for part in parts]
    return {hashlib.sha256(raw).hexdigest()[:16]: Ed25519PublicKey.from_public_bytes(raw) for raw in raws}


def decode(part: str) -> bytes:
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    need(base64.urlsafe_b64encode(raw).rstrip(b"=") == part.encode(), "not the one spelling of a token")
    return raw


def open_token(token: str, keys: Keys, typ: str, issuer: str) -> dict[str, Any]:
    """A token's claims. Whether its time is over is for who asks."""
    parts = token.split(".")
    need(len(parts) == 3, "not a token")
    try:
        head, claims, signature = parse(decode(parts[0])), parse(decode(parts[1])), decode(parts[2])
        need(head.keys() == {"alg", "kid", "typ"} and head["alg"] == "EdDSA", "not signed with EdDSA")
        need(head["typ"] == typ, f"not a {typ}")
        need(head["kid"] in keys, "signed with a key that was not given")
        keys[head["kid"]].verify(signature, f"{parts[0]}.{parts[1]}".encode())
        need(claims["iss"] == issuer, "of another deployment")
    except (ValueError, TypeError, AttributeError, KeyError, InvalidSignature) as error:
        refuse(f"it was changed: {type(error).__name__}")
    return dict(claims)


def check_receipt(
    token: str, keys: Keys, issuer: str, agent: str, action: str, payload: str, now: float | None = None
) -> dict[str, Any]:
    """A receipt that lets just this payload of just this action run now; its claims."""
    found = open_token(token, keys, RECEIPT, issuer)
    over = type(found.get("exp")) is not int or found["exp"] <= (time.time() if now is None else now)
    need(not over, "no longer valid")
    need(found.get("aud") == agent, "for another agent")
    named = [str(found.get(name)) for name in ("kind", "aud", "action", "digest_sent", "nonce")]
    need(found.get("sub") == request_id(*named), "its id is the one of another request")
    need(found.get("status") == "approved", f"it is {found.get('status')}")
    need(found.get("kind") == "approval" and found.get("answer") is None, "it answers a question")
    need(isinstance(found.get("undoes", ""), str), "what it undoes is no text")
    need(found.get("action") == action, f"it approves {found.get('action')!r}")
    need(found.get("digest") == digest(canonical(parse(payload))), "it is for another payload")
    return found


def check_head(token: str, keys: Keys, issuer: str) -> tuple[int, str]:
    """How many lines the log had, and the hash of the last."""
    found = open_token(token, keys, HEAD, issuer)
    need(type(found.get("lines")) is int and isinstance(found.get("head"), str), "not a head")
    return found["lines"], found["head"]


# An export: lines of the log, and what belongs to them.
def check_bundle(files: Files, names: list[str], keys: Keys, issuer: str) -> str:
    """One sentence on what holds. `names` are all that is there: nothing unsigned goes along."""
    need(len(set(names)) == len(names), "a name stands twice")
    claims = open_token(b"".join(files("manifest.jwt")).decode().strip(), keys, EXPORT, issuer)
    strange = sorted(set(names) ^ {*claims["files"], "manifest.jwt"})
    need(not strange, f"the manifest and what is there differ in {strange[:3]}")
    for name, stated in claims["files"].items():
        found = hashlib.sha256()
        for part in files(name):
            found.update(part)
        need(found.hexdigest() == stated, f"{name} was changed")
    heads = dict(check_head(text.decode().strip(), keys, issuer) for text in files("checkpoints.txt"))
    need(heads.get(claims["lines"]) == claims["head"], "no checkpoint has the head of the manifest")
    count, seq, previous = 0, claims["first"] - 1, heads.get(claims["first"] - 1)
    said: dict[tuple[str, str], dict[str, Any]] = {}
    for text in files("lines.jsonl"):
        line = parse(text)
        hash = line.pop("hash", None)
        whole = canonical({**line, "hash": hash}).encode() + b"\n" == text and digest(canonical(line)) == hash
        need(whole, f"line {line.get('seq')} was changed")
        next = line["seq"] == seq + 1
        need(next or (not claims["whole"] and line["seq"] > seq), f"line {seq + 1} is missing, or elsewhere")
        need(not next or line["previous"] == previous, f"line {line['seq']} does not follow from its last")
        need(heads.get(line["seq"], hash) == hash, f"line {line['seq']} is not the checkpoint's")
        seq, previous, count, data = line["seq"], hash, count + 1, parse(line["data"])
        kind = {"adopted": "receipt", "submit": "1", "edit": str(data.get("version"))}.get(line["kind"])
        said[line["approval_id"], kind or line["kind"]] = {**data, "agent": line["actor"]}
    need((count, seq) == (claims["count"], claims["last"]), "lines are missing at the end")
    receipts = 0
    for text in files("receipts.jsonl"):
        one = parse(text)
        ended, asked = (said.get((one["approval"], kind), {}) for kind in ("receipt", "1"))
        found_claims = open_token(one["receipt"], keys, RECEIPT, issuer)
        need(digest(one["receipt"]) == ended.get("signed"), "the log tells of another receipt")
        same = {"aud": asked.get("agent"), "sub": asked.get("request"), "action": asked.get("action")}
        same = {name: value for name, value in same.items() if value is not None}
        same |= {"status": ended["status"], "version": ended["version"]}
        wrong = [name for name, value in same.items() if found_claims.get(name) != value]
        need(not wrong, f"the receipt of {one['approval']} and the log differ in {wrong}")
        receipts += 1
    for text in files("payloads.jsonl") if "payloads.jsonl" in claims["files"] else ():
        one = parse(text)
        told = said.get((one["approval"], str(one["version"])), {}).get("payload")
        need(digest(f"{one['salt']}\n{one['text']}") == told, f"a payload of {one['approval']} was changed")
    scope = "each follows from its last" if claims["whole"] else "a selection, as the server made it"
    return (
        f"{count} lines hold ({scope}), {receipts} receipts; log of {claims['lines']}, head {claims['head']}"
    )


def opened(path: Path) -> tuple[Files, list[str]]:
    """A folder's or a zip's files, by lines; and the names of all that is in it."""
    if path.is_dir():
        return lambda name: (path / Path(name).name).open("rb"), [one.name for one in path.iterdir()]
    archive = zipfile.ZipFile(path)
    return archive.open, archive.namelist()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("bundle", "receipt"))
    parser.add_argument("given", metavar="PATH|TOKEN")
    for name, needed in {"key": True, "agent": False, "action": False, "payload": False}.items():
        parser.add_argument(f"--{name}", required=needed)
    parser.add_argument("--issuer", default="signoff")
    asked = parser.parse_args()
    try:
        keys = read_keys(asked.key)
        if asked.what == "bundle":
            print(check_bundle(*opened(Path(asked.given)), keys, asked.issuer))
        else:
            payload = Path(asked.payload or "").read_text(encoding="utf-8")
            check_receipt(asked.given, keys, asked.issuer, asked.agent, asked.action, payload)
            print("approved")
    except (
        Refused,
        OSError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        zipfile.BadZipFile,
    ) as error:
        print(f"signoff-verify: it does not hold: {error or type(error).__name__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
