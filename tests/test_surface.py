"""The public surface: every name that others write down, and the page that says what it is.

Whoever adds, removes or renames one changes this table, and the page beside it.
"""

from __future__ import annotations

import argparse
import inspect
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

import signoff
from signoff.cli import main, output
from signoff.client import gate
from signoff.client import settings as agent_settings
from signoff.client.claims import Ask, Options
from signoff.client.question import AskPerson
from signoff.models.messages import ApprovalRequest, Cancel, Outcome, Reply, Response, Spend
from signoff.models.receipt import Receipt, Status
from signoff.queue import data_folder, stream
from signoff.queue.setting_names import CALLERS, NAMES
from signoff.server.settings import Settings

ROOT = Path(__file__).parents[1]
AGENTS, README = "docs/agents.md", "README.md"


def parameters(function: Any) -> str:
    """A signature's names, in order, without `self`."""
    return " ".join(name for name in inspect.signature(function).parameters if name != "self")


def calls(kind: type) -> str:
    """A class's public methods, each with its parameters, sorted."""
    found = {name: value for name, value in vars(kind).items() if name[0] != "_" and callable(value)}
    return " ".join(f"{name}({parameters(value)})" for name, value in sorted(found.items()))


def fields(kind: type[BaseModel]) -> str:
    """A message's fields as they are written on the wire, in order."""
    return " ".join(field.alias or name for name, field in kind.model_fields.items())


def commands() -> str:
    """All commands of the command line, in order."""
    actions = main._parser()._actions
    [found] = [action for action in actions if isinstance(action, argparse._SubParsersAction)]
    return " ".join(found.choices)


def of_environment(*modules: Any) -> str:
    """The settings that these modules read for themselves, sorted."""
    text = " ".join(inspect.getsource(module) for module in modules)
    return " ".join(sorted(set(re.findall(r'environ(?:\.get)?[(\[]"(SIGNOFF_\w+)"', text))))


