"""Makes the test vectors anew, with keys that are for nothing else: `python docs/vectors/generate.py`.

docs/vectors/README.md says what stands in them. Nothing here is drawn by chance, so that what changes in a
file is what was changed here.
"""

# ruff: noqa: E501  (one case a line)
from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signoff.approvals.audit import START, line_hash
from signoff.approvals.audit.bundle import EXPORT
from signoff.models.identity import request_id
from signoff.models.log import salted
from signoff.payload.canonical import canonical, digest
from signoff.signatures import HEAD, NOTICE, RECEIPT, STOPS, Signer

FOLDER = Path(__file__).parent
ISSUER, AGENT, ACTION, NONCE = "vectors", "billing-bot", "refund.create", "00112233445566778899aabbccddeeff"
SENT, FINAL = '{"amount":120,"customer":"cus_42"}', '{"amount":80,"customer":"cus_42"}'
NEVER, PAST = 4_102_444_800, 1_577_836_800
"""2100 and 2020, in seconds since 1970."""


def key(number: int) -> Signer:
    """A test key: its private half is written here for everybody."""
    return Signer(
        Ed25519PrivateKey.from_private_bytes(f"TEST VECTORS, NEVER A REAL KEY {number}".encode()[:32])
    )


ONE, TWO = key(1), key(2)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def raw_token(header: str | dict[str, Any], claims: str | dict[str, Any], signer: Signer = ONE) -> str:
    """A token of just these texts, signed."""
    parts = [
        one if isinstance(one, str) else json.dumps(one, separators=(",", ":")) for one in (header, claims)
    ]
    signed = ".".join(b64(part.encode()) for part in parts)
    return f"{signed}.{b64(signer._key.sign(signed.encode()))}"


def header(**changed: Any) -> dict[str, Any]:
    found = {"alg": "EdDSA", "kid": ONE.kid, "typ": RECEIPT} | changed
    return {name: value for name, value in found.items() if value is not None}


