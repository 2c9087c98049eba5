"""Receipts: what verifies, and all that does not."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff import receipts
from signoff.errors import ConfigError, NotVerified
from signoff.models.identity import new_nonce, request_id
from signoff.models.messages import Response
from signoff.models.receipt import ApprovedReceipt, Decider, Receipt
from signoff.payload.canonical import canonical, digest
from signoff.receipts import Signer, accept, sign, verify, verify_keys

SIGNER = Signer.generate()
KEYS = verify_keys(SIGNER.verify_key)
NONCE = new_nonce()
TEXT = canonical({"amount": 120, "customer": "cus_42"})


def a_receipt(**changes: Any) -> Receipt:
    now = datetime.now(UTC).replace(microsecond=0)
    values: dict[str, Any] = {
        "agent": "billing-bot",
        "action": "refund.create",
        "status": "approved",
        "version": 1,
        "digest_sent": digest(TEXT),
        "digest": digest(TEXT),
        "decided_by": Decider(id="U0ANA", name="ana", at=now),
        "reason": "as agreed",
        "policy": "p1",
        "jti": receipts.new_jti(),
        "nonce": NONCE,
        "issued_at": now,
        "not_after": now + timedelta(hours=1),
    }
    values |= changes
    named = [values[name] for name in ("action", "digest_sent", "nonce")]
    made = request_id("approval", values["agent"], named[0], named[1] or "", named[2])
    return Receipt.model_validate({"id": str(made), **values})


def an_answer(receipt: Receipt | None = None, payload: str | None = TEXT) -> Response:
    receipt = receipt or a_receipt()
    return Response(status=receipt.status, receipt=sign(SIGNER, receipt), payload=payload)


def without(claims: dict[str, Any], name: str) -> dict[str, Any]:
    return {other: value for other, value in claims.items() if other != name}


def taken(answer: Response, **changes: Any) -> Receipt:
    told = jwt.decode(answer.receipt or "", options={"verify_signature": False})
    expected = {"agent": "billing-bot", "request_id": told["sub"], "digest_sent": digest(TEXT)}
    return accept(answer, KEYS, **{**expected, **changes})  # type: ignore[arg-type]


def test_a_receipt_comes_back_as_it_was_signed_with_its_payload() -> None:
    signed = a_receipt(resubmit=False)
    found = taken(an_answer(signed))
    assert found.payload == {"amount": 120, "customer": "cus_42"}
    assert isinstance(found, ApprovedReceipt)
    assert {**dict(found), "payload": None, "token": ""} == dict(signed)


@pytest.mark.parametrize("status", ["rejected", "expired", "cancelled", "blocked", "invalid"])
def test_only_approved_carries_a_payload(status: str) -> None:
    found = taken(an_answer(a_receipt(status=status)))
    assert found.payload is None and not found.approved


def test_a_receipt_for_something_else_is_refused() -> None:
    answer = an_answer()
    with pytest.raises(NotVerified, match="another request"):
        taken(answer, request_id="other")
    with pytest.raises(NotVerified, match="another payload"):
        taken(answer, digest_sent=digest("{}"))
    with pytest.raises(NotVerified, match="not for agent"):
        taken(answer, agent="other-bot")
    with pytest.raises(NotVerified, match="another payload"):
        taken(an_answer(a_receipt(status="rejected", digest_sent=digest("{}"))))


@pytest.mark.parametrize("status", ["invalid", "duplicate", "limited", "expired"])
def test_a_refusal_without_a_digest_is_taken_because_nothing_runs(status: str) -> None:
    assert taken(an_answer(a_receipt(status=status, digest_sent=None, digest=None))).status == status


@pytest.mark.parametrize("status", ["approved", "rejected", "cancelled", "blocked"])
def test_any_other_without_a_digest_is_refused(status: str) -> None:
    with pytest.raises(NotVerified, match="does not say what was asked"):
        taken(an_answer(a_receipt(status=status, digest_sent=None)))


def test_a_receipt_that_is_over_is_refused() -> None:
    with pytest.raises(NotVerified, match="no longer valid"):
        taken(an_answer(a_receipt(not_after=datetime.now(UTC) - timedelta(seconds=1))))


def test_a_receipt_issued_ahead_of_this_machines_clock_is_taken() -> None:
    assert taken(an_answer(a_receipt(issued_at=datetime.now(UTC) + timedelta(minutes=5)))).approved


def test_the_payload_beside_it_has_to_be_the_approved_bytes() -> None:
    for payload in (
        None,
        "",
        "{}",
        TEXT + " ",
        TEXT.replace("120", "121"),
        '{"amount":120.0,"customer":"cus_42"}',
    ):
        with pytest.raises(NotVerified):
            taken(an_answer(payload=payload))


def test_a_digest_of_text_that_is_not_canonical_does_not_help() -> None:
    loose = '{"customer":"cus_42","amount":120}'
    with pytest.raises(NotVerified, match="canonical"):
        taken(an_answer(a_receipt(digest=digest(loose)), payload=loose))


@given(st.data())
def test_no_changed_character_survives(data: st.DataObject) -> None:
    token = sign(SIGNER, a_receipt())
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCXYZabcxyz0189-_.").filter(lambda c: c != token[at]))
    changed = token[:at] + other + token[at + 1 :]
    if (
        other != "."  # another part, not other bits
        and base64.urlsafe_b64decode(changed.split(".")[-1] + "==")
        == base64.urlsafe_b64decode(token.split(".")[-1] + "==")
        and changed.rpartition(".")[0] == token.rpartition(".")[0]
    ):
        return  # the last character of base64 has bits that mean nothing
    with pytest.raises(NotVerified):
        verify(changed, KEYS, "billing-bot")


def test_other_algorithms_keys_and_kinds_of_token_are_refused() -> None:
    claims = jwt.decode(sign(SIGNER, a_receipt()), options={"verify_signature": False})
    public = next(iter(KEYS.values())).public_bytes_raw()
    kid = {"kid": SIGNER.kid, "typ": "signoff-receipt+jwt"}  # so that it fails for what it is here for
    stranger = Signer.generate()
    tokens = [
        jwt.encode(claims, None, algorithm="none", headers=kid),
        jwt.encode(claims, public + b"-as-a-secret", algorithm="HS256", headers=kid),
        sign(stranger, a_receipt()),
        jwt.encode(claims, stranger._key, algorithm="EdDSA", headers=kid),
        jwt.encode(claims, SIGNER._key, algorithm="EdDSA"),
        *(
            jwt.encode(claims, SIGNER._key, algorithm="EdDSA", headers={**kid, "typ": typ})
            for typ in ("JWT", "signoff-notice+jwt", "signoff-head+jwt", "Signoff-Receipt+JWT")
        ),
        jwt.encode({**claims, "iss": "other"}, SIGNER._key, algorithm="EdDSA", headers=kid),
        jwt.encode({**claims, "aud": ["billing-bot", "x"]}, SIGNER._key, algorithm="EdDSA", headers=kid),
        jwt.encode({**claims, "status": "fine"}, SIGNER._key, algorithm="EdDSA", headers=kid),
        *(
            jwt.encode(without(claims, gone), SIGNER._key, algorithm="EdDSA", headers=kid)
            for gone in ("iss", "aud", "sub", "jti", "iat", "exp", "action", "status", "version")
        ),
        "", "x", "a.b.c", "\x00",
    ]  # fmt: skip
    assert verify(jwt.encode(claims, SIGNER._key, algorithm="EdDSA", headers=kid), KEYS, "billing-bot")
    for token in tokens:
        with pytest.raises(NotVerified):
            verify(token, KEYS, "billing-bot")


def test_several_keys_are_taken_so_that_one_can_be_replaced() -> None:
    old, new = Signer.generate(), Signer.generate()
    keys = verify_keys(f"{old.verify_key}, {new.verify_key}\n")
    for signer in (old, new):
        assert verify(sign(signer, a_receipt()), keys, "billing-bot").approved


@pytest.mark.parametrize("text", ["", "ed25519:short", "hunter2", "ed25519-private:" + "A" * 43])
def test_what_is_no_public_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        verify_keys(text)
    assert not text or text not in str(caught.value)


def test_a_private_key_reads_back_and_is_never_printed() -> None:
    text = SIGNER.private_text()
    assert Signer.from_text(text + "\n").kid == SIGNER.kid
    secret = text.removeprefix("ed25519-private:")
    assert secret not in repr(SIGNER) + str(vars(SIGNER)) + json.dumps({"k": SIGNER.verify_key})
    with pytest.raises(ConfigError) as caught:
        Signer.from_text(secret)
    assert secret not in str(caught.value)
