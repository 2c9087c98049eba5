"""Whether a message stays inside: only where every field of it is known and harmless; pure.

Tools spell a message in a hundred ways, and an attacker picks the one that we do not know. So it is not
searched for what leaves: what is not understood, leaves. The fields that are known are those of the mail
tools in tests/policy/messages.yml.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from signoff.policy.texts import breaks_a_line, is_message, is_name
from signoff.policy.words import plain_name, words

MOST_PARTS = 2000
"""Values in a message; one with more is not looked at, and leaves."""
DEEPEST = 12


def names(text: str) -> frozenset[str]:
    """Names with blanks between them → the set of them."""
    return frozenset(text.split())


RECEIVERS = names(
    "to cc bcc recipient recipients receiver receivers email emails mail address addresses email_address "
    "email_addresses to_email to_emails to_address to_addresses to_recipients to_list cc_address "
    "cc_addresses cc_email cc_emails cc_recipients cc_list bcc_address bcc_addresses bcc_email bcc_emails "
    "bcc_recipients bcc_list recipient_email recipient_emails contact contacts list lists mailing_list group "
    "groups destination destinations to_addrs rcpt_to"
)
"""Who gets it: addresses, lists of them, and objects that hold one."""
SENDERS = names(
    "from sender from_email from_address from_email_address from_addr mail_from source sender_email "
    "sender_address reply_to reply_to_list reply_to_addresses reply_to_address reply_to_email return_path "
    "user_google_email from_mail"
)
"""Whom it is from, and who gets the answers."""
LINES = names("subject subject_line title heading headline")
"""Texts that become a header: one line."""
PEOPLE = names("from_name sender_name to_name recipient_name reply_to_name")
PROSE = names(
    "body text html message content html_body text_body body_html body_text html_content text_content plain "
    "plain_text plaintext note notes description markdown msg signature comment preheader preview_text"
)
"""The message's own words, or an object that holds them."""
FLAGS = names(
    "priority importance sensitivity is_html html_format format body_format body_type content_type mime_type "
    "charset encoding send_at scheduled_at schedule_at deliver_at save_to_sent_items track_opens track_links "
    "track_clicks tag tags category categories label labels dry_run request_read_receipt "
    "is_read_receipt_requested is_delivery_receipt_requested message_stream language locale "
    "idempotency_key x_priority"
)
"""Numbers, yes or no, and single words that change nothing about who gets it."""
HOLDERS = names(
    "message mail email email_message msg content destination envelope personalizations payload data params "
    "parameters arguments args input options request messages simple headers draft"
)
"""What may hold a message, or a part of one."""
_WHOLE_MAIL = names("message raw mime rfc eml multipart")
"""What a format is called whose text has headers of its own."""
_IN_PERSON = names("name display_name first_name last_name")
_ATTACHED = names("attachment attachments")
_FILE = {
    "name": names("name filename file_name"),
    "content": names("content content_bytes data base_64 base_64_content"),
    "flag": names(
        "type content_type mime_type disposition content_disposition content_id size is_inline encoding"
    ),
}

_TOKEN = re.compile(r"[A-Za-z0-9 ._;=+-]{0,100}(?:/[A-Za-z0-9 ._;=+-]{0,100})?", re.ASCII)
_TIME = re.compile(r"[0-9TZ:.+ -]{0,40}", re.ASCII)
_NAMED = re.compile(r"[A-Za-z0-9 .'-]{0,64}<([^<>]{1,320})>", re.ASCII)
_SITE = re.compile(r"\w[.\uff0e\u3002\uff61\u2024]\w{2}|\b(?:at|dot)\b", re.IGNORECASE)
"""What makes of a name a domain, or an address in words, which some tools complete."""
_FILE_NAME = re.compile(r"[^:\\%<>\"|?*]{1,255}")
_SCHEME = re.compile(r"\s{0,8}[A-Za-z][A-Za-z0-9+.-]{0,20}:", re.ASCII)


class _Leaves(Exception):
    """The message leaves, or nobody knows; the text says why, without a word of the message."""


def why_outside(payload: dict[str, Any], is_ours: Callable[[str], bool]) -> str:
    """Why a message is not surely for our own people alone; empty where it is.

    `is_ours` says whether a text is one address of ours, in its plain form.
    """
    try:
        if not _Message(is_ours).receivers(payload):
            return "it names nobody of internal_domains"
    except _Leaves as found:
        return str(found)
    return ""


