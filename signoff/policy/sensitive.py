"""Reads of what not everybody may know: by an action's name, and by the fields that a policy names; pure.

A read changes nothing, and cannot be taken back either: what an agent has read, it may say to anyone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from signoff.policy.words import joined, plain_name, words


def _sets(text: str) -> frozenset[str]:
    return frozenset(text.split())


READS = _sets(
    "get read fetch list lookup find search query show view describe export download dump retrieve load "
    "select scan extract pull open print display check inspect access reveal decrypt copy backup browse "
    "peek crawl"
)
"""Verbs that say that an action reads."""
CHANGES = _sets(
    "create add update set write insert upsert delete remove send post put patch edit modify change make "
    "apply submit approve reject pay issue run execute deploy rotate reset revoke grant assign invite "
    "share upload import move rename archive restore sync merge notify reply draft schedule book cancel "
    "order start stop enable disable generate validate verify destroy drop purge erase wipe"
)
"""Verbs that say that it does something else. Of a name's verbs the first counts."""
THINGS = _sets(
    "ssn salary payroll payslip paystub wage compensation severance patient medical diagnosis "
    "prescription ehr emr phi pii hipaa psychiatric hiv genetic genome dna biometric fingerprint iban cvv "
    "cvc passport dob birthdate birthday ethnicity religion grievance disciplinary personnel "
    "whistleblower confidential sensitive classified secret credential password passwd passphrase "
    "keychain keystore mnemonic otp totp cookie dotenv social_security national_id national_insurance "
    "tax_return tax_id tax_form tax_record tax_document w_2 driver_license drivers_license "
    "driving_license home_address private_address date_of_birth credit_card debit_card payment_card "
    "card_number card_detail credit_report credit_score credit_history bank_account bank_detail "
    "bank_statement account_number routing_number health_record health_data health_history lab_result "
    "criminal_record background_check employee_record employee_file hr_record hr_file performance_review "
    "student_record academic_record location_history browsing_history call_history direct_message "
    "private_message personal_data personal_info personal_information personal_detail customer_data "
    "user_data private_key ssh_key api_key access_key secret_key signing_key encryption_key host_key "
    "access_token auth_token api_token refresh_token session_token bearer_token get_token read_token "
    "list_token env_var environment_variable env_file get_env read_env list_env dump_env print_env "
    "recovery_code backup_code mfa_code seed_phrase dump_database dump_db dump_table db_dump "
    "database_dump export_database export_db export_user export_customer export_contact export_employee "
    "download_backup backup_database vault_read vault_kv employee_review bank_transaction "
    "aadhaar tax_number id_card identity_document id_document insurance_number insurance_claim "
    "clinical_note therapy immunization vaccination income earning bonus remuneration pension "
    "employee_pay pay_rate net_worth bank_balance account_balance medication allergy mental_health "
    "blood_type blood_group disability pregnancy criminal_history sexual_orientation gender_identity "
    "political_opinion trade_union kyc jwt kubeconfig oauth_token id_token pin_code card_pin user_pin "
    "get_pin read_pin fetch_pin reveal_pin inbox mailbox voicemail text_message get_email read_email "
    "fetch_email list_email search_email email_read email_get email_list read_mail get_mail mail_read"
)
"""What not everybody may know; words with `_` between them stand beside each other in a name."""
_HARMLESS_AFTER = _sets("policy schema template requirement guideline documentation faq count price")
"""What makes of such a thing something written about it, at a name's end: `get_salary_policy`."""
_NO_NOUNS = _sets("get read fetch lookup retrieve view show describe load find list")
"""Verbs that say at a name's end, too, that it reads: `archive.payroll.get`."""
_OWNERS = _sets("customer user employee patient client person member staff worker account student my the")
"""Whose a thing is, where both are written as one word: `customerssn`."""
_AS_ONE = frozenset(one.replace("_", "") for one in THINGS if one.partition("_")[0] not in READS)
_LONG = re.compile("|".join(sorted(one for one in _AS_ONE - {"secret"} if len(one) >= 6)))
"""Things that are found in the midst of a word, too: `getcreditcard`. `ssn` is none: `classname`."""
_PARTS = re.compile(r"[./:]|__")
MOST_ASKED = 100_000
"""Characters of what a payload asks for that are looked at."""
_SELECTS = _sets(
    "sql statement statements select fields field columns column table tables table_name collection "
    "collection_name attributes attribute properties include expand projection returning entity model "
    "dataset object_type resource_type resource sobject view"
)
"""Fields of a payload that say what is read."""
_QUERIES = _sets("query queries q command cmd text script soql graphql expression filter where input")
_LANGUAGE = re.compile(r"\b(?:select|from|match|where|table)\s|^\s{0,20}(?:\{|query\b)", re.IGNORECASE)
_IRREGULAR = {
    "bonuses": "bonus",
    "bonus": "bonus",
    "diagnoses": "diagnosis",
    "diagnosis": "diagnosis",
    "cookies": "cookie",
}


