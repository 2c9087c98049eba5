"""What is signed: our verdict beside PyJWT's, over tokens of every make; ours may only be stricter."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signoff.errors import NotVerified
from signoff.signatures import RECEIPT, Signer, open_sealed, verify_keys

SIGNER, STRANGER = Signer.generate(), Signer.generate()
KEYS = verify_keys(SIGNER.verify_key)
ISSUER, AGENT = "signoff", "billing-bot"
NOW = int(time.time())
HEAD = {"alg": "EdDSA", "kid": SIGNER.kid, "typ": RECEIPT}
CLAIMS = {"iss": ISSUER, "aud": AGENT, "sub": "x", "jti": "y", "iat": NOW, "exp": NOW + 3600}
TIMES = ("iat", "nbf", "exp")

ODD = [
    None, True, False, 0, 1, -1, 1.5, float(NOW + 60), NOW, NOW - 60, NOW + 60, 2**53, -(2**53),
    10**30, 1e308, "", "x", ISSUER, AGENT, str(NOW + 60), [], [AGENT], [AGENT, "x"], {}, {"a": 1},
]  # fmt: skip
CHANGED = st.dictionaries(
    st.sampled_from([*CLAIMS, "nbf", "other"]), st.sampled_from(ODD) | st.text(max_size=3), max_size=3
)
HEADS = st.one_of(
    st.just(HEAD),
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk"]),
        st.sampled_from(
            [
                "EdDSA",
                "none",
                "HS256",
                SIGNER.kid,
                STRANGER.kid,
                RECEIPT,
                "JWT",
                "",
                None,
                1,
                True,
                [],
                ["b64"],
                {},
            ]
        ),
        max_size=3,
    ).map(lambda changed: HEAD | changed),
)


def sealed(head: Any, claims: Any, signer: Signer = SIGNER) -> str:
    """A token of any head and claims, its signature right."""
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, claims)
    )
    signed = ".".join(parts)
    signature = base64.urlsafe_b64encode(signer._key.sign(signed.encode())).decode().rstrip("=")
    return f"{signed}.{signature}"


def ours(token: str, **asked: Any) -> dict[str, Any] | None:
    try:
        return open_sealed(token, KEYS, RECEIPT, issuer=ISSUER, **asked)
    except NotVerified:
        return None


def theirs(token: str, audience: str | None, required: list[str], over: bool) -> dict[str, Any] | None:
    options = {
        "require": required, "verify_iat": False, "verify_exp": not over, "strict_aud": audience is not None
    }  # fmt: skip
    try:
        return jwt.decode(
            token, KEYS[SIGNER.kid], algorithms=["EdDSA"], audience=audience, issuer=ISSUER, options=options
        )
    except jwt.PyJWTError:
        return None


def is_stricter(head: Any, claims: dict[str, Any], audience: str | None) -> bool:
    """What we refuse, and PyJWT takes: a head that is not just ours, times that are no whole numbers in the
    range of JSON's peers (it takes true, 1.5 and "1"), no audience that is spelled as "", [] or {}."""
    times = [claims[name] for name in TIMES if name in claims]
    odd = any(type(at) is not int or abs(at) >= 2**53 for at in times)
    return head != HEAD or odd or (audience is None and claims.get("aud") is not None)


@given(
    HEADS, CHANGED, st.sets(st.sampled_from(sorted(CLAIMS))), st.sampled_from([AGENT, "other", "", None]),
    st.lists(st.sampled_from([*CLAIMS, "other"]), max_size=3), st.booleans(),
)  # fmt: skip
@example(HEAD, {"exp": True}, set(), AGENT, ["exp"], False)
@example(HEAD, {"exp": NOW - 60}, set(), AGENT, ["exp"], True)
@example(HEAD, {"nbf": NOW + 60}, set(), AGENT, [], True)
@example(HEAD, {"nbf": "soon"}, set(), AGENT, [], True)
@example(HEAD, {"aud": ""}, set(), "", [], False)
@example(HEAD, {"sub": 1}, set(), AGENT, [], False)
@example(HEAD, {}, {"iss"}, AGENT, [], False)
@example(HEAD, {}, {"aud"}, None, [], False)
@example(HEAD | {"crit": ["b64"]}, {}, set(), AGENT, [], False)
def test_we_take_what_pyjwt_takes_and_nothing_that_it_refuses(
    head: Any, changed: dict[str, Any], gone: set[str], audience: str | None, required: list[str], over: bool
) -> None:
    claims = {name: value for name, value in (CLAIMS | changed).items() if name not in gone}
    token = sealed(head, claims)
    found = ours(token, audience=audience, required=required, over=over)
    known = theirs(token, audience, required, over)
    if found is not None:
        assert found == known == claims
    elif not is_stricter(head, claims, audience):
        assert known is None


@given(st.sampled_from([[], "x", 1, None, [CLAIMS]]), st.sampled_from([AGENT, None]))
def test_claims_that_are_no_object_are_refused(claims: Any, audience: str | None) -> None:
    token = sealed(HEAD, claims)
    assert ours(token, audience=audience, required=()) is None
    assert theirs(token, audience, [], False) is None


@given(st.data())
def test_no_bit_of_a_token_can_be_another_one(data: st.DataObject) -> None:
    token = sealed(HEAD, CLAIMS)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda one: one != token[at]))
    changed = token[:at] + other + token[at + 1 :]
    assert ours(token, audience=AGENT) and ours(changed, audience=AGENT) is None
    assert theirs(changed, AGENT, [], False) is None


@pytest.mark.parametrize("signature", [b"", bytes(64), bytes(63), b"\xff" * 64, bytes(4000)])
def test_a_signature_of_any_length_and_of_another_key_is_refused(signature: bytes) -> None:
    signed = sealed(HEAD, CLAIMS).rpartition(".")[0]
    token = f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
    assert ours(token, audience=AGENT) is None and theirs(token, AGENT, [], False) is None
    strange = sealed(HEAD, CLAIMS, STRANGER)
    assert ours(strange, audience=AGENT) is None and theirs(strange, AGENT, [], False) is None
