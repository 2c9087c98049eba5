"""What `signoff init` asks, and what Slack says to each answer."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from urllib.parse import quote

from signoff.bot.slack.manifest import PATH, manifest, request_url
from signoff.cli.doctor import workspace
from signoff.cli.doctor.patient import Fault, Patient
from signoff.cli.output import printable
from signoff.cli.questions import Questions
from signoff.errors import ConfigError
from signoff.models.people import MEMBERS
from signoff.server.settings import APPROVER, SLACK, load

BOT, APP_TOKEN, WHERE, WHO = ASKED = (
    "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SIGNOFF_CHANNEL", "SIGNOFF_APPROVERS"
)  # fmt: skip
APP = """\
Signoff's settings go to {file}.

The Slack app: where there is none yet, this link makes it, with all that it needs.

  {link}

Its page then has the bot's token under "Install App", and under "Basic Information", "App-Level Tokens", you
generate the app's, with connections:write. What you type or paste here is not shown.

Where Slack is to call Signoff by HTTP: take the manifest of `signoff manifest --http URL`, and answer with
the app's signing secret ("Basic Information") instead of its token.
"""
ADDRESS = """
Where Slack reaches `signoff web`: the https:// address of the proxy before it.
"""
CHANNEL = """
Where cards go: a channel's name or id. Invite the app there: /invite @{bot}
"""
APPROVERS = """
Who may decide, where no rule says: ids of people (U…, in Slack: a profile's menu, Copy member ID) or user
groups (S…), parted by commas; or the word members, for every full member of the workspace.
"""
SECRET, ADDRESS_NAME = "SLACK_SIGNING_SECRET", "SIGNOFF_WEB_URL"
SIGNING_SECRET = re.compile(r"[0-9a-f]{32}", re.ASCII)
NEW_APP = "https://api.slack.com/apps?new_app=1&manifest_yaml="


class _Checked:
    """What Slack says to each answer, with those before it. Methods raise Fault."""

    def __init__(self) -> None:
        self.bot = ""

    def bot_token(self, answer: str) -> tuple[str, str]:
        _want(answer, "xoxb-", "the bot's token", "Install App")
        said = workspace.bot_token(_with("SLACK_BOT_TOKEN", answer))
        self.bot = said.partition(" ")[0]
        return answer, f"Slack takes it: {said}"

    def app_token(self, answer: str) -> tuple[str, str]:
        _want(answer, "xapp-", "the app's token", "Basic Information, App-Level Tokens")
        workspace.app_token(_with("SLACK_APP_TOKEN", answer))
        return answer, "Slack takes it"

    def token_or_secret(self, answer: str) -> tuple[str, str]:
        if not SIGNING_SECRET.fullmatch(answer):
            os.environ.pop(SECRET, None)
            return self.app_token(answer)
        os.environ.pop(APP_TOKEN, None)
        os.environ[SECRET] = answer
        return answer, "it is a signing secret, so Slack calls Signoff by HTTP"

    def address(self, answer: str) -> tuple[str, str]:
        try:
            address = request_url(answer)
        except ConfigError as error:
            raise Fault("Slack could not call that", error.detail.rstrip(".")) from None
        url = address.removesuffix(PATH)
        os.environ[ADDRESS_NAME] = url
        return url, f"Slack is to call {address}"

    def channel(self, answer: str) -> tuple[str, str]:
        wanted = answer.removeprefix("#")
        if wanted.split() != [wanted]:
            raise Fault("there has to be one channel", "answer with its name or id")
        return wanted, workspace.one_channel(_with("SIGNOFF_CHANNEL", wanted), wanted, "the channel")

    def approvers(self, answer: str) -> tuple[str, str]:
        named = list(dict.fromkeys(answer.replace(",", " ").split()))
        if not named:
            raise Fault("somebody has to decide", "name people, user groups, or `members`")
        for one in named:
            if one != MEMBERS and not APPROVER.fullmatch(one):
                raise Fault(f"{one!r} is no id of a person (U…) or a user group (S…)", workspace.WHO)
        patient = _with("SIGNOFF_APPROVERS", ",".join(named))
        return ",".join(named), ", ".join(workspace.one_approver(patient, one, "approvers") for one in named)


def ask(questions: Questions, file: Path) -> dict[str, str]:
    """Settings, each as Slack has taken it; raises ConfigError. `file` is where they will be kept."""
    kept = {name: os.environ.get(name, "") for name in ASKED}
    check, found = _Checked(), dict[str, str]()
    questions.tell(APP.format(file=file, link=_link()))
    url = load().slack_api_url
    if url != SLACK:
        print(f"SLACK_API_URL is set: it is {printable(url)} that is asked, not Slack.")
    found[BOT] = questions.ask(BOT, "Bot token (xoxb-…)", kept[BOT], check.bot_token, secret=True)
    found |= _reached(questions, check)
    questions.tell(CHANNEL.format(bot=check.bot))
    found[WHERE] = questions.ask(WHERE, "Channel", kept[WHERE], check.channel)
    questions.tell(APPROVERS)
    found[WHO] = questions.ask(WHO, "Approvers", kept[WHO], check.approvers)
    if "SLACK_API_URL" in os.environ:  # they were checked there, and belong to it
        found["SLACK_API_URL"] = url
    return found


def _reached(questions: Questions, check: _Checked) -> dict[str, str]:
    """How Slack reaches the server: by the app's token, or its signing secret and an address."""
    before = {name for name in (APP_TOKEN, SECRET) if os.environ.get(name)}
    kept = os.environ.get(APP_TOKEN, "") or os.environ.get(SECRET, "")
    answer = questions.ask(APP_TOKEN, "App token (xapp-…)", kept, check.token_or_secret, secret=True)
    name, other = (SECRET, APP_TOKEN) if SIGNING_SECRET.fullmatch(answer) else (APP_TOKEN, SECRET)
    found = {name: answer} | ({other: ""} if other in before else {})
    if name == SECRET:
        questions.tell(ADDRESS)
        kept = os.environ.get(ADDRESS_NAME, "")
        found[ADDRESS_NAME] = questions.ask(ADDRESS_NAME, "Address (https://…)", kept, check.address)
    return found


def _with(name: str, answer: str) -> Patient:
    """A server with these settings and one more."""
    os.environ[name] = answer
    return Patient(time.time)


def _want(token: str, start: str, what: str, page: str) -> None:
    """Raise Fault, without a letter of the token, where it cannot be the one that is meant."""
    fix = f"the app's page in Slack, {page}, has it ({start}…)"
    if not token:
        raise Fault(f"{what} is missing", fix)
    if not token.startswith(start) or not token.isascii() or not token.isprintable() or " " in token:
        raise Fault(f"that is not {what}", fix)


def _link() -> str:
    """Makes the app from our manifest; its comments stay here."""
    lines = [line.partition(" #")[0].rstrip() for line in manifest().splitlines() if not line.startswith("#")]
    return NEW_APP + quote("\n".join(lines) + "\n", safe="")