def reads_sensitive(action: str) -> bool:
    """Whether an action's name says that it reads what not everybody may know."""
    found = words(action[:200])
    last = words(_PARTS.split(action[:200])[-1])
    if not (_reads(found) or _reads(last) or (found[-1:] and found[-1] in _NO_NOUNS)):
        return False
    return _names_thing(found)


def _reads(found: list[str]) -> bool:
    """Whether the first verb of a name is one of reading."""
    return next((word for word in found if word in READS or word in CHANGES), "") in READS


def _names_thing(found: list[str]) -> bool:
    """Whether words that stand beside each other are a thing that not everybody may know."""
    names = [singular(word) for word in found]
    for place in range(len(names)):
        for end in range(place + 1, min(place + 3, len(names)) + 1):
            part = names[place:end]
            if (
                "_".join(part) in THINGS
                or "".join(part) in _AS_ONE
                or (len(part) == 1 and _is_thing(part[0]))
            ):
                rest = names[end:]
                if (
                    not rest
                    or rest[0] not in _HARMLESS_AFTER
                    or not READS.union(_HARMLESS_AFTER).issuperset(rest)
                ):
                    return True
    return False


@lru_cache(maxsize=4096)
def _is_thing(word: str) -> bool:
    """Whether one word is a thing, or has one in it: `creditcard`, `customerssn`."""
    if _LONG.search(word):
        return True
    return any(word.startswith(one) and word[len(one) :] in _AS_ONE for one in _OWNERS)


def asks_for_sensitive(payload: dict[str, Any]) -> bool:
    """Whether a read's payload names such a thing where it says what is read: a table, a column, SQL.

    Linear, and bounded: what is longer than is looked at counts as if it did.
    """
    left: list[tuple[Any, bool]] = [(payload, False)]
    size = 0
    while left:
        value, asked = left.pop()
        if isinstance(value, dict):
            for key, one in value.items():
                left += [(one, asked or plain_name(key) in _SELECTS or _is_query(key, one)), (key, asked)]
        elif isinstance(value, list | tuple):
            left += [(one, asked) for one in value]
        elif asked and isinstance(value, str):
            size += len(value)
            if size > MOST_ASKED or _names_thing(words(value)):
                return True
    return False


def _is_query(key: str, value: Any) -> bool:
    """Whether it is a query in a language of its own, and not what somebody searches the web for."""
    return (
        plain_name(key) in _QUERIES
        and isinstance(value, str)
        and _LANGUAGE.search(value[:MOST_ASKED]) is not None
    )


def singular(word: str) -> str:
    """A word without its plural's ending, as far as names need it: `salaries` is `salary`."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 2 else word


class SensitiveFields:
    """The fields that a policy names as sensitive, however they are spelled: `taxId` is `tax_id`."""

    def __init__(self, entries: Sequence[str] = ()) -> None:
        """`tax_id`, `customer.ssn`, or one word with a star at its beginning or end."""
        cores = [(entry, entry.strip("*").lower()) for entry in entries]
        self._starts = _by_length(core for entry, core in cores if entry.endswith("*"))
        self._ends = _by_length(core[::-1] for entry, core in cores if entry.startswith("*"))
        plain = [[singular(word) for word in words(entry)] for entry in entries if "*" not in entry]
        self._words = frozenset(found[0] for found in plain if len(found) == 1)
        self._phrases = tuple(tuple(found) for found in plain if len(found) > 1)
        self._any = bool(entries)

    def named_in(self, action: str, payload: dict[str, Any]) -> bool:
        """Whether one is named: by an action, or by a field or a text of its payload (a list of fields, SQL).

        Linear in the payload.
        """
        if not self._any:
            return False
        text = "|".join(joined(one) for one in (action, *texts_of(payload)))
        found = {singular(word) for word in set(text.replace("|", "_").split("_"))}
        if not self._words.isdisjoint(found):
            return True
        if any(_begins(word, self._starts) or _begins(word[::-1], self._ends) for word in found):
            return True
        return any(found.issuperset(phrase) and _stands(phrase, text) for phrase in self._phrases)


def _by_length(beginnings: Iterable[str]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for one in beginnings:
        found.setdefault(len(one), set()).add(one)
    return {length: frozenset(ones) for length, ones in found.items()}


def _begins(word: str, beginnings: dict[int, frozenset[str]]) -> bool:
    return any(word[:length] in ones for length, ones in beginnings.items())


def _stands(phrase: tuple[str, ...], text: str) -> bool:
    """Whether these words stand beside each other in a text's, each in singular or plural."""
    each = "_".join(
        f"{word}(?:s|es)?" if not word.endswith("y") else f"(?:{word}|{word[:-1]}ies)" for word in phrase
    )
    return re.search(f"_{each}_", text) is not None


def texts_of(payload: dict[str, Any]) -> Iterable[str]:
    """All texts of a payload, the names of its fields, too."""
    left: list[Any] = [payload]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from value
            left += value.values()
        elif isinstance(value, list | tuple):
            left += value
