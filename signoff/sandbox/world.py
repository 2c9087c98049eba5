"""Seeing the team as a whole, and changing it while the stand-in runs."""

from __future__ import annotations

import copy
from dataclasses import fields as fields_of
from typing import Any, Final

from signoff.sandbox import features
from signoff.sandbox.errors import ActError
from signoff.sandbox.subscriptions import SCOPES
from signoff.sandbox.team import (
    APP_ID,
    BOT_ID,
    BOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    TEAM_NAME,
    Channel,
    Team,
    User,
    UserGroup,
)
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]
_KINDS: Final = {"users": User, "channels": Channel, "usergroups": UserGroup}
PLANS: Final = ("free", "standard")
_TOKEN_ERRORS: Final = ("", "token_revoked", "account_inactive")


def as_json(workspace: Workspace) -> JSON:
    """Team, bot, users, channels and user groups; no tokens."""
    team = workspace.team
    return {
        "ok": True,
        "team": {
            "id": TEAM_ID,
            "name": TEAM_NAME,
            "domain": TEAM_DOMAIN,
            "url": f"{workspace.base_url}/",
            "enterprise_id": team.enterprise_id,
            "plan": workspace.plan,
        },
        "bot": {
            "user_id": BOT_USER_ID,
            "bot_id": BOT_ID,
            "app_id": APP_ID,
            "scopes": list(workspace.scopes),
            "token_error": workspace.token_error,
            "installed": workspace.installed,
            "org_deploy": workspace.org_deploy,
            "events": list(workspace.events),
            "features": workspace.features,
        },
        "users": [user.as_json() for user in team.users.values()],
        "channels": [c.as_json() | {"members": list(c.members)} for c in team.channels.values()],
        "usergroups": [group.as_json() for group in team.usergroups.values()],
    }


def change(workspace: Workspace, wanted: JSON) -> None:
    """Change users, channels, user groups and the bot. Where it raises ActError nothing has changed."""
    strange = wanted.keys() - {*_KINDS, "bot", "events", "features", "enterprise", "plan"}
    if strange:
        raise ActError("invalid_team", detail=f"unknown: {', '.join(sorted(strange))}")
    team = copy.deepcopy(workspace.team)
    if "enterprise" in wanted:
        if not isinstance(wanted["enterprise"], str):
            raise ActError("invalid_team", detail="enterprise is the id of an organisation, or empty")
        team.join(wanted["enterprise"])
    for kind in _KINDS:
        changes = wanted.get(kind, {})
        if not isinstance(changes, dict) or not all(isinstance(c, dict) for c in changes.values()):
            raise ActError("invalid_team", detail=f"{kind} is {{id: {{field: value}}}}")
        for id_, change_ in changes.items():
            _change(team, kind, id_, dict(change_))
    plan = wanted.get("plan", workspace.plan)
    if plan not in PLANS:
        raise ActError("invalid_team", detail=f"plan is one of: {', '.join(PLANS)}")
    events = wanted.get("events", workspace.events)
    if not isinstance(events, list) or not all(isinstance(e, str) and e in SCOPES for e in events):
        raise ActError("invalid_team", detail=f"events is a list of: {', '.join(SCOPES)}")
    offered = features.checked(wanted["features"]) if "features" in wanted else workspace.features
    _change_bot(workspace, wanted.get("bot", {}))
    workspace.team, workspace.events, workspace.features = team, list(events), offered
    workspace.plan = plan


def _change(team: Team, kind: str, id_: str, change_: JSON) -> None:
    known: dict[str, Any] = getattr(team, kind)
    if id_ not in known:
        if not isinstance(change_.get("name"), str):
            raise ActError("invalid_team", 404, detail=f"there is no {id_}; to create it, give a name")
        more = {"handle": change_["name"]} if kind == "usergroups" else {}
        known[id_] = _KINDS[kind](id=id_, name=change_["name"], **more)
    thing = known[id_]
    if kind == "channels" and "bot_is_member" in change_:
        others = [member for member in thing.members if member != BOT_USER_ID]
        thing.members = [*others, BOT_USER_ID] if change_.pop("bot_is_member") else others
    names = {f.name for f in fields_of(thing)} - {"id"}
    for name, value in change_.items():
        if name not in names or type(value) is not type(getattr(thing, name)):
            raise ActError("invalid_team", detail=f"{kind}/{id_}/{name}: no such field, or a wrong value")
        setattr(thing, name, value)


def _change_bot(workspace: Workspace, bot: Any) -> None:
    if not isinstance(bot, dict) or bot.keys() - {"token_error", "scopes", "installed", "org_deploy"}:
        raise ActError("invalid_team", detail="bot has token_error, scopes, installed and org_deploy")
    token_error = bot.get("token_error", workspace.token_error)
    scopes = bot.get("scopes", workspace.scopes)
    if token_error not in _TOKEN_ERRORS:
        raise ActError("invalid_team", detail="token_error is token_revoked, account_inactive or empty")
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise ActError("invalid_team", detail="scopes is a list of strings")
    installed = bot.get("installed", workspace.installed)
    org_deploy = bot.get("org_deploy", workspace.org_deploy)
    if not isinstance(installed, bool) or not isinstance(org_deploy, bool):
        raise ActError("invalid_team", detail="installed and org_deploy are true or false")
    workspace.token_error, workspace.scopes = token_error, list(scopes)
    workspace.installed, workspace.org_deploy = installed, org_deploy