def claims(**changed: Any) -> dict[str, Any]:
    """A receipt's: approved, and corrected by a person."""
    found = {
        "iss": ISSUER, "aud": AGENT, "sub": str(request_id("approval", AGENT, ACTION, digest(SENT), NONCE)),
        "jti": "f" * 32, "nonce": NONCE, "iat": PAST, "exp": NEVER, "kind": "approval", "action": ACTION,
        "status": "approved", "version": 2, "digest_sent": digest(SENT), "digest": digest(FINAL),
        "policy": "0" * 16,
        "decided_by": {"id": "U0ANA", "name": "ana", "at": "2026-11-28T05:00:00Z"},
    } | changed  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def receipts() -> list[dict[str, Any]]:
    right = raw_token(header(), claims())
    head, body, signature = right.split(".")
    cases: list[dict[str, Any]] = []

    def case(name: str, token: str, why: str, expects: str = "refused", **changed: Any) -> None:
        asked = {"issuer": ISSUER, "agent": AGENT, "action": ACTION, "payload": FINAL} | changed
        cases.append(
            {"name": name, "token": token, "keys": [ONE.verify_key], **asked, "expects": expects, "why": why}
        )

    case("right", right, "all of it holds", "ok")
    case("right-spaces", right, "a payload is compared by its canonical text", "ok",
         payload='{ "customer": "cus_42", "amount": 80.0 }')  # fmt: skip
    case("right-second-key", raw_token(header(kid=TWO.kid), claims(), TWO), "any key that is known will do", "ok",
         keys=[ONE.verify_key, TWO.verify_key])  # fmt: skip
    case("other-agent", right, "it is for another agent", agent="other-bot")
    case("other-action", right, "it approves another action", action="db.drop")
    case("other-payload", right, "what was sent is not what was approved", payload=SENT)
    case(
        "payload-twice",
        right,
        "a name stands twice in the payload",
        payload='{"amount":80,"amount":80,"customer":"cus_42"}',
    )
    case("other-issuer", right, "it is of another deployment", issuer="signoff")
    case("unknown-key", right, "nobody knows the key", keys=[TWO.verify_key])
    case("other-keys-signature", raw_token(header(), claims(), TWO), "the signature is another key's")
    for typ in ("JWT", HEAD, NOTICE, EXPORT, "SIGNOFF-RECEIPT+JWT", "application/signoff-receipt+jwt", None):
        case(f"typ-{typ}", raw_token(header(typ=typ), claims()), "the kind is compared exactly")
    none = f"{b64(json.dumps(header(alg='none')).encode())}.{body}."
    case("alg-none", none, "unsigned")
    for alg in ("none", "HS256", "ES256", "Ed25519", "eddsa", None):
        case(f"alg-{alg}-signed", raw_token(header(alg=alg), claims()), "only EdDSA, by that name")
    hs = f"{b64(json.dumps(header(alg='HS256')).encode())}.{body}"
    secret = base64.urlsafe_b64decode(ONE.verify_key.removeprefix("ed25519:") + "=")
    mac = hmac.new(secret, hs.encode(), hashlib.sha256).digest()
    case("alg-HS256-by-the-public-key", f"{hs}.{b64(mac)}", "the public key is no secret")
    case("kid-missing", raw_token(header(kid=None), claims()), "the key is named")
    case("header-more", raw_token(header(crit=["b64"]), claims()), "a header has three members")
    case("header-jwk", raw_token(header(jwk={"kty": "OKP"}), claims()), "a key in the header is nobody's")
    spelled = json.dumps(header(), separators=(",", ":"))
    case("header-twice", raw_token(spelled[:-1] + f',"typ":"{RECEIPT}"}}', claims()), "a name stands twice")
    whole = json.dumps(claims(), separators=(",", ":"))
    case("claims-twice", raw_token(header(), whole[:-1] + ',"status":"approved"}'), "a name stands twice")
    case("claims-list", raw_token(header(), "[]"), "claims are an object")
    case("padded", right + "==", "there is one spelling, without padding")
    case("padded-inside", f"{head}=.{body}.{signature}", "there is one spelling, without padding")
    last = signature[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    more = alphabet[alphabet.index(last) + 1]
    case(
        "extra-bits",
        f"{head}.{body}.{signature[:-1]}{more}",
        "bits that count for nothing are another spelling",
    )
    case("line-break", f"{right}\n", "a token has no white space")
    case("white-space-inside", f"{head}.{body}. {signature}", "a token has no white space")
    case("base64-standard", right.replace("-", "+").replace("_", "/"), "base64url only")
    case("two-parts", f"{head}.{body}", "three parts")
    case("four-parts", f"{right}.", "three parts")
    case("empty", "", "nothing")
    changed = b64(json.dumps(claims(action="db.drop"), separators=(",", ":")).encode())
    case("claims-changed", f"{head}.{changed}.{signature}", "it was changed", action="db.drop")
    case("expired", raw_token(header(), claims(exp=PAST + 1)), "its time is over")
    case("exp-missing", raw_token(header(), claims(exp=None)), "what does not end is refused")
    case("nonce-other", raw_token(header(), claims(nonce="f" * 32)), "the id does not commit to it")
    asked = str(request_id("question", AGENT, ACTION, digest(SENT), NONCE))
    question = {"kind": "question", "sub": asked}
    first = {"id": "U0ANA", "name": "ana", "at": "2026-11-28T04:58:00Z", "seat": "finance"}
    second = {"id": "U0BEN", "name": "ben", "at": "2026-11-28T05:00:00Z", "seat": "security", "self": True}
    case("voters", raw_token(header(), claims(voters=[first, second])), "several people approved it", "ok")
    case(
        "question-approved", raw_token(header(), claims(**question)), "a question is answered, never approved"
    )
    for name, more in (("question-answered", question), ("approval-answered", {})):
        found = claims(**more, status="answered", answer={"choice": ["a"]})
        case(name, raw_token(header(), found), "an answer lets nothing run")
    case("answer-beside", raw_token(header(), claims(answer={"choice": ["a"]})), "an approval has no answer")
    case("answer-text", raw_token(header(), claims(answer="a")), "an answer is an object")
    case(
        "undoes",
        raw_token(header(), claims(undoes="88c74afb-6aef-8520-88b2-5e58b4792161")),
        "it names what it undoes",
        "ok",
    )
    case("undoes-list", raw_token(header(), claims(undoes=[])), "what it undoes is a text")
    case("nonce-missing", raw_token(header(), claims(nonce=None)), "the id does not commit to it")
    case(
        "sub-other",
        raw_token(header(), claims(sub="00000000-0000-8000-8000-000000000000")),
        "another request's id",
    )
    case("kind-other", raw_token(header(), claims(kind="question")), "the id does not commit to it")
    case(
        "action-other",
        raw_token(header(), claims(action="db.drop")),
        "the id does not commit to it",
        action="db.drop",
    )
    case(
        "digest-sent-other",
        raw_token(header(), claims(digest_sent=digest(FINAL))),
        "the id does not commit to it",
    )
    case("digest-missing", raw_token(header(), claims(digest=None)), "it is for no payload")
    for status in ("rejected", "expired", "cancelled", "blocked", "duplicate"):
        case(f"status-{status}", raw_token(header(), claims(status=status)), "only what is approved runs")
    for missing in ("iss", "aud", "sub", "kind", "action", "status", "digest_sent"):
        case(f"{missing}-missing", raw_token(header(), claims(**{missing: None})), "it has to say so")
    return cases


def canonicals() -> list[dict[str, Any]]:
    right = (
        "{}", "[]", '""', "null", "true", "0", "-0", "-0.0", "1.0", "1e2", "0.1", "1.5e-7", "1e-6", "1e-5", "123e-7",
        "-2.5e-6", "4.35", "0.000001234", "5e-324", "9007199254740991", "-9007199254740991", "333333333.33333329",
        '{"b":1,"a":2}', '{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}',
        '{ "a" : [ 1 , { "z" : null , "y" : "x" } ] }', '"\\u000f\\u000a\\u0008\\u0009\\u000c\\u000d\\u0022\\u005c\\/"',
        '"\\u2028\\u007f\\u200b"', '"é"', '"e\\u0301"', '"\\ud83d\\ude00"', "[" * 32 + "]" * 32,
    )  # fmt: skip
    wrong = {
        '{"a":1,"a":1}': "a name stands twice", '{"a":{"b":1,"b":2}}': "a name stands twice", "NaN": "no JSON",
        "Infinity": "no JSON", "-Infinity": "no JSON", "9007199254740992": "2^53 and more", "1e16": "2^53 and more",
        "1e400": "infinite", '"\\ud800"': "half a surrogate pair", '"\\u0000"': "NUL", '{"\\u0000":1}': "NUL",
        "": "nothing", "{": "no JSON", "[1,]": "no JSON", "{'a':1}": "no JSON", "01": "no JSON", "[" * 33 + "]" * 33: "too deep",
        "1" * 5000: "2^53 and more",
    }  # fmt: skip
    cases = [
        {"name": text[:40], "text": text, "expects": "ok", "canonical": canonical(json.loads(text)),
         "digest": digest(canonical(json.loads(text))), "why": "RFC 8785"}
        for text in right
    ]  # fmt: skip
    return cases + [
        {"name": text[:40], "text": text, "expects": "refused", "why": why} for text, why in wrong.items()
    ]


def ids() -> list[dict[str, Any]]:
    cases = []
    for kind, agent, action, nonce in (
        ("approval", AGENT, ACTION, NONCE), ("question", AGENT, ACTION, NONCE), ("approval", "a", ACTION, NONCE),
        ("approval", AGENT, "db.drop", NONCE), ("approval", AGENT, ACTION, "f" * 32),
    ):  # fmt: skip
        named = {"kind": kind, "agent": agent, "action": action, "digest_sent": digest(SENT), "nonce": nonce}
        made = str(request_id(kind, agent, action, digest(SENT), nonce))
        cases.append(
            {
                "name": f"{kind} {agent} {action} {nonce[:4]}",
                **named,
                "id": made,
                "expects": "ok",
                "why": "UUIDv8",
            }
        )
    wrong = {
        **cases[0],
        "name": "another id",
        "id": cases[1]["id"],
        "expects": "refused",
        "why": "of another kind",
    }
    return [*cases, wrong]


def heads() -> list[dict[str, Any]]:
    told = {"iss": ISSUER, "iat": PAST, "lines": 12, "head": "ab" * 32}
    right = raw_token(header(typ=HEAD), told)
    made = [
        ("right", right, "ok", "all of it holds"),
        ("typ-receipt", raw_token(header(), told), "refused", "a receipt is no head"),
        ("padded", right + "=", "refused", "there is one spelling"),
        (
            "unknown-key",
            raw_token(header(typ=HEAD, kid=TWO.kid), told, TWO),
            "refused",
            "nobody knows the key",
        ),
        (
            "other-issuer",
            raw_token(header(typ=HEAD), told | {"iss": "signoff"}),
            "refused",
            "another deployment",
        ),
        ("lines-text", raw_token(header(typ=HEAD), told | {"lines": "12"}), "refused", "a number"),
        (
            "lines-missing",
            raw_token(header(typ=HEAD), {"iss": ISSUER, "iat": PAST}),
            "refused",
            "it says nothing",
        ),
    ]
    return [
        {"name": name, "token": token, "keys": [ONE.verify_key], "issuer": ISSUER, "lines": 12, "head": "ab" * 32,
         "expects": expects, "why": why}
        for name, token, expects, why in made
    ]  # fmt: skip


def files() -> dict[str, str]:
    """A bundle: a request that was corrected and approved, and one that waits."""
    token, salt, found, previous = (
        raw_token(header(), claims(exp=PAST + 1)),
        "5a" * 16,
        list[dict[str, Any]](),
        START,
    )
    sub, nothing = claims()["sub"], digest("nothing")
    for kind, actor, data in (
        ("submit", AGENT, {"request": sub, "action": ACTION, "version": 1, "payload": salted(salt, SENT)}),
        ("verdict", "policy", {"effect": "ask"}),
        ("edit", "U0ANA", {"version": 2, "payload": salted(salt, FINAL)}),
        ("decision", "U0ANA", {"vote": "approve", "version": 2}),
        ("receipt", "signoff", {"status": "approved", "version": 2, "signed": digest(token)}),
        ("submit", AGENT, {"request": "other", "action": ACTION, "version": 1, "payload": nothing}),
    ):
        line = {
            "seq": len(found) + 1, "approval_id": sub if len(found) < 5 else "other", "kind": kind,
            "at": PAST * 1_000_000, "actor": actor, "data": canonical(data), "previous": previous,
        }  # fmt: skip
        previous = line["hash"] = line_hash(line)
        found.append(line)
    payloads = [{"approval": sub, "version": version, "text": text, "salt": salt, "claims": None}
                for version, text in ((1, SENT), (2, FINAL))]  # fmt: skip
    return {
        "lines.jsonl": "".join(canonical(line) + "\n" for line in found),
        "receipts.jsonl": canonical({"approval": sub, "receipt": token}) + "\n",
        "payloads.jsonl": "".join(canonical(one) + "\n" for one in payloads),
        "checkpoints.txt": "".join(checkpoint(seq, hash) + "\n" for seq, hash in ((0, START), (6, previous))),
    }


def checkpoint(lines: int, hash: str) -> str:
    return raw_token(header(typ=HEAD), {"iss": ISSUER, "iat": PAST, "lines": lines, "head": hash})


def manifest(content: dict[str, str], **changed: Any) -> str:
    last = json.loads(files()["lines.jsonl"].splitlines()[-1])
    told = {
        "iss": ISSUER, "iat": PAST, "lines": 6, "head": last["hash"], "first": 1, "last": 6, "count": 6, "whole": True,
        "selection": {}, "files": {name: digest(text) for name, text in content.items()},
    } | changed  # fmt: skip
    return raw_token(header(typ=EXPORT), told) + "\n"


def bundles() -> list[dict[str, Any]]:
    content, cases = files(), list[dict[str, Any]]()
    lines = content["lines.jsonl"].splitlines(keepends=True)

    def case(
        name: str, why: str, made: dict[str, str], expects: str = "refused", names: tuple[str, ...] = ()
    ) -> None:
        """`names` are listed besides: of these files once more."""
        cases.append(
            {
                "name": name,
                "files": made,
                "names": [*made, *names],
                "keys": [ONE.verify_key],
                "issuer": ISSUER,
                "expects": expects,
                "why": why,
            }
        )

    def signed(
        name: str, why: str, expects: str = "refused", told: dict[str, Any] | None = None, **changed: str
    ) -> None:
        """With a manifest that fits: what only holds by its digests is not enough."""
        made = content | {one.replace("_", "."): text for one, text in changed.items()}
        case(name, why, made | {"manifest.jwt": manifest(made, **(told or {}))}, expects)

    right = content | {"manifest.jwt": manifest(content)}
    case("right", "all of it holds", right, "ok")
    case(
        "line-changed",
        "the manifest has another digest",
        right | {"lines.jsonl": content["lines.jsonl"].replace("ANA", "BEN")},
    )
    case(
        "no-manifest-of-its-own",
        "the manifest's kind",
        right | {"manifest.jwt": checkpoint(6, "ab" * 32) + "\n"},
    )
    signed(
        "line-changed-signed", "its hash is another", lines_jsonl=content["lines.jsonl"].replace("ANA", "BEN")
    )
    signed("line-removed-signed", "one is missing", lines_jsonl="".join(lines[:2] + lines[3:]))
    signed("lines-reordered-signed", "out of order", lines_jsonl="".join([lines[1], lines[0], *lines[2:]]))
    signed("lines-cut-signed", "the end is missing", lines_jsonl="".join(lines[:-1]))
    signed("line-twice-signed", "one stands twice", lines_jsonl="".join([*lines, lines[-1]]))
    signed("lines-cut-and-told", "no checkpoint has that end", lines_jsonl="".join(lines[:-1]),
           told={"last": 5, "count": 5, "lines": 5, "head": json.loads(lines[4])["hash"]})  # fmt: skip
    signed(
        "line-respelled-signed",
        "there is one spelling",
        lines_jsonl=content["lines.jsonl"].replace('":', '": ', 1),
    )
    signed("receipt-other-signed", "the log tells of another", receipts_jsonl=canonical(
        {"approval": claims()["sub"], "receipt": raw_token(header(), claims(status="rejected"))}) + "\n")  # fmt: skip
    signed(
        "payload-other-signed",
        "its digest is another",
        payloads_jsonl=content["payloads.jsonl"].replace("cus_42", "cus_43"),
    )
    signed("checkpoint-unknown-key", "nobody knows the key", checkpoints_txt=raw_token(header(typ=HEAD, kid=TWO.kid), {
        "iss": ISSUER, "iat": PAST, "lines": 6, "head": json.loads(lines[5])["hash"]}, TWO) + "\n")  # fmt: skip
    for name in (
        "evidence.pdf",
        "payloads.jsonl.bak",
        ".hidden",
        "Lines.jsonl",
        "folder/",
        "folder/lines.jsonl",
        "../keys.txt",
    ):
        case(f"more-{name}", "nobody signed for it", right | {name: "{}\n"})
    for name in ("lines.jsonl", "manifest.jwt"):
        case(f"twice-{name}", "readers differ in which of two they take", right, names=(name,))
    few = {name: text for name, text in content.items() if name != "payloads.jsonl"}
    case("payloads-not-named", "nobody signed for it", content | {"manifest.jwt": manifest(few)})
    case("file-gone", "the manifest names it", few | {"manifest.jwt": right["manifest.jwt"], "payloads": ""})
    some = "".join(lines[index] for index in (0, 3, 4))
    last = {"first": 1, "last": 5, "count": 3}
    signed("selection", "lines in between may be left out where the server says so", "ok", lines_jsonl=some,
           told=last | {"whole": False, "selection": {"agent": AGENT}}, payloads_jsonl="")  # fmt: skip
    signed(
        "selection-called-whole",
        "lines in between are missing",
        lines_jsonl=some,
        told=last,
        payloads_jsonl="",
    )
    return cases


def stops() -> list[dict[str, Any]]:
    """Statements of what is stopped, each held against a receipt at a moment."""
    now = 1_800_000_000
    told = {"iss": ISSUER, "sub": "stops", "iat": now - 10, "number": 7, "stops": []}
    cases: list[dict[str, Any]] = []

    def token(typ: str = STOPS, signer: Signer = ONE, **changed: Any) -> str:
        said = {name: value for name, value in (told | changed).items() if value is not None}
        return raw_token(header(typ=typ, kid=signer.kid), said, signer)

    def one(kind: str, name: str = "", **more: Any) -> dict[str, Any]:
        return {"kind": kind, "name": name, "said": "stopped by @ana", "at": now - 60, **more}

    def case(name: str, given: str, why: str, expects: str = "refused", **changed: Any) -> None:
        asked = {"issuer": ISSUER, "now": now, "fresh": 30, "highest": 7, "agent": AGENT, "action": ACTION,
                 "issued_at": now - 100, "undoes": None} | changed  # fmt: skip
        cases.append(
            {"name": name, "token": given, "keys": [ONE.verify_key], **asked, "expects": expects, "why": why}
        )

    def stopped(name: str, found: dict[str, Any], why: str, expects: str = "refused", **changed: Any) -> None:
        case(name, token(stops=[found]), why, expects, **changed)

    case("nothing-stopped", token(), "nothing is stopped", "ok")
    case("as-old-as-allowed", token(iat=now - 30), "30 s are allowed", "ok")
    case("too-old", token(iat=now - 31), "it is too old")
    case("of-the-future", token(iat=now + 31), "clocks differ by more than is allowed")
    case("ahead-a-little", token(iat=now + 5), "clocks may differ a little", "ok")
    case("fresh-5", token(), "5 s are allowed here", fresh=5)
    case("older-number", token(number=6), "a newer one was seen")
    case("newer-number", token(number=8), "a newer one replaces an older", "ok")
    case("typ-receipt", token(typ=RECEIPT), "no other kind passes for a statement")
    case("unknown-key", token(signer=TWO), "nobody knows the key")
    case("other-issuer", token(iss="signoff"), "another deployment's says nothing here")
    case("with-aud", token(aud=AGENT), "a statement is for everybody")
    case("sub-other", token(sub="x"), "it is of something else")
    case("number-missing", token(number=None), "without a number nobody knows which is newer")
    case("number-text", token(number="7"), "a number")
    case("number-true", token(number=True), "true is no number")
    case("stops-missing", token(stops=None), "it says nothing")
    case("stops-object", token(stops={}), "a list")
    case("iat-missing", token(iat=None), "nobody knows how old it is")
    case("kind-unknown", token(stops=[one("tag", "x")]), "what is not understood may be in the way")
    case(
        "name-missing",
        token(stops=[{"kind": "agent", "said": "x", "at": 1}]),
        "what is not understood may be in the way",
    )
    case("until-text", token(stops=[one("all", until="x")]), "a time")
    stopped("agent", one("agent", AGENT), "its agent is stopped")
    stopped("agent-other", one("agent", "other-bot"), "another one is", "ok")
    stopped("agent-is-no-pattern", one("agent", "billing-*"), "an agent is named, not matched", "ok")
    stopped("action", one("action", ACTION), "its action is stopped")
    stopped("action-pattern", one("action", "refund.*"), "its action fits")
    stopped("action-question", one("action", "refund.creat?"), "its action fits")
    stopped("action-pattern-middle", one("action", "*f*d.c*e"), "its action fits")
    stopped("action-other", one("action", "mail.*"), "its action does not fit", "ok")
    stopped("action-case", one("action", "Refund.*"), "case counts", "ok")
    stopped("all", one("all"), "everything is stopped")
    stopped(
        "undo-passes",
        one("all", undos=True),
        "undos may run",
        "ok",
        undoes="88c74afb-6aef-8520-88b2-5e58b4792161",
    )
    stopped(
        "undo-does-not", one("all"), "undos are stopped, too", undoes="88c74afb-6aef-8520-88b2-5e58b4792161"
    )
    stopped("undos-alone", one("all", undos=True), "only undos may run")
    stopped("void-for-ever", one("agent", AGENT, until=now - 50), "it was approved before it was resumed")
    stopped("void-to-the-second", one("agent", AGENT, until=now - 100), "in doubt it was before")
    stopped("approved-after", one("agent", AGENT, until=now - 101), "it was approved after", "ok")
    return cases


def main() -> None:
    made = {
        "receipts": receipts(),
        "canonical": canonicals(),
        "ids": ids(),
        "heads": heads(),
        "bundles": bundles(),
        "stops": stops(),
    }
    for name, cases in made.items():
        names = [case["name"] for case in cases]
        assert len(set(names)) == len(names), name
        text = json.dumps(cases, indent=1, ensure_ascii=True) + "\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
        print(f"{name}: {len(cases)}")


if __name__ == "__main__":
    main()
