"""What a question may be, and what answers it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.errors import Invalid
from signoff.models.questions import GivenAnswer, Question

OPTIONS = [{"id": "a", "text": "Ann"}, {"id": "b", "text": "Al", "about": "of Bonn"}]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [*Question.model_fields, *GivenAnswer.model_fields, "other"]
WRONG: dict[str, dict[str, Any]] = {
    "nothing": {},
    "blank": {"question": "\u200b ", "free_text": True},
    "long": {"question": "x" * 1001, "free_text": True},
    "unanswerable": {"question": "x"},
    "eleven options": {"question": "x", "options": [{"id": f"o{n}", "text": "x"} for n in range(11)]},
    "read the same": {"question": "x", "options": [OPTIONS[0], {**OPTIONS[0], "id": "z", "about": "else"}]},
    "the same id": {"question": "x", "options": [OPTIONS[0], OPTIONS[0]]},
    "an odd id": {"question": "x", "options": [{"id": "a\n", "text": "x"}]},
    "a long id": {"question": "x", "options": [{"id": "a" * 41, "text": "x"}]},
    "a blank option": {"question": "x", "options": [{"id": "a", "text": "\u3164"}]},
    "a long option": {"question": "x", "options": [{"id": "a", "text": "x" * 151}]},
    "a long about": {"question": "x", "options": [{"id": "a", "text": "x", "about": "x" * 301}]},
    "truth as text": {"question": "x", "free_text": "true"},
    "truth as number": {"question": "x", "free_text": 1},
    "several of one": {"question": "x", "options": OPTIONS[:1], "several": True},
    "a default that is no option": {"question": "x", "options": OPTIONS, "default": "c"},
    "a default of no date": {"question": "x", "date": True, "default": "soon"},
    "a blank default": {"question": "x", "free_text": True, "default": " "},
    "one source": {
        "question": "x",
        "free_text": True,
        "why": "conflict",
        "sources": [{"name": "a", "text": "b"}],
    },
    "no try": {"question": "x", "free_text": True, "why": "failed"},
    "a why": {"question": "x", "free_text": True, "why": "bored"},
    "six sources": {"question": "x", "free_text": True, "sources": [{"name": "a", "text": "b"}] * 6},
    "a long source": {"question": "x", "free_text": True, "sources": [{"name": "a", "text": "b" * 4001}]},
    "eleven tries": {"question": "x", "free_text": True, "tries": [{"what": "a"}] * 11},
    "NUL": {"question": "x\x00", "free_text": True},
    "half a surrogate": {"question": "x\ud800", "free_text": True},
    "a field": {"question": "x", "free_text": True, "html": "<b>"},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_question_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        Question.of(WRONG[name])
    assert len(refused.value.detail) < 400


def test_bounds_are_taken_to_their_last_character() -> None:
    whole = {
        "question": "x" * 1000,
        "options": [{"id": f"o{n}" + "_" * 38, "text": str(n) * 150, "about": "y" * 300} for n in range(10)],
        "several": True, "date": True, "free_text": True, "default": "o0" + "_" * 38, "why": "conflict",
        "sources": [{"name": "n" * 150, "text": "t" * 4000}] * 5,
        "tries": [{"what": "w" * 300, "error": "e" * 1000}] * 10,
    }  # fmt: skip
    assert Question.of(whole).payload() == whole


@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8), st.dictionaries(st.sampled_from(FIELDS), JSON)
)
def test_whatever_comes_is_a_question_or_refused(payload: dict[str, Any], said: dict[str, Any]) -> None:
    """And so is an answer; what is recorded of one answers again, just so."""
    try:
        question = Question.of({"question": "Which?", "options": OPTIONS, **payload})
    except Invalid:
        question = Question.of({"question": "Which?", "options": OPTIONS, "free_text": True, "default": "a"})
    try:
        found = GivenAnswer.of(said).check(question)
    except Invalid:
        return
    assert found.choice or found.text or found.date
    assert GivenAnswer.of(found.said()).check(question) == found
    assert not found.default or question.default is not None
    assert set(found.choice) <= {option.id for option in question.options}


@pytest.mark.parametrize(
    "day", ["2026-02-30", "2026-1-1", "20261128", "2026-W01-1", "28.11.2026", "٢٠٢٦-١١-٢٨", ""]
)
def test_only_a_day_of_the_calendar_is_a_date(day: str) -> None:
    question = Question.of({"question": "When?", "date": True})
    with pytest.raises(Invalid):
        GivenAnswer(date=day).check(question)
    assert GivenAnswer(date="2028-02-29").check(question).said() == {"date": "2028-02-29"}


def test_what_is_left_to_the_agent_has_its_default_beside_it() -> None:
    left = GivenAnswer(default=True)
    assert left.check(Question.of({"question": "x", "date": True, "default": "2026-11-28"})).said() == {
        "default": True, "date": "2026-11-28",
    }  # fmt: skip
    kind = Question.of({"question": "x", "free_text": True, "default": "Kindly"})
    assert left.check(kind).said() == {"default": True, "text": "Kindly"}
    with pytest.raises(Invalid):
        GivenAnswer(default=True, text="Rudely").check(kind)


ASKS = (
    "What is the password of the staging database?",
    "What's your PIN?",
    "Please enter the one-time code.",
    "What is the code that we have sent to your phone?",
    "Please give me the 6-digit code from the SMS",
    "Which code did you get by text message?",
    "Can you tell me the OTP?",
    "Give me the API key for Stripe.",
    "I need the client secret",
    "API key?",
    "Password for the staging server, please",
    "What is the root passphrase?",
    "Paste the private key here:",
    "Enter your 2FA code",
    "What is the code in your authenticator app?",
    "What is the CVV of the card?",
    "Which password should I use for the admin account?",
    "What does the access token look like? Send me the access token.",
    "To go on, I have to log in. What is your login and password?",
    "Wie lautet das Passwort?",
    "Bitte gib mir den Code aus der SMS",
    "Quel est le mot de passe du serveur ?",
    "¿Cuál es la contraseña?",
    "What is the pass\u200bword?",
    "What is the 6 digit code?",
    "Please confirm the code you received by e-mail.",
    "What password do you use?",
    "What is your card number?",
    "what is the admin token?",
    "\uff57\uff48\uff41\uff54 is the \uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44?",
)
MAY_ASK = (
    "Which error code?",
    "Which error code do you see on your phone?",
    "What is the country code for Germany?",
    "What is the postal code of the new office?",
    "Which promo code should the mail name?",
    "What is the order code? The invoice has two.",
    "Should I reset Ann's password?",
    "Whose password should I reset?",
    "What is the minimum password length?",
    "What is the password policy for contractors?",
    "What should the password reset mail say?",
    "Which API key should I rotate?",
    "Where is the API key kept?",
    "In which vault is the password of the staging database?",
    "What is the name of the secret in the vault?",
    "How often should tokens be rotated?",
    "What is the token limit for this summary?",
    "Do you need the code review today?",
    "Which code style do you prefer?",
    "Send the code to review to Ann or to Ben?",
    "Give me the pin of the place on the map",
    "Should I enter the data by hand?",
    "What is the secret of this recipe?",
    "Should I send the password reset link to Ann Smith?",
    "Did Ann tell you which key account this is?",
    "What is the tracking code of the parcel?",
    "Is the QR code on the poster right?",
    "Which SKU code is right?",
    "Never type passwords or codes here. Which of the two?",
    "Please don't enter your PIN. Which of the two?",
    "Which of the two card numbers belongs to Ann?",
    "Which credentials are expired?",
    "What is the API key for?",
    "Should I use the sandbox or the live API key?",
    "Should the form ask for a password?",
    "Can you confirm the password reset?",
    "What should I name the access token page?",
    "Which country code is on your phone?",
    "Which access code goes to the visitor?",
    "Can I send the customer a new password?",
    "Should I send the new PIN to the customer?",
    "What is the best way to store the password?",
)


@pytest.mark.parametrize("question", ASKS)
def test_a_question_for_a_secret_is_no_question(question: str) -> None:
    with pytest.raises(Invalid, match="asks people for") as refused:
        Question.of({"question": question, "free_text": True})
    assert "vault" in refused.value.detail, "what to do instead"


def test_what_only_speaks_of_secrets_may_be_asked() -> None:
    refused = []
    for question in MAY_ASK:
        try:
            Question.of({"question": question, "free_text": True})
        except Invalid:
            refused.append(question)
    assert refused == []


@pytest.mark.parametrize(
    ("question", "secret"),
    [
        ("Should I reset the password, or is it known?", "hunter2"),
        ("Which password did Ann forget?", "Tr0ub4dor&3"),
        ("Which API key should I rotate?", "5d41402abc4b2a76b9719d911017c592"),
        ("Is the code from the phone needed to log in?", "482913"),
        ("Is the code from the phone needed to log in?", "482 913"),
        ("Has the PIN been changed?", "4711"),
        ("Has the PIN been changed?", "it's 4711"),
        ("What is the code?", "482913"),
        ("What is the pass\u200bword policy?", "hunter\u200b22"),
    ],
)
def test_an_answer_is_judged_in_the_light_of_its_question(question: str, secret: str) -> None:
    asked = Question.of({"question": question, "options": OPTIONS, "free_text": True})
    for answer in (GivenAnswer(text=secret), GivenAnswer(none=True, text=secret)):
        with pytest.raises(Invalid, match="looks like a") as refused:
            answer.check(asked)
        assert secret not in refused.value.detail


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("Which error code?", ["482913", "E4711", "404", "0x80070005"]),
        ("What is the country code?", ["49", "+49", "DE"]),
        ("What is the postal code of the new office?", ["10115", "SW1A 1AA"]),
        ("Which promo code should the mail name?", ["SUMMER24"]),
        ("What is the order code?", ["S20250101", "482913"]),
        (
            "Whose password should I reset?",
            ["Ann's", "ann@example.com", "Ann Smith, Berlin", "ann_smith", "ann-2"],
        ),
        ("What is the minimum password length?", ["12", "12 characters", "at least 14"]),
        ("Which API key should I rotate?", ["stripe-prod-2", "The one of Stripe", "STRIPE_KEY_2", "prod"]),
        ("Should I reset the password in Bonn or Berlin?", ["Berlin", "yes", "Yes!", "2026-11-28", "both"]),
        ("Where is the API key kept?", ["vault://prod/x", "https://vault.example/x1", "1Password", "in AWS"]),
        ("In which vault is the password of the staging database?", ["1Password", "kv/prod/db2", "AWS"]),
        ("Has the PIN been changed?", ["No", "in 2026", "yes, on Monday", "3 times"]),
        ("Which code style do you prefer?", ["PEP8", "4 spaces", "black24"]),
    ],
)
def test_everyday_answers_pass_whatever_was_asked(question: str, answers: list[str]) -> None:
    asked = Question.of({"question": question, "free_text": True})
    for answer in answers:
        assert GivenAnswer(text=answer).check(asked).text == answer
