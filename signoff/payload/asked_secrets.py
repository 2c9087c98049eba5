"""Questions that ask a person for a secret, and short answers that are one by what was asked; pure.

`secrets` knows a secret by its form, or by its name beside it. Here the name stands in the question. What
only speaks of one (`Which API key should I rotate?`) asks for none: its name counts where somebody is to say
what it is, and only at the end of a sentence or before `of`, `for` and the like, so that `password policy`
does not.
"""

from __future__ import annotations

import re

from signoff.payload.blank import seen

_PASSWORD = (
    r"(?:passwords?|passwds?|passphrases?|passcodes?|pwd|passwort|kennwort|contrase\u00f1a|mot de passe|senha"
    r"|wachtwoord|has\u0142o|heslo|\u043f\u0430\u0440\u043e\u043b\u044c|\u5bc6\u7801|\u5bc6\u78bc"
    r"|\u30d1\u30b9\u30ef\u30fc\u30c9|\ube44\ubc00\ubc88\ud638)"
)
_PIN = (
    r"(?:(?-i:PINs?|PUK|TAN|OTPs?|CVV2?|CVC2?)|pin[ -]?(?:code|number)|totp|otp|cvv2?|cvc2?"
    r"|(?<=your )pin|(?<=card )pin|(?<=his )pin|(?<=her )pin)"
)
_CODE_OF_ONE = (
    r"(?:(?:verification|security|confirmation|one[- ]?time|2fa|mfa|two[- ]factor|sms|log[ -]?in|sign[ -]?in"
    r"|auth\w{0,12}|access|door|alarm|backup|recovery|[0-9][ -]?digit)[ -](?:codes?|passwords?))"
)
_KEY = (
    r"(?:(?:api|access|private|secret|signing|encryption|ssh|licen[cs]e)[ _-]?keys?"
    r"|(?:client|shared|api|app|signing|webhook)[ _-]secrets?"
    r"|(?:access|api|auth\w{0,12}|bearer|refresh|bot|admin|service|session|deploy)[ _-]tokens?"
    r"|(?:login |account |admin )?credentials?|seed phrase|recovery phrase)"
)
_PHONE = (
    r"(?:phones?|mobile|handy|sms|texts?|text messages?|e?-?mail|inbox|authenticator(?: app)?|device|telefon)"
)
_HARMLESS = (
    r"error|exit|status|response|country|area|postal|post|zip|promo|product|order|invoice|tracking|discount"
    r"|voucher|coupon|source|qr|bar|sku|currency|reason|booking|airport|language|color|colour|project|tax"
)
_SENT = (
    rf"(?:(?P<harmless>{_HARMLESS})[ -])?code(?: (?!on\b|of\b|review)[\w',-]+){{0,8}}"
    r" (?:by|to|in|on|from|via|aus der|auf)"
    rf" (?:(?:your|the|my|his|her|their|an?|dein\w*|ihr\w*|der|dem) ){{0,2}}{_PHONE}(?!\w)"
)
_END = (
    r"(?=[ ]?(?:[?.,:;!)\"\u201d/]|\Z)"
    r"|[ ](?:for(?!\?)|of|to|on|in|at|from|that|which|you|we|i|they|please|now|here|again|and|or|as|with"
    r"|by|he|she|f\u00fcr|von|zu[mr]?|de|du|del|der|des|sent)\b"
    r"|[ ](?:should|do|did|does|can)[ ](?:i|we|you)[ ](?:use|enter|type|log)\b)"
)
_BREAK = (
    r"(?:is|are|was|do|does|did|has|have|should|of|for|to|in|on|with|that|which|about"
    r"|from|by|at|policy|names?|length|format|reason|best|max|min"
    rf"|maximum|minimum|age|difference|purpose|owner|next|{_HARMLESS})"
)
_FILL = rf"(?:(?!{_BREAK}\b)[\w'\u2019-]+[ ]){{0,5}}"
_SAYS = (
    r"(?<!\w)(?:what(?:[ ](?:is|was|are|were)|'s|\u2019s)?|which"
    r"|(?:(?<!i )(?<!we )(?<!to )(?<!never )(?<!not )(?<!n.t )|(?<=you to ))"
    r"(?:enter|type(?:[ ]in)?|paste|provide|supply|share|confirm|repeat|reply[ ]with)"
    r"|(?:give|tell|send|show|read)[ ](?:me|us)|(?<!do )(?:i|we)[ ](?:will[ ])?need"
    r"|was[ ]ist|wie[ ](?:lautet|ist)|gib|nenne?|schick\w*|quel(?:le)?[ ]est|donne[- ]moi"
    r"|cu\u00e1l[ ]es|dime|dame|qual[ ]\u00e9|\u043a\u0430\u043a\u043e\u0439)[ ]"
)
_ALONE = r"(?:\A|[.!?][ ])(?:(?:the|your|an?)[ ])?{name}(?:[ ]?[?:]|[ ](?:for|of)\b|,?[ ]please|[ ]?\Z)"
_TOPIC = (
    r"(?![ ](?:hash\w*|algorithms?|managers?|lengths?|rules?|formats?|types?|protocols?|flows?|schemes?))"
)
_CARD = r"(?:(?:credit |debit |payment )?card numbers?)"
_CODE, _WORDS, _LONG_KEY = "a code that is for one person only", "a password", "a secret key"
_NAMES = ((_WORDS, _PASSWORD), (_CODE, _CODE_OF_ONE), (_CODE, _PIN), (_LONG_KEY, _KEY))
_ASKS = tuple(
    (kind, re.compile(f"{_SAYS}{_FILL}{name}{_END}|{_ALONE.replace('{name}', name)}", re.I))
    for kind, name in (*_NAMES, ("the number of a payment card", _CARD))
)
_SPEAKS = tuple((kind, re.compile(rf"(?<!\w){name}(?!\w){_TOPIC}", re.I)) for kind, name in _NAMES)
_ASKS_SENT = re.compile(rf"{_SAYS}{_FILL}{_SENT}", re.I)
_SPEAKS_SENT = re.compile(rf"(?<!\w){_SENT}", re.I)
_THE_CODE = re.compile(r"(?<!\w)(?:the|your|that|this)[ ]code(?=[ ]?(?:[?.!:]|\Z))", re.I)
_NUMBER = re.compile(
    r"(?:(?:it|that)(?: is|'s| was) |(?:the )?code(?: is|:)? |is )?[0-9][0-9 -]{1,8}[0-9]", re.I
)
_IDENTIFIER = re.compile(r"[^\W\d_]+(?:[-_./:]+(?:[^\W\d_]+\d{0,2}|\d+))*")
_KNOWN = re.compile(r"1password|[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}|\S*://\S*", re.I)