class _Message:
    """One walk over one message. Raises _Leaves at the first part that is not known to be harmless."""

    def __init__(self, is_ours: Callable[[str], bool]) -> None:
        self._is_ours = is_ours
        self._parts = 0

    def receivers(self, fields: dict[str, Any], depth: int = 0, within: str = "") -> int:
        """How many addresses, all of them ours, are reached by what these fields say.

        `within` is what holds them: `person` or `prose`, where a few more names are known.
        """
        found = 0
        for key, value in fields.items():
            self._count(depth)
            found += self._field(key, value, depth + 1, within)
        return found

    def _count(self, depth: int) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS or depth > DEEPEST:
            raise _Leaves("it has more parts than are looked at")

    def _field(self, key: str, value: Any, depth: int, within: str) -> int:
        name = plain_name(key)
        if not name:
            raise _Leaves("a field's name is no plain word")
        if name in RECEIVERS and not (name in HOLDERS and isinstance(value, dict)):
            return self._people(name, value, depth)
        if name in SENDERS:
            self._sender(name, value, depth)
        elif name in LINES:
            self._line(name, value, depth)
        elif name in PEOPLE or (within == "person" and name in _IN_PERSON):
            _person(name, value)
        elif name in PROSE or (within == "prose" and name in ("value", "data")):
            return self._prose(name, value, depth)
        elif name in FLAGS or (within == "prose" and name == "type"):
            self._flag(name, value, depth)
        elif within == "person" and name == "type" and value in ("to", "cc", "bcc"):
            pass
        elif name in _ATTACHED:
            self._attached(value, depth)
        elif name in HOLDERS:
            return self._held(name, value, depth)
        else:
            raise _Leaves(f"nobody knows what {name[:40]} is")
        return 0

    def _people(self, name: str, value: Any, depth: int) -> int:
        self._count(depth)
        if isinstance(value, list | tuple):
            return sum(self._people(name, one, depth + 1) for one in value)
        if isinstance(value, dict):
            found = self.receivers(value, depth, "person")
            if not found:
                raise _Leaves(f"an object in {name} has no address")
            return found
        if not isinstance(value, str) or not self._is_ours(value):
            raise _Leaves(f"{name} is not surely an address of internal_domains")
        return 1

    def _sender(self, name: str, value: Any, depth: int) -> None:
        self._count(depth)
        if isinstance(value, list | tuple):
            for one in value:
                self._sender(name, one, depth + 1)
        elif isinstance(value, dict):
            self.receivers(value, depth, "person")
        elif isinstance(value, str):
            named = _NAMED.fullmatch(value)
            if not self._is_ours(named[1] if named else value):
                _person(name, value)
                if _SITE.search(value):
                    raise _Leaves(f"{name} looks like a domain, or an address in words")
        elif value is not None:
            raise _Leaves(f"{name} is neither a name nor an address")

    def _line(self, name: str, value: Any, depth: int) -> None:
        """A header's text; or an object that holds it, as Amazon SES has it."""
        self._count(depth)
        if isinstance(value, dict):
            for key, one in value.items():
                inner = plain_name(key)
                if inner in ("data", "content", "value", "text") and not isinstance(one, dict):
                    self._line(name, one, depth + 1)
                elif inner in FLAGS:
                    self._flag(inner, one, depth + 1)
                else:
                    raise _Leaves(f"{name} holds more than a text")
        elif isinstance(value, str):
            if breaks_a_line(value):
                raise _Leaves(f"{name} has a line break or another control character, or what becomes one")
        elif isinstance(value, list | tuple):
            raise _Leaves(f"{name} is a list")

    def _prose(self, name: str, value: Any, depth: int) -> int:
        self._count(depth)
        if isinstance(value, dict):
            return self.receivers(value, depth, "prose")
        if isinstance(value, list | tuple):
            return sum(self._prose(name, one, depth + 1) for one in value)
        if isinstance(value, str) and is_message(value):
            raise _Leaves(f"{name} looks like a message of its own")
        return 0

    def _flag(self, name: str, value: Any, depth: int) -> None:
        self._count(depth)
        if isinstance(value, list | tuple):
            for one in value:
                self._flag(name, one, depth + 1)
        elif (
            isinstance(value, dict)
            and name in ("tag", "tags")
            and set(map(plain_name, value)) <= {"name", "value"}
        ):
            for one in value.values():
                self._flag(name, one, depth + 1)
        elif isinstance(value, str):
            whole = _TOKEN.fullmatch(value) or _TIME.fullmatch(value)
            if not whole or not _WHOLE_MAIL.isdisjoint(words(value)):
                raise _Leaves(f"{name} is no plain word, or says that a text is a whole mail")
        elif isinstance(value, dict):
            raise _Leaves(f"{name} is an object")

    def _attached(self, value: Any, depth: int) -> None:
        self._count(depth)
        if isinstance(value, list | tuple):
            for one in value:
                self._attached(one, depth + 1)
        elif isinstance(value, dict):
            for key, one in value.items():
                self._part_of_file(key, one, depth + 1)
        elif isinstance(value, str):
            _file_name(value)
        elif value is not None:
            raise _Leaves("an attachment is no file")

    def _part_of_file(self, key: str, value: Any, depth: int) -> None:
        self._count(depth)
        name = plain_name(key)
        if key == "@odata.type" and value == "#microsoft.graph.fileAttachment":
            return
        if name in _FILE["name"] and isinstance(value, str):
            _file_name(value)
        elif name in _FILE["content"] and isinstance(value, str) and not _SCHEME.match(value):
            return
        elif name in _FILE["flag"]:
            self._flag(name, value, depth)
        else:
            raise _Leaves(f"an attachment comes from elsewhere, or nobody knows what its {name[:40]} is")

    def _held(self, name: str, value: Any, depth: int) -> int:
        self._count(depth)
        if isinstance(value, list | tuple):
            return sum(self._held(name, one, depth + 1) for one in value)
        if not isinstance(value, dict):
            raise _Leaves(f"{name} is no object")
        return self.receivers(value, depth)


def _person(name: str, value: Any) -> None:
    if value is not None and not is_name(value):
        raise _Leaves(f"{name} is no plain name")


def _file_name(value: str) -> None:
    if not _FILE_NAME.fullmatch(value) or value.startswith("//") or breaks_a_line(value):
        raise _Leaves("an attachment comes from elsewhere, or its name is no plain one")
