"""What looks like a secret in what a person typed; and everyday answers, which are left alone."""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.payload.blank import is_blank
from signoff.payload.secrets import secret_in

SECRETS = {
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn": "a private key",
    "use ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2": "a token",
    "xoxb-" + "1234567890-abcdefghij": "a token",
    "key: sk-" + "proj-1aB2cD3eF4gH5iJ6kL7mN8oP": "a token",
    "AKIA" + "IOSFODNN7EXAMPLE": "a token",
    "ed25519-private:" + "AbCdEfGhIjKlMnOpQrStUv": "a token",
    "sgt_" + "0123456789abcdefghij": "a token",
    "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0xxxxxx.c2lnbmF0dXJl": "a signed token",
    "postgres://me:hunter22@db.example.com/x": "an address with a password",
    "Authorization: Bearer abcdef0123456789abcdef": "a token",
    "password: hunter2": "a password",
    "Passwort ist Sommer2026!": "a password",
    "password = swordfish": "a password",
    "пароль: кошка12": "a password",
    "密码：abc12345": "a password",
    "パスワード: neko2026": "a password",
    "api key: 9f8e7d6c5b4a": "a secret key",
    "PIN 4711": "a code",
    "verification code 123 456": "a code",
    "CVC: 123": "a code",
    "4111 1111 1111 1111": "the number of a payment card",
    "the card is 5555-5555-5555-4444, thanks": "the number of a payment card",
    "378282246310005": "the number of a payment card",
    "４１１１ １１１１ １１１１ １１１１": "the number of a payment card",
    "Xk29sLm3Qp7Tz1Vb8Rn4": "a secret key",
    "wJalrXUtnFEMI/" + "K7MDENG/bPxRfiCYEXAMPLEKEY": "a secret key",
    "aws: q0Lw/4xTzP9+rKdVe2" + "mYb7HcNs1JgFu3AiXoBt5R": "a secret key",
    "pass\u200bword: hunter2": "a password",
    "pass\u00adwo\u2060rd: hunter\ufe0f2": "a password",
    "4111\u200b1111\u200b1111\u200b1111": "the number of a payment card",
    "gh\u200dp_" + "A1b2C3d4E5f6G7h8I9j0K1l2": "a token",
    "The code is 482913": "a code",
    "the code is: 482 913.": "a code",
    "Code: 482913": "a code",
    "Der Code lautet 482913": "a code",
    "password=correct horse battery staple": "a password",
    'password="correct horse"': "a password",
    "passphrase: correct horse battery staple": "a password",
    "pw hunter2!": "a password",
    "pwd Tr0ub4dor&3": "a password",
}
TOLD_FIRST = {
    "hunter2 is my password": "a password",
    "“hunter2!” is the new admin password for prod.": "a password",
    "Sommer2026 ist mein Passwort": "a password",
    "azerty12 est mon mot de passe": "a password",
    "кошка12 это мой пароль": "a password",
    "so tr0ub4dor&3 was our wifi password, sorry": "a password",
    "9f8e7d6c5b4a is our api key": "a secret key",
    "4711 is my PIN": "a code",
    "493 022 is the one-time code": "a code",
    "493022 is my code": "a code",
    "my code is 493 022": "a code",
    "123 is the CVC": "a code",
}
EVERYDAY = (
    "error code 482913", "the error code is 482913", "Error code: 482913", "country code 49",
    "postcode 10115",
    "The postcode is 10115", "promo code SUMMER24", "promo code is 482913", "invoice code 482913",
    "code 482913",
    "The code is 404.", "The code is 500 lines long", "the code is in main.py, line 4711", "order S20250101",
    "W12345678", "The code is 4711 lines of Go", "The area code is 0301", "The order code is 20261128.",
    "Password: reset needed by Monday", "password = unchanged since last year", "the pw is in 1Password",
    "pw reset v2 is done", "password: the one of last week, as always", "passphrase: none is needed any more",
    "src/Components/Buttons/PrimaryButton2/abc", "docs/en/Guides/GettingStarted/V2/index/Ab",
    "family \U0001f468\u200d\U0001f469\u200d\U0001f467 of 4", "می\u200cخواهم 4711",
    "This is my password manager's name", "That is the password", "field_2 is the password", "It is my PIN",
    "DB_PASSWORD is our password", "step-2 is the password page", "OAuth2 is the password replacement",
    "49 is the country code", "10115 is my postal code", "404 is the status code", 
    "my code is 500 lines long",
    "https://example.com/r/1 is the password reset page", "user@example.com is my login, not my password",
    "2026 was my year", "column 3 is the token", "Version2 is my token bucket", "123 is the answer",
    "Ann Smith, Berlin", "The one of last week.", "Yes", "No, take the second one!", "a", "42",
    "Refund 120 EUR to cus_42, invoice RE-2026-000117", "Call her on +49 30 1234567 or 0171 12345678",
    "DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19", "FR76 3000 6000 0112 3456 7890 189",
    "https://example.com/tickets/991?from=mail#part-2", "ann.smith@example.com", "10:30, 2026-12-01",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8", "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "The password is wrong: reset it by mail", "Password: reset it by mail", "password: unchanged",
    "use sk-learn instead", "the token bucket algorithm", "token: the blue one", "secret: nobody knows",
    "Donaudampfschifffahrtsgesellschaftskapitän", "MyVeryLongClassNameThatNobodyReads",
    "my_function_name_2_with_numbers_10", "s3://bucket/2026/11/28/report-final-v2.parquet",
    "EAN 4006381333931", "IMEI 490154203237518", "order 1234567890123456", "1795890000000",
    "Die Ann aus Berlin, nicht die aus Bonn.", "Анна из Берлина, заказ 991", "柏林的安·史密斯",
    "ベルリンのアンさん",
    "آن سميث من برلين", "אן סמית מברלין", "베를린의 앤", "बर्लिन की ऐन", "👍🏽 go ahead",
    "C:\\Users\\ann\\report.docx",
    "pin 12 items to the board", "SELECT * FROM users WHERE id = 42", "see PR #4711", "status code 404",
    "It is in room 4, at 12:00; bring 3 copies (or 4).", "v1.2.3-rc.4+build.20261128",
)  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_what_is_one_by_its_form_is_named(text: str) -> None:
    found = secret_in(f"Here it is:\n{text}\nthanks")
    assert found is not None and found.startswith(SECRETS[text])
    assert text.split()[-1] not in found


