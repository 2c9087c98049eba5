"""What Slack says: tokens, scopes, the channel, and the people who may decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from signoff.approvals.authority import may_decide
from signoff.approvals.errors import GroupsUnread, NotAllowed
from signoff.approvals.verdicts import everybody
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.slack.manifest import request_url
from signoff.cli.doctor.patient import Fault, Note, Patient, Skip
from signoff.errors import SignoffError
from signoff.models.people import MEMBERS, Person, is_group
from signoff.server.settings import SLACK

SCOPES = ("chat:write", "commands", "app_mentions:read", "users:read", "usergroups:read")
"""What manifest.yml asks for, and Signoff cannot do without."""
_DOUBLES = "a card that a crash has posted without noting it is not looked for, and may stand twice"
_CHANNELS = "nobody checks here whether channels are there, open, and have the app"
OPTIONAL = {
    "channels:read": _CHANNELS,
    "groups:read": _CHANNELS,
    "channels:history": _DOUBLES,
    "groups:history": _DOUBLES,
    "im:history": _DOUBLES,
    "files:write": "images and PDFs of a payload do not stand in its card's thread",
}
"""What it asks for and whoever installs the app may leave out (`bot_optional`), and what is lost then."""
AGAIN = "install the app again with the scopes of `signoff manifest`, and take the new SLACK_BOT_TOKEN"
WHO = "name full members of this workspace in SIGNOFF_APPROVERS (in Slack: a profile's menu, Copy member ID)"
NO_GROUPS = (
    "name people by their ids in the place of each, in the policy or in SIGNOFF_APPROVERS; or have the "
    "workspace on a plan that has user groups, and the app with the scope usergroups:read"
)
SHARED = ", shared with another organisation"
PAGES = 50
"""Pages of 200 channels that are looked through for a name."""


def tokens(patient: Patient) -> str:
    """Slack takes them: the bot's and the app's, or where Slack calls us the bot's."""
    bot_token(patient)
    if patient.settings.signing_secret:
        return "Slack takes the bot's; it calls Signoff itself, and signs that"
    app_token(patient)
    return "Slack takes the bot's and the app's"


def calls(patient: Patient) -> str:
    """Where Slack calls us: at an address that it can reach, which is known and answers here, too."""
    found = patient.settings
    if not found.signing_secret:
        return "none: Signoff connects to Slack (Socket Mode)"
    fix = "set SIGNOFF_WEB_URL to the https:// address of the proxy before `signoff web`, as Slack reaches it"
    if not found.web_url:
        raise Fault("SIGNOFF_WEB_URL is not set, and Slack calls https://… only", fix)
    if not found.web_url.startswith("https://") and found.slack_api_url == SLACK:
        raise Fault(f"SIGNOFF_WEB_URL is {found.web_url}, and Slack calls https://… only", fix)
    address = request_url(found.web_url)
    return (
        f"Slack is to call {address}: `signoff manifest --http {found.web_url}` has it at each of its places"
    )


def bot_token(patient: Patient) -> str:
    """Slack takes the bot's; as whom, and where."""
    token = patient.settings.slack_bot_token
    said = _taken(patient, "SLACK_BOT_TOKEN", token, "auth.test", "OAuth & Permissions (xoxb-…)")
    return f"{said.get('user')} in {said.get('team')}"


def app_token(patient: Patient) -> None:
    """Slack takes the app's."""
    token = patient.settings.slack_app_token
    _taken(patient, "SLACK_APP_TOKEN", token, "apps.connections.open", "App-Level Tokens (xapp-…)")


def _taken(patient: Patient, name: str, token: SecretStr | None, method: str, page: str) -> Mapping[str, Any]:
    """What Slack answers to a call with this token; raises Fault where it takes it not."""
    fix = f"take it from the app's page in Slack, {page}"
    if token is None or not token.get_secret_value():
        raise Fault(f"{name} is not set", fix)
    try:
        return patient.slack_as(token).call(method)
    except SlackRefused as error:
        raise Fault(f"Slack does not take {name}: {error.code}", fix) from None
    except SlackUnavailable as error:
        raise Fault(
            f"Slack cannot be reached: {error.detail}",
            f"check the network, a proxy, and SLACK_API_URL ({patient.settings.slack_api_url})",
        ) from None


def scopes(patient: Patient) -> str:
    """The bot has all that it needs."""
    with _answering():
        granted = patient.slack.scopes()
    if granted is None:
        raise Skip("Slack did not say which scopes the token has")
    missing = [scope for scope in SCOPES if scope not in granted]
    if missing:
        raise Fault(f"the bot's token lacks {', '.join(missing)}", AGAIN)
    lost: dict[str, list[str]] = {}
    for scope, what in OPTIONAL.items():
        if scope not in granted:
            lost.setdefault(what, []).append(scope)
    had = ", ".join((*SCOPES, *(scope for scope in OPTIONAL if scope in granted)))
    return "; ".join((had, *(f"without {', '.join(names)}: {what}" for what, names in lost.items())))


def channel(patient: Patient) -> str:
    """The default channel, and each that the policy names: there, open, and the app is in it."""
    wanted = patient.settings.channel
    others = [name for name in patient.settings.policy().places if name != wanted]
    names = [one_channel(patient, wanted, "SIGNOFF_CHANNEL")]
    names += [one_channel(patient, name, "the policy's channel") for name in others]
    if any(name.endswith(SHARED) for name in names):
        raise Note(
            ", ".join(names),
            "people of that organisation read every card there, and none of them may decide: name a channel "
            "of your own where that is not what you want",
        )
    return ", ".join(names)


