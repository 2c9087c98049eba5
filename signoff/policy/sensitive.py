"""Reads of what not everybody may know: by an action's name, and by the fields that a policy names; pure.

A read changes nothing, and cannot be taken back either: what an agent has read, it may say to anyone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from signoff.policy.words import joined, words


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
    "clinical_note therapy immunization vaccination"
)
"""What not everybody may know; words with `_` between them stand beside each other in a name."""
_HARMLESS_AFTER = _sets(
    "policy schema template requirement guideline doc documentation faq count usage limit price"
)
"""What makes of such a thing something written about it: `get_salary_policy`."""
_SECRET_FILES = _sets(
    ".env .ssh .aws .gnupg .netrc _netrc .npmrc .pypirc .pgpass .my.cnf .kube .azure .gcloud .dockercfg "
    ".git-credentials .htpasswd .vault-token shadow gshadow id_rsa id_dsa id_ecdsa id_ed25519 credentials "
    "credentials.json service-account.json secrets secrets.yml secrets.yaml secrets.json secrets.toml "
    "keychain.db login.keychain-db environ"
)
"""A file's name, or a folder's, that holds what lets somebody in."""
_SECRET_ENDINGS = (".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".keytab")
_PUBLIC = (".pub.pem", ".public.pem", ".example", ".sample", ".template")
_IRREGULAR = {"diagnoses": "diagnosis", "diagnosis": "diagnosis", "cookies": "cookie"}


LONGEST_PATH = 4096
"""Characters of a text that are looked at for a path."""
_SLASH = re.compile(r"[/\\:]")


def reads_sensitive(action: str) -> bool:
    """Whether an action's name says that it reads what not everybody may know."""
    names = [singular(word) for word in words(action[:200])]
    verb = next((word for word in words(action[:200]) if word in READS or word in CHANGES), "")
    if verb not in READS:
        return False
    for place in range(len(names)):
        for end in range(place + 1, min(place + 3, len(names)) + 1):
            about = end < len(names) and names[end] in _HARMLESS_AFTER
            if not about and "_".join(names[place:end]) in THINGS:
                return True
    return False


def names_secret_file(payload: dict[str, Any]) -> bool:
    """Whether a text of a payload is the path of a file that lets somebody in, as `~/.ssh/id_rsa` does."""
    return any(
        _is_secret(name) for text in _texts(payload) for name in _SLASH.split(text[:LONGEST_PATH].lower())
    )


def _is_secret(name: str) -> bool:
    name = name.strip(" '\"").rstrip(" .*")
    if name.endswith(_PUBLIC):
        return False
    return name in _SECRET_FILES or name.startswith(".env.") or name.endswith(_SECRET_ENDINGS)


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
        text = "|".join(joined(one) for one in (action, *_texts(payload)))
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


def _texts(payload: dict[str, Any]) -> Iterable[str]:
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
