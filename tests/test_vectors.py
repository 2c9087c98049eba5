"""The published test vectors: our library, and the verifier that auditors read, agree with each of them.

docs/vectors/README.md says what stands in them; nothing is generated here.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff import receipts, stops
from signoff.approvals.audit import START, heads
from signoff.approvals.audit.bundle import EXPORT
from signoff.cli import verifier
from signoff.errors import NotVerified, SignoffError, Stopped
from signoff.models import identity
from signoff.models.log import line_hash, salted
from signoff.models.receipt import Receipt
from signoff.payload.canonical import canonical, digest, parse
from signoff.signatures import RECEIPT, open_sealed, verify_keys

FOLDER = Path(__file__).parents[1] / "docs" / "vectors"
KINDS = ("receipts", "canonical", "ids", "heads", "bundles")


def cases(kind: str) -> list[Any]:
    found = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in found]


def ours(kind: str, case: dict[str, Any]) -> None:
    """Raises SignoffError where our library refuses."""
    keys = verify_keys(" ".join(case["keys"])) if "keys" in case else {}
    match kind:
        case "receipts":
            found = receipts.verify(case["token"], keys, case["agent"], issuer=case["issuer"])
            receipts.bind(found, action=case["action"], payload=parse(case["payload"]))
        case "canonical":
            text = canonical(parse(case["text"]))
            assert (text, digest(text)) == (case["canonical"], case["digest"])
        case "ids":
            named = [case[name] for name in ("kind", "agent", "action", "digest_sent", "nonce")]
            if str(identity.request_id(*named)) != case["id"]:
                raise NotVerified("Another id.")
        case "heads":
            head, _ = heads.opened(case["token"], keys, case["issuer"])
            assert (head.lines, head.hash) == (case["lines"], case["head"])
        case "bundles":
            bundle(case["files"], case["names"], keys, case["issuer"])


def theirs(kind: str, case: dict[str, Any]) -> None:
    """Raises Refused where the auditor's verifier does."""
    keys, issuer = verifier.read_keys(" ".join(case.get("keys", ()))), case.get("issuer", "")
    match kind:
        case "receipts":
            verifier.check_receipt(
                case["token"], keys, issuer, case["agent"], case["action"], case["payload"]
            )
        case "canonical":
            text = verifier.canonical(verifier.parse(case["text"]))
            assert (text, verifier.digest(text)) == (case["canonical"], case["digest"])
        case "ids":
            named = [case[name] for name in ("kind", "agent", "action", "digest_sent", "nonce")]
            verifier.need(verifier.request_id(*named) == case["id"], "another id")
        case "heads":
            assert verifier.check_head(case["token"], keys, issuer) == (case["lines"], case["head"])
        case "bundles":
            files = case["files"]
            verifier.check_bundle(
                lambda name: files[name].encode().splitlines(keepends=True), case["names"], keys, issuer
            )


def bundle(files: dict[str, str], names: list[str], keys: Any, issuer: str) -> None:
    """An export by the library's parts: what the verifier does in its own words."""

    def need(holds: object) -> None:
        if not holds:
            raise NotVerified("The export does not hold.")

    told = open_sealed(files["manifest.jwt"].strip(), keys, EXPORT, issuer=issuer)
    need(sorted(names) == sorted([*told["files"], "manifest.jwt"]))
    for name, stated in told["files"].items():
        need(hashlib.sha256(files[name].encode()).hexdigest() == stated)
    points = dict(
        (head.lines, head.hash)
        for head, _ in (heads.opened(one, keys, issuer) for one in files["checkpoints.txt"].splitlines())
    )
    need(points.get(told["lines"]) == told["head"])
    lines = [parse(text) for text in files["lines.jsonl"].splitlines()]
    need("".join(canonical(line) + "\n" for line in lines) == files["lines.jsonl"])
    numbers = [line["seq"] for line in lines]
    need(numbers == sorted(set(numbers)) and len(numbers) == told["count"])
    need(numbers[0] >= told["first"] and numbers[-1] == told["last"])
    if told["whole"]:
        need(numbers == list(range(told["first"], told["last"] + 1)))
    by_number = {0: START, **{line["seq"]: line["hash"] for line in lines}}
    for line in lines:
        need(line_hash({name: value for name, value in line.items() if name != "hash"}) == line["hash"])
        need(by_number.get(line["seq"] - 1, line["previous"]) == line["previous"])
        need(points.get(line["seq"], line["hash"]) == line["hash"])
    data = {(line["approval_id"], line["kind"]): json.loads(line["data"]) for line in lines}
    for text in files["receipts.jsonl"].splitlines():
        one = parse(text)
        need(receipts.token_digest(one["receipt"]) == data[one["approval"], "receipt"]["signed"])
    for text in files["payloads.jsonl"].splitlines():
        one = parse(text)
        line = data[one["approval"], "submit" if one["version"] == 1 else "edit"]
        need(salted(one["salt"], one["text"]) == line["payload"])


@pytest.mark.parametrize(("kind", "case"), [(kind, *one.values) for kind in KINDS for one in cases(kind)],
                         ids=[f"{kind}-{one.id}" for kind in KINDS for one in cases(kind)])  # fmt: skip
def test_library_and_verifier_agree_with_the_vector(kind: str, case: dict[str, Any]) -> None:
    if case["expects"] == "ok":
        ours(kind, case)
        theirs(kind, case)
        return
    with pytest.raises(SignoffError):
        ours(kind, case)
    with pytest.raises(verifier.Refused):
        theirs(kind, case)


@pytest.mark.parametrize("case", cases("stops"))
def test_a_statement_of_what_is_stopped_is_heeded_as_the_vector_says(case: dict[str, Any]) -> None:
    keys = verify_keys(" ".join(case["keys"]))
    receipt = Receipt.model_construct(
        agent=case["agent"], action=case["action"], undoes=case["undoes"],
        issued_at=datetime.fromtimestamp(case["issued_at"], UTC),
    )  # fmt: skip
    try:
        found = stops.verify(case["token"], keys, issuer=case["issuer"])
        stops.check_fresh(found, case["fresh"], case["highest"], case["now"])
        why = found.why(receipt)
    except (NotVerified, Stopped) as error:
        why = str(error)
    assert bool(why) == (case["expects"] == "refused"), why


def test_there_are_right_and_wrong_ones_of_each_kind_each_with_its_reason() -> None:
    for kind in KINDS:
        found = [one.values[0] for one in cases(kind)]
        assert {case["expects"] for case in found} == {"ok", "refused"} and all(case["why"] for case in found)
    assert RECEIPT == verifier.RECEIPT and heads.HEAD == verifier.HEAD and EXPORT == verifier.EXPORT


def test_the_keys_of_the_vectors_are_those_of_nobody() -> None:
    """What signed them is written in the generator for everybody, and says so."""
    assert b"TEST VECTORS, NEVER A REAL KEY" in (FOLDER / "generate.py").read_bytes()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_library_and_verifier_write_the_same_canonical_text_or_both_refuse(value: Any) -> None:
    try:
        text = canonical(value)
    except SignoffError:
        with pytest.raises(verifier.Refused):
            verifier.canonical(value)
    else:
        assert verifier.canonical(value) == text


@given(st.text() | st.text(st.sampled_from(b"eyJ0-_.=AZ".decode())))
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(verifier.Refused):
        verifier.open_token(text, {}, RECEIPT, "vectors")