def one_channel(patient: Patient, wanted: str, where: str) -> str:
    """A channel's name and id; raises Fault, naming the setting, where cards cannot come there."""
    try:
        with _answering(_NotLookedAt):
            found = _find_channel(patient, wanted)
    except _NotLookedAt as scope:
        return f"{wanted} (not looked at: the app lacks {scope})"
    if found is None:
        raise Fault(
            f"there is no channel {wanted}, or it is private and the app is not in it",
            f"set {where} to its id (in Slack: the channel's details), or invite the app to it",
        )
    name = f"#{found.get('name')} ({found.get('id')})"
    if found.get("is_archived"):
        raise Fault(f"{name} is archived", f"unarchive it, or set {where} to another one")
    if not found.get("is_member"):
        raise Fault(f"the app is not in {name}", f"in {name}: /invite @ and the app's name")
    return name + (SHARED if found.get("is_ext_shared") else "")


def approvers(patient: Patient) -> str:
    """Each is there and may decide, also those that the policy names; admins are there."""
    policy = patient.settings.policy()
    groups = policy.contents.groups.values() if policy.contents else ()
    owners = [about.owner for about in policy.contents.agents if about.owner] if policy.contents else []
    named = tuple(dict.fromkeys((*everybody(policy), *(one for ids in groups for one in ids), *owners)))
    unread = _unread(patient, [approver for approver in named if is_group(approver)])
    for approver in named:
        where = "SIGNOFF_APPROVERS" if approver in policy.approvers else "the policy"
        if approver not in unread:
            one_approver(patient, approver, where)
    with _answering():
        for admin in patient.settings.admin_ids():
            _check_person(patient, admin, "SIGNOFF_ADMINS")
    if unread:
        raise _no_groups(*unread.items())
    return ", ".join(named)


def _unread(patient: Patient, groups: Sequence[str]) -> dict[str, str]:
    """Those user groups whose members Slack does not say, and why."""
    found = {}
    for group_id in groups:
        try:
            with _answering(NotAllowed):
                patient.directory.group(group_id)
        except GroupsUnread as error:
            found[group_id] = error.why
    return found


def _no_groups(*unread: tuple[str, str]) -> Fault:
    groups, why = ", ".join(group_id for group_id, _ in unread), unread[0][1]
    many = "s" if len(unread) > 1 else ""
    return Fault(f"nobody can decide as a member of the user group{many} {groups}: {why}", NO_GROUPS)


def one_approver(patient: Patient, approver: str, where: str) -> str:
    """Who that is; raises Fault, naming the setting, where they may not decide."""
    with _answering():
        if is_group(approver):
            return f"the user group {approver}, {_check_group(patient, approver)} members"
        if approver == MEMBERS:
            return "every full member of this workspace"
        return f"{_check_person(patient, approver, where).name} ({approver})"


def _check_group(patient: Patient, group_id: str) -> int:
    try:
        members = patient.directory.group(group_id)
    except GroupsUnread as error:
        raise _no_groups((group_id, error.why)) from None
    for user_id in members:
        try:
            may_decide(user_id, (group_id,), patient.directory)
            return len(members)
        except NotAllowed:
            continue
    what = "has no member who may decide" if members else "is empty, disabled, or not there"
    raise Fault(f"the user group {group_id} {what}", "add full members of this workspace, or name others")


def _check_person(patient: Patient, user_id: str, where: str) -> Person:
    try:
        person = patient.directory.person(user_id)
    except NotAllowed:
        raise Fault(f"{where}: {user_id} is nobody in this workspace", WHO) from None
    try:
        may_decide(user_id, (user_id,), patient.directory)
    except NotAllowed:
        found = f"{where}: {person.name} ({user_id}) {_why_not(person)}"
        raise Fault(f"{found} and may not decide", WHO) from None
    return person


def _why_not(person: Person) -> str:
    for is_so, what in (
        (person.deleted, "was deactivated"),
        (person.bot, "is a bot"),
        (person.guest, "is a guest"),
    ):
        if is_so:
            return what
    return "is of another organisation"


class _NotLookedAt(SignoffError):
    """A scope that may be left out is missing."""


def _find_channel(patient: Patient, wanted: str) -> Mapping[str, Any] | None:
    """By its id, else by its name among all that the app can see; None where there is none."""
    try:
        found: Mapping[str, Any] = patient.slack.call("conversations.info", channel=wanted)["channel"]
        return found
    except SlackRefused as error:
        if error.code == "missing_scope":
            raise _NotLookedAt("channels:read or groups:read") from None
        if error.code != "channel_not_found":
            raise
    granted = patient.slack.scopes() or OPTIONAL
    kinds = {"channels:read": "public_channel", "groups:read": "private_channel"}
    types = ",".join(kind for scope, kind in kinds.items() if scope in granted)
    missing = [scope for scope in kinds if scope not in granted]
    return _named_channel(patient, wanted.removeprefix("#"), types, missing)


def _named_channel(
    patient: Patient, name: str, types: str, missing: Sequence[str]
) -> Mapping[str, Any] | None:
    """By its name; raises _NotLookedAt where it may be among those that cannot be listed."""
    cursor = None
    for _ in range(PAGES if types else 0):
        page = patient.slack.call("conversations.list", types=types, limit=200, cursor=cursor)
        for candidate in page["channels"]:
            if candidate.get("name") == name:
                return dict(candidate)
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    else:
        if types:
            found = f"{name} is not among the first {PAGES * 200:,} channels"
            raise Skip(f"{found}: name its id to have it checked")
    if missing:
        raise _NotLookedAt(" and ".join(missing))
    return None


@contextmanager
def _answering(*passing: type[SignoffError]) -> Iterator[None]:
    """Slack answered before: where it does not now, the check says so. What is `passing` is its caller's."""
    try:
        yield
    except passing:
        raise
    except SignoffError as error:
        raise Fault(f"Slack does not answer: {error.detail}", "try again in a minute") from None