@pytest.mark.parametrize("text", TOLD_FIRST)
def test_what_stands_before_its_name_is_known_too(text: str) -> None:
    found = secret_in(f"Here it is:\n{text}\nthanks")
    assert found is not None and found.startswith(TOLD_FIRST[text])


def test_everyday_answers_are_no_secrets() -> None:
    assert {text: found for text in EVERYDAY if (found := secret_in(text))} == {}


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    assert secret_in(text) is None or isinstance(secret_in(text), str)
    assert is_blank(text) or any(character.isprintable() or ord(character) > 31 for character in text)


@pytest.mark.parametrize(
    "part",
    [
        "eyJ",
        "a.",
        "password ",
        "password:",
        "4111 ",
        "1 ",
        "://a:",
        "DE89 3704 ",
        "sk-aaaa",
        "A1b",
        "bearer ",
        "PIN ",
        "a is my ",
        "1 is my new ",
        "x1 is the ",
        "code is ",
        "password=a ",
        "password: one two three four ",
        "pw a",
        "\u200b",
        "aB1/",
    ],
)
def test_it_costs_what_its_length_allows(part: str) -> None:
    """Steps of Python's own are counted; what its patterns do is bounded by time, with much to spare."""

    def cost(size: int) -> tuple[int, float]:
        text, steps = (part * size)[:size], 0

        def count(*_: object) -> None:
            nonlocal steps
            steps += 1

        before = time.perf_counter()
        sys.setprofile(count)
        try:
            secret_in(text)
        finally:
            sys.setprofile(None)
        return steps, time.perf_counter() - before

    small, large = cost(3_000), cost(30_000)
    assert large[0] <= 15 * small[0] + 1000
    assert large[1] < 5


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\u3164", "\u2800\u00a0", "\n\t\u202e"])
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text) and not is_blank(text + "x")