CLAIMED = (
    "reversible risk undo impact alternatives context tags cost confidence attempts editable expires_in "
    "title conversation requested_by interpretation"
)
ASKED = (
    "options several date free_text default why sources tries context run key expires_in conversation "
    "requested_by tags"
)
SAID = f"{CLAIMED} reason run key schema"
OPTIONS = (
    f"{CLAIMED} action reason key run condition timeout on_reject fallback encode ignore report result runs"
)
CLIENT = (
    f"ask(action payload timeout runs {SAID}) ask_async(action payload timeout runs {SAID}) "
    "ask_feedback(result action title) ask_feedback_async(result action title) "
    f"ask_person(question timeout {ASKED}) ask_person_async(question timeout {ASKED}) "
    "batch(title run key) batch_async(title run key) "
    "cancel(request_id reason key) cancel_async(request_id reason key) close() decisions(group) "
    "decisions_async(group) get(request_id key) get_async(request_id key) lessons(action limit timeout) "
    "lessons_async(action limit timeout) on_question(handler action) received(request_id timeout) "
    "received_async(request_id timeout) report(request_id key succeeded note result) "
    "report_async(request_id key succeeded note result) "
    f"request(action payload {SAID}) request_async(action payload {SAID}) "
    f"request_question(question {ASKED}) request_question_async(question {ASKED}) "
    f"require_approval(function {OPTIONS}) resume(request_id digest key) "
    "resume_async(request_id digest key) resume_question(request_id digest key) "
    "resume_question_async(request_id digest key) {serves}spend(receipt timeout) "
    "spend_async(receipt timeout) undo(action test encode)"
)
TICKET = (
    "cancel(reason) cancel_async(reason) get() get_async() questions() questions_async() wait(timeout) "
    "wait_async(timeout)"
)
ENDING = "cancel(reason) cancel_async(reason) get() get_async() wait(timeout) wait_async(timeout)"
CLAIMS = (
    "undo impact alternatives context tags cost confidence attempts run key schema editable expires_in title "
    "conversation requested_by batch interpretation traceparent"
)
SURFACE: dict[str, tuple[str, str, str]] = {
    "signoff.__all__": (
        " ".join(signoff.__all__),
        "AlreadySpent Answer ApprovedReceipt AsyncBatch AsyncQuestionTicket AsyncSignoff AsyncTicket Batch "
        "Blocked Cancelled "
        "ConfigError Delivery Duplicate Expired Guard Inquiry Invalid Lesson Lessons Limited NotApproved "
        "NotVerified OtherAction OtherPayload Pending QuestionTicket "
        "Receipt Receipts Rejected Signoff SignoffError Stopped Ticket Unreachable WaitTimeout "
        "__version__ explain",
        AGENTS,
    ),
    "a guard": (parameters(signoff.Guard), "store keys agents stops stops_token fresh deployment", AGENTS),
    "Guard": (
        calls(signoff.Guard),
        "check(receipt payload action) protects(action) spend(receipt payload action by) watch(seconds)",
        AGENTS,
    ),
    "a client": (parameters(signoff.Signoff), "redis_url agent verify_key", AGENTS),
    "an async client": (parameters(signoff.AsyncSignoff), "redis_url agent verify_key", AGENTS),
    "Signoff": (calls(signoff.Signoff), CLIENT.replace("{serves}", ""), AGENTS),
    "AsyncSignoff": (
        calls(signoff.AsyncSignoff), CLIENT.replace("{serves}", "serve_undos() "), AGENTS
    ),
    "Ticket": (calls(signoff.Ticket), TICKET, AGENTS),
    "AsyncTicket": (calls(signoff.AsyncTicket), TICKET, AGENTS),
    "Answer": (
        parameters(signoff.Answer), "choice choices text date default none by at receipt", AGENTS
    ),
    "AskPerson": (" ".join(AskPerson.__annotations__), ASKED, AGENTS),
    "QuestionTicket": (calls(signoff.QuestionTicket), ENDING, AGENTS),
    "Pending": (parameters(signoff.Pending), "id action expires_at status held", AGENTS),
    "Delivery": (calls(signoff.Delivery), "ack()", AGENTS),
    "Inquiry": (
        " ".join(name for name in signoff.Inquiry.__dataclass_fields__ if name[0] != "_"),
        "id request_id action digest text by asked_at",
        AGENTS,
    ),
    "what an Inquiry does": (
        calls(signoff.Inquiry), "answer(text) answer_async(text) unable(why) unable_async(why)", AGENTS
    ),
    "Reply": (fields(Reply), "text unable", AGENTS),
    "explain": (parameters(signoff.explain), "error", AGENTS),
    "Ask": (" ".join(Ask.__annotations__), SAID, AGENTS),
    "Options": (" ".join(Options.__annotations__), OPTIONS, AGENTS),
    "require_approval": (
        parameters(gate.require_approval),
        "client function action reason key run condition timeout on_reject fallback encode ignore report "
        "result runs ask",
        AGENTS,
    ),
    "Receipt": (
        fields(Receipt),
        "id kind agent action status version digest_sent digest decided_by reason resubmit never_shown "
        "policy rule why issuer jti nonce issued_at not_after payload answer undoes permalink notes token",
        AGENTS,
    ),
    "statuses": (
        " ".join(get_args(Status)),
        "approved answered rejected expired cancelled blocked invalid duplicate limited",
        AGENTS,
    ),
    "an entry": (" ".join(stream.entry("cancel", "", "")), "v kind id body", AGENTS),
    "ApprovalRequest": (
        fields(ApprovalRequest), f"id nonce kind action payload reason reversibility risk {CLAIMS}", AGENTS
    ),
    "Cancel": (fields(Cancel), "reason", AGENTS),
    "Spend": (fields(Spend), "by", AGENTS),
    "Outcome": (fields(Outcome), "succeeded note result", AGENTS),
    "Response": (
        fields(Response), "v status action expires_at receipt payload permalink spent notes held", AGENTS
    ),
    "exit codes": (
        " ".join(f"{code}={status}" for status, code in output.EXIT.items()),
        "0=approved 2=invalid 3=rejected 4=expired 5=cancelled 6=pending 9=blocked 9=limited 9=duplicate "
        "11=answered",
        README,
    ),
    "exit codes of errors": (
        " ".join(f"{code}={kind.__name__}" for kind, code in output._ERRORS) + f" {main.INTERRUPTED}",
        "2=ConfigError 2=Invalid 6=WaitTimeout 7=Unreachable 8=NotVerified 130",
        README,
    ),
    "an agent's settings": (
        of_environment(agent_settings, data_folder),
        "SIGNOFF_AGENT SIGNOFF_AGENT_SECRET SIGNOFF_DATA SIGNOFF_DEPLOYMENT SIGNOFF_REDIS_URL "
        "SIGNOFF_VERIFY_KEY",
        AGENTS,
    ),
    "the server's settings": (
        " ".join(field.alias or f"SIGNOFF_{name}".upper() for name, field in Settings.model_fields.items()),
        "SIGNOFF_DATA SIGNOFF_DEPLOYMENT SIGNOFF_REDIS_URL SIGNOFF_REDIS_ADMIN_URL SIGNOFF_DATABASE_URL "
        "SIGNOFF_SIGNING_KEY SIGNOFF_APPROVERS SIGNOFF_CHANNEL SIGNOFF_POLICY SIGNOFF_ADMINS "
        "SIGNOFF_RECEIPT_HOURS SIGNOFF_AUDIT_WITNESS SIGNOFF_LOG_LEVEL SIGNOFF_LOG_JSON SLACK_BOT_TOKEN "
        "SLACK_APP_TOKEN SLACK_SIGNING_SECRET SLACK_API_URL SIGNOFF_WEB_BIND SIGNOFF_WEB_URL "
        "SIGNOFF_HEALTH_BIND SIGNOFF_WEBHOOK_HOSTS",
        README,
    ),
    "the settings of a client by HTTP": (" ".join(CALLERS), "SIGNOFF_WEB_URL SIGNOFF_TOKEN", README),
    "commands": (
        commands(),
        "request wait status cancel report question batch lessons verify mcp hook init serve bot "
        "intake worker web agent stop resume stops policy pending show db audit backup restore keys env "
        "webhooks undo factor manifest doctor sandbox demo health help completion",
        AGENTS,
    ),
}  # fmt: skip
"""What → (what the code has, what others rely on, the page that names it all)."""


def test_a_settings_file_may_set_what_the_two_sides_read_and_nothing_else() -> None:
    read = " ".join(SURFACE[what][1] for what in SURFACE if "settings" in what)
    assert set(read.split()) == NAMES


@pytest.mark.parametrize("what", SURFACE)
def test_no_public_name_comes_or_goes_unnoticed(what: str) -> None:
    has, promised, _ = SURFACE[what]
    assert has == promised


@pytest.mark.parametrize("what", SURFACE)
def test_every_public_name_stands_on_its_page(what: str) -> None:
    _, promised, page = SURFACE[what]
    text = (ROOT / page).read_text(encoding="utf-8")
    code = " ".join(re.findall(r"`([^`\n]+)`", text))
    if what.startswith("exit codes"):
        code, names = text, [f"| {number} |" for number in re.findall(r"\b\d+", promised)]
    else:
        names = re.findall(r"\w+", promised)
    assert [name for name in names if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", code)] == []
