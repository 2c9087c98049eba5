"""What looks like a secret in a text that a person typed; pure, and linear in the text.

It is there for who pastes a password into the wrong field, not against who wants to: what is certain by its
form (a prefix, a checksum, the word before it) is found, and everyday answers with numbers, links, names,
digests and ids in them are left alone.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from itertools import pairwise

from signoff.payload import told_secrets
from signoff.payload.blank import seen

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY|PuTTY-User-Key-File|AGE-SECRET-KEY-1")
_PREFIXED = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"gh[pousr]_[A-Za-z0-9]{20}|github_pat_[A-Za-z0-9_]{20}|gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_-]{16}"
    r"|xox[a-z]-[A-Za-z0-9-]{10}|xapp-[0-9]-[A-Za-z0-9-]{10}|hooks\.slack\.com/services/[A-Z0-9]"
    r"|(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10}|sk-(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{24}"
    r"|whsec_[A-Za-z0-9+/]{16}|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])|AIza[A-Za-z0-9_-]{35}"
    r"|ya29\.[A-Za-z0-9_-]{20}|GOCSPX-[A-Za-z0-9_-]{20}|npm_[A-Za-z0-9]{30}|pypi-[A-Za-z0-9_-]{30}"
    r"|do[opr]_v1_[a-f0-9]{20}|hf_[A-Za-z]{30}|SG\.[A-Za-z0-9_-]{16}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{20}"
    r"|hv[sb]\.[A-Za-z0-9_-]{20}|sq0[a-z]{3}-[A-Za-z0-9_-]{20}|dapi[a-f0-9]{32}|AccountKey=[A-Za-z0-9+/]{20}"
    r"|ed25519-private:[A-Za-z0-9_-]{16}|sgt_[A-Za-z0-9_-]{16}"
    r")"
)
_SIGNED = re.compile(r"[A-Za-z0-9_.-]+")
_LOGIN = re.compile(r"://[^/\s:@]{0,64}:[^/\s@]{3,64}@")
_BEARER = re.compile(r"\b(?:bearer|basic)[ \t]{1,4}(?=[A-Za-z_.+/=-]{0,60}[0-9])[A-Za-z0-9_.+/=-]{16}", re.I)
_SAYS = r"[\"'\u201c*`]{0,3}[ \t]{0,3}(?:[:=\uff1a]|\u2192|->)[ \t]{0,3}[\"'\u201c\u201e*`]{0,3}"
_IS = r"[ \t]{1,3}(?:is|was|ist|lautet|es|est|é|è|это)[ \t]{1,3}[\"'\u201c\u201e*`]{0,3}"
_PASSWORD = (
    r"(?<!\w)(?:pass(?:word|wd|phrase|code)|pass|pwd|pw|passwort|kennwort|contrase\u00f1a|mot de passe|senha"
    r"|parola|wachtwoord|has\u0142o|heslo|\u015fifre|l\u00f6senord|\u043f\u0430\u0440\u043e\u043b\u044c"
    r"|\u5bc6\u7801|\u5bc6\u78bc|\u30d1\u30b9\u30ef\u30fc\u30c9|\ube44\ubc00\ubc88\ud638"
    r"|\u0643\u0644\u0645\u0629 \u0627\u0644\u0645\u0631\u0648\u0631|\u05e1\u05d9\u05e1\u05de\u05d4"
    r"|\u092a\u093e\u0938\u0935\u0930\u094d\u0921)"
)
_NAMED_PASSWORD = re.compile(rf"{_PASSWORD}(?:{_SAYS}(\S{{4,80}})|{_IS}(\S{{4,80}}))", re.I)
_TOLD_PASSWORD, _TOLD_KEY, _TOLD_CODES = told_secrets.patterns(_PASSWORD)
_PHRASE = re.compile(
    rf"{_PASSWORD}(?:=|[ \t]{{0,3}}=[ \t]{{0,3}}[\"'\u201c]|{_SAYS})[\"'\u201c\u201e*`]{{0,2}}"
    r"([^\W\d_]{2,20}(?: [^\W\d_]{2,20}){1,11})[\"'\u201d*`.!]{0,2}[ \t]{0,3}(?=\n|\Z)",
    re.I,
)
"""A password of several words, to the end of its line."""
_BARE_PASSWORD = re.compile(
    r"(?:\A|\n)[ \t]{0,3}(?:pw|pwd|passwort|password)[ \t]{1,3}(\S{6,80})[ \t]{0,3}(?=\n|\Z)", re.I
)
_NAMED_KEY = re.compile(
    r"(?:secret|token|api[ _-]?key|access[ _-]?key|private[ _-]?key|credentials?)"
    rf"(?:{_SAYS}|{_IS})(\S{{8,80}})",
    re.I,
)
_NAMED_CODE = re.compile(
    r"(?<!\w)(?:pin|otp|totp|tan|cvv2?|cvc2?|puk"
    r"|(?:verification|security|one[- ]time|2fa|mfa|login|auth\w{0,12})[ -]code)"
    rf"(?:{_SAYS}|{_IS}|[ \t]{{1,3}})([0-9]{{3}}[ -]?[0-9]{{0,5}})(?![\w./])",
    re.I,
)
_CARD = re.compile(
    r"(?<![\w.,])(?=("
    r"[2-6][0-9]{3}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{3})?(?![\w])"
    r"|[2-6][0-9]{3}(?:[ -]?[0-9]{4}){3}(?![\w])"
    r"|3[0-9]{3}[ -]?[0-9]{6}[ -]?[0-9]{4,5}(?![\w])"
    r"))"
)
_ISSUERS: tuple[tuple[tuple[int, ...], re.Pattern[str]], ...] = (
    ((16, 19), re.compile("4")),
    ((16,), re.compile("5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)")),
    ((15,), re.compile("3[47]")),
    ((14,), re.compile("3(?:0[0-5]|[68])")),
    ((16, 19), re.compile("6(?:011|4[4-9]|5|2)")),
    ((16,), re.compile("35(?:2[89]|[3-8])")),
)
"""How long the numbers of cards are, by how they begin (ISO/IEC 7812)."""
_ACCOUNT = re.compile(r"(?<!\w)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_RUN = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
_PARTS = re.compile(r"[/=_-]")
_FORTY = re.compile(r"(?<![A-Za-z0-9/+=_.-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])")
_WORD_INSIDE = re.compile(r"[a-z]{7}")
_LONG = 20
"""Characters of random text that are no word, no name and no number any more."""
_WORDS = frozenset(
    (
        "none", "unknown", "unchanged", "reset", "expired", "same", "null", "empty", "missing", "required",
        "optional", "hidden", "changed", "wrong", "correct", "rotated", "revoked", "removed", "redacted",
        "invalid", "weak", "strong", "gone", "lost", "needed", "keins", "keines", "nein", "falsch",
        "abgelaufen", "aucun",
    )
)  # fmt: skip
"""What may stand after `password:` and is none."""
_JOINTS = frozenset(
    (
        "the", "it", "is", "are", "was", "be", "by", "to", "of", "in", "on", "at", "not", "no", "one",
        "and", "or", "has", "have", "had", "for", "from", "my", "your", "our", "this", "that", "with",
        "as", "an", "if", "we", "you", "they", "i", "he", "she", "can", "will", "should", "must", "see",
        "ask", "please", "use", "der", "die", "das", "ist", "und", "nicht", "von", "mit", "bitte", "le",
        "la", "les", "est", "et", "pas", "el", "los", "es", "y", "que", "via",
    )
)  # fmt: skip
"""Words of sentences. Those that a passphrase is drawn from are others."""


def secret_in(text: str) -> str | None:
    """What a text seems to hold, as `a private key`; None where it holds nothing of the kind."""
    plain = seen(text)
    return next((name for name, holds in _KINDS if holds(plain)), None)


def _holds_signed(text: str) -> bool:
    """A JWT, signed or encrypted: its first part reads as a header."""
    for run in _SIGNED.findall(text):
        parts = run.split(".")
        for head, body in pairwise(parts):
            if head.startswith("eyJ") and len(body) > 8 and b'"alg"' in _decoded(head):
                return True
    return False


def _decoded(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        return b""


def _holds_password(text: str) -> bool:
    for found in _NAMED_PASSWORD.finditer(text):
        named, told = found.groups()
        value = (named or told).strip("\"'\u201c\u201d*`.,;!?()")
        if len(value) >= 4 and (_is_mixed(value) or (named and _ends_line(text, found.end(), value))):
            return True
    if any(_is_phrase(found.group(), found.group(1)) for found in _PHRASE.finditer(text)):
        return True
    bare = (found.group(1).rstrip("!.,;") for found in _BARE_PASSWORD.finditer(text))
    if any(_is_mixed(one) and any(map(str.isdigit, one)) for one in bare):
        return True
    return any(len(one) >= 4 and _is_mixed(one) for one in told_secrets.values(_TOLD_PASSWORD, text))


def _is_phrase(whole: str, said: str) -> bool:
    """Whether words behind a password's name are one, and no sentence about it: two of them behind `=`, else
    four; none of them holds a sentence together.
    """
    words = said.lower().split()
    return (
        len(words) >= (2 if "=" in whole else 4)
        and not (_WORDS - {"correct"}).intersection(words)
        and not _JOINTS.intersection(words)
    )


def _ends_line(text: str, end: int, value: str) -> bool:
    """Whether one word stands where a password is said to be, and nothing after it."""
    return not text[end : end + 40].split("\n")[0].strip() and value.lower() not in _WORDS


def _is_mixed(value: str) -> bool:
    """Whether it is no word of any language: digits or signs stand among its letters."""
    letters = any(map(str.isalpha, value))
    others = any(not one.isalpha() and one not in "-'\u2019/.,:" for one in value)
    return letters and others and "://" not in value


def _holds_key(text: str) -> bool:
    for found in _NAMED_KEY.finditer(text):
        value = found.group(1).strip("\"'\u201c\u201d*`.,;!?()")
        if len(value) >= 8 and _is_mixed(value) and any(map(str.isdigit, value)) and "@" not in value:
            return True
    told = told_secrets.values(_TOLD_KEY, text)
    return any(len(one) >= 8 and _is_mixed(one) and any(map(str.isdigit, one)) for one in told)


def _holds_code(text: str) -> bool:
    told = any(pattern.search(text) for pattern in _TOLD_CODES)
    return told or _NAMED_CODE.search(text) is not None


def _holds_card(text: str) -> bool:
    text = _ACCOUNT.sub(lambda found: "" if _is_account(found.group()) else found.group(), text)
    return any(map(_is_card, _numbers(text)))


def _numbers(text: str) -> Iterator[str]:
    for found in _CARD.finditer(text):
        groups = re.split("[ -]", found.group(1))
        yield "".join(groups)
        if len(groups) == 5:  # what stands behind it is the code on its back
            yield "".join(groups[:4])


def _is_card(digits: str) -> bool:
    known = any(len(digits) in lengths and begins.match(digits) for lengths, begins in _ISSUERS)
    if not known or len(set(digits)) < 2:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_account(text: str) -> bool:
    """Whether it is an IBAN (ISO 13616): no secret, and full of digits."""
    bare = text.replace(" ", "")
    return int("".join(str(int(one, 36)) for one in bare[4:] + bare[:4])) % 97 == 1


def _holds_random(text: str) -> bool:
    for found in _RUN.finditer(text):
        if "://" in text[max(0, found.start() - 200) : found.start()].rpartition(" ")[2]:
            continue  # a link's own ids
        if any(map(_is_random, _PARTS.split(found.group()))):
            return True
    return any(map(_is_signing_key, _FORTY.findall(text)))


def _is_signing_key(part: str) -> bool:
    """Whether forty characters of base64 are an AWS secret key, which no path and no digest looks like."""
    kinds = [
        "0" if one.isdigit() else "A" if one.isupper() else "a" if one.islower() else "/" for one in part
    ]
    changes = sum(one != other for one, other in pairwise(kinds))
    return {"0", "A", "a"} <= set(kinds) and changes >= 15 and not _WORD_INSIDE.search(part)


def _is_random(part: str) -> bool:
    """Whether small and large letters and digits change as they do in what no person wrote."""
    if len(part) < _LONG:
        return False
    kinds = ["0" if one.isdigit() else "A" if one.isupper() else "a" for one in part]
    changes = sum(one != other for one, other in pairwise(kinds))
    return {"0", "A", "a"} <= set(kinds) and kinds.count("0") >= 2 and changes >= 0.4 * len(part)


_KINDS: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("a private key", _PRIVATE_KEY.search),
    ("a token that gives access to something", _PREFIXED.search),
    ("a signed token", _holds_signed),
    ("an address with a password in it", _LOGIN.search),
    ("a token that gives access to something", _BEARER.search),
    ("a password", _holds_password),
    ("a secret key", _holds_key),
    ("a code that is for one person only", _holds_code),
    ("the number of a payment card", _holds_card),
    ("a secret key", _holds_random),
)