def asked_for(question: str) -> str | None:
    """What kind of secret a question asks a person for, as `a password`; None where it asks for none."""
    plain = " ".join(seen(question).split())
    found = next((kind for kind, asks in _ASKS if asks.search(plain)), None)
    if found is None and (sent := _ASKS_SENT.search(plain)) and not sent["harmless"]:
        return _CODE
    return found


def answered_with(question: str, answer: str) -> str | None:
    """What kind of secret a short answer is, since the question speaks of one; None where it is none."""
    plain = " ".join(seen(question).split())
    kinds = {kind for kind, speaks in _SPEAKS if speaks.search(plain)}
    sent = _SPEAKS_SENT.search(plain)
    if _THE_CODE.search(plain) or (sent and not sent["harmless"]):
        kinds.add(_CODE)
    said = seen(answer).strip().strip("\"'\u201c\u201d\u201e*`.,;?()")
    if _CODE in kinds and _NUMBER.fullmatch(said) and 3 <= sum(map(str.isdigit, said)) <= 8:
        return _CODE
    if not kinds or len(said) < 6 or " " in said or _IDENTIFIER.fullmatch(said) or _KNOWN.fullmatch(said):
        return None
    digits, letters = any(map(str.isdigit, said)), any(map(str.isalpha, said))
    signs = any(not one.isalnum() and one not in "-'\u2019/.,:_!" for one in said)
    if not letters or not (digits or signs):
        return None
    if _WORDS in kinds:
        return _WORDS
    return _LONG_KEY if _LONG_KEY in kinds and len(said) >= 16 else None
