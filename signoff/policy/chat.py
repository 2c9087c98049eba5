"""Whether what goes to the company's own chat stays there: only where every field is known; pure.

Its name says that it is inside, and a chat's ids say nothing about who reads there. But a tool that posts may
do more: send a mail, call a webhook, ask another server. So as with mail (see `message`), what is not known
to be harmless, leaves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from signoff.policy.message import (
    DEEPEST,
    FLAGS,
    HOLDERS,
    LINES,
    MOST_PARTS,
    PEOPLE,
    PROSE,
    RECEIVERS,
    SENDERS,
    names,
)
from signoff.policy.texts import is_message, is_name
from signoff.policy.words import plain_name

PLACES = names(
    "channel channels channel_id channel_ids channel_name conversation conversation_id "
    "room_id room_name team team_id team_name chat chat_id thread thread_id thread_ts ts root_id parent_id "
    "reply_to_id message_id post_id user user_id users user_ids mention mentions member members workspace_id "
    "file_ids to group groups receiver receivers destination"
)
"""Where it is posted, who is named, and what it answers: the chat's own ids and names."""
CHAT_PROSE = PROSE | LINES | names("summary details detail initial_comment")
"""What a message says, or an object that holds it."""
CHAT_FLAGS = FLAGS | names(
    "unfurl_links unfurl_media mrkdwn link_names reply_broadcast as_user parse severity level urgent silent "
    "ephemeral icon_emoji color timestamp client_msg_id filetype type"
)
CHAT_PEOPLE = PEOPLE | SENDERS | names("username user_name display_name bot_name author")
RICH = names("blocks attachments card cards adaptive_card sections elements")
"""What holds a message's parts, with links and pictures in them, as Slack's blocks and Teams' cards do."""
RICH_PARTS = (
    RICH
    | CHAT_PROSE
    | names(
        "type fields accessory image_url alt_text url action_id block_id value style emoji verbatim "
        "title_link color footer footer_icon fallback pretext author_name author_link author_icon "
        "thumb_url ts "
        "mrkdwn_in short name id content_type actions items columns width size weight wrap "
        "is_subtle facts version "
        "label placeholder spacing separator horizontal_alignment level language border indent offset "
        "user_id channel_id usergroup_id range unicode subtitle theme_color activity_title activity_subtitle"
    )
)
REACHES = names(
    "webhook webhooks hook hooks url urls uri uris endpoint endpoints host hostname server domain domains "
    "site base callback origin email emails mail mails cc bcc recipient recipients address addresses"
)
"""Words in the name of a field that may be there if all that stands in it is ours."""
# No dot, slash, @ inside or +, so that it is no host, no address and no telephone.
_PLACE = re.compile(r"[#@]?[\w -]{1,100}")
_NUMBER = re.compile(r"[\d -]{5,}")
_STAMP = re.compile(r"[0-9]{1,12}\.[0-9]{1,8}", re.ASCII)
_TEAMS = re.compile(r"19:[A-Za-z0-9_-]{1,100}@(?:thread\.(?:tacv2|v2|skype)|unq\.gbl\.spaces)", re.ASCII)
"""A conversation's id in Teams, which looks like an address."""
_FLAG = re.compile(r"[A-Za-z0-9 ._:;=+#-]{0,100}(?:/[A-Za-z0-9 ._;=+-]{1,100})?", re.ASCII)


def why_chat_leaves(payload: dict[str, Any], is_ours: Callable[[Any], bool]) -> str:
    """Why what is to go to the company's own chat may go elsewhere as well; empty where all of it is known.

    `is_ours` says whether an address or a URL is ours. A chat's ids say nothing about who reads there.
    """
    left: list[tuple[str, Any, str, int]] = [("payload", payload, "", 0)]
    for number, (name, value, within, depth) in enumerate(left):
        if number > MOST_PARTS or depth > DEEPEST:
            return "it has more parts than are looked at"
        if isinstance(value, list | tuple):
            left += [(name, one, within, depth + 1) for one in value]
        elif isinstance(value, dict):
            if within != "rich" and name not in CHAT_PROSE | HOLDERS | RICH | RECEIVERS | {"props"}:
                return f"{name[:40]} is an object that nobody knows"
            inner = "rich" if within == "rich" or name in RICH else ""
            for key, one in value.items():
                plain = plain_name(key)
                if not plain and not (inner and key == "$schema"):
                    return "a field's name is no plain word"
                left.append((plain or "version", one, inner, depth + 1))
        elif why := _why_not(name, value, within, is_ours):
            return why
    return ""


def _why_not(name: str, value: Any, within: str, is_ours: Callable[[Any], bool]) -> str:
    """Why one field that is no object and no list is not known to be harmless."""
    short = name[:40]
    if within == "rich":
        return "" if name in RICH_PARTS else f"nobody knows what {short} is"
    if name in CHAT_PROSE or name in RICH:
        wrong = isinstance(value, str) and name not in RICH and is_message(value)
        return f"{short} looks like a message of its own" if wrong else ""
    if name in PLACES:
        return (
            "" if value is None or _is_place(name, value) or is_ours(value) else f"{short} is no chat's name"
        )
    if name in CHAT_PEOPLE:
        known = value is None or is_ours(value) or (is_name(value) and _is_place(name, value))
        return "" if known else f"{short} is no plain name"
    if name in CHAT_FLAGS:
        known = not isinstance(value, str) or _FLAG.fullmatch(value) is not None
        return "" if known else f"{short} is no plain word"
    if not REACHES.isdisjoint(name.split("_")):
        return "" if is_ours(value) else f"{short} is not surely one of internal_domains"
    return f"nobody knows what {short} is"


def _is_place(name: str, value: Any) -> bool:
    """Whether a value is a name or an id of the chat's own, and no host, address or telephone."""
    if not isinstance(value, str):
        return isinstance(value, int) and name.endswith(("_id", "_ids"))
    text = unicodedata.normalize("NFKC", value[:200])
    if _TEAMS.fullmatch(value) or (_STAMP.fullmatch(value) and name in ("ts", "thread_ts")):
        return True
    if _NUMBER.fullmatch(text) and not name.endswith(("_id", "_ids")):
        return False
    return len(value) <= 101 and _PLACE.fullmatch(text) is not None
