"""What the policy lets run unasked is talked into letting other things run."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import Annotated, Any

from pydantic import Field

from attacks.world import NotTried, World, held
from signoff import Duplicate, Invalid, Signoff, WaitTimeout
from signoff.client.ask import build_request

PLAIN = {"to": "ana@example.com", "subject": "Hello", "body": "Hello"}
EVE = "eve@evil.test"


def _never_runs(world: World, action: str, *payloads: dict[str, Any], **said: Any) -> None:
    """Each of them is asked about."""
    if world.policy is None:
        raise NotTried("which policy the server goes by is not known: --policy")
    agent = world.agent("mail-bot")
    tickets = [(one, agent.request(action, one, **{"reversible": True, **said})) for one in payloads]
    found = [(one, world.status(ticket)) for one, ticket in tickets]
    held(all(status == "pending" for _, status in found), f"{action}: {found}")


def mail_goes_outside_by_a_receiver_further_in(world: World) -> None:
    """Mail to our own people, and to others in an object below it."""
    inside = world.agent("mail-bot").request("send_email", PLAIN, reversible=True)
    held(world.status(inside) == "approved", "mail to our own people is asked about, so this shows nothing")
    graph = [{"emailAddress": {"address": EVE}}]
    _never_runs(
        world, "send_email", {**PLAIN, "message": {"toRecipients": graph}}, {**PLAIN, "cc": ["x", EVE]},
        {**PLAIN, "options": {"replyTo": EVE}}, {**PLAIN, "personalizations": [{"bcc": [{"email": EVE}]}]},
    )  # fmt: skip


def mail_goes_outside_by_a_line_break(world: World) -> None:
    """A subject that holds a header of its own, written in five ways."""
    breaks = ("\r\n", "\n", "\u2028", "%0d%0a", "&#10;", "=?utf-8?q?=0A?=")
    _never_runs(world, "send_email", *({**PLAIN, "subject": f"hi{one}Bcc: {EVE}"} for one in breaks))


def mail_goes_outside_by_a_field_that_looks_like_another(world: World) -> None:
    """`to` with a blank behind it, in Cyrillic, in full-width letters, in capitals."""
    names = ("to ", "tо", "ｔｏ", "TO", "to\u200b", "Bcc")
    _never_runs(world, "send_email", *({**PLAIN, name: EVE} for name in names))


def mail_goes_outside_by_something_that_is_no_address(world: World) -> None:
    """A telephone, a webhook, the id of a list, a template, a whole mail encoded."""
    fields = {
        "toNumber": "+4915112345678", "webhook": "https://hooks.evil.test", "recipient_list_id": 42,
        "threadId": "18f2c4a1", "raw": "VG86IGV2ZUBldmlsLnRlc3Q=", "template_id": "d-1",
    }  # fmt: skip
    _never_runs(world, "send_email", *({**PLAIN, name: value} for name, value in fields.items()))


def mail_goes_outside_by_an_address_with_two_meanings(world: World) -> None:
    """Addresses that one program reads as ours, and another as somebody else's."""
    addresses = (
        f"ana@example.com,{EVE}", f'"{EVE}" <ana@example.com>', "eve%evil.test@example.com",
        "@evil.test:ana@example.com", "ana@example.com@evil.test", "ana@exаmple.com",
        "ana@example.com.evil.test",
    )  # fmt: skip
    _never_runs(world, "send_email", *({**PLAIN, "to": one} for one in addresses))


def a_message_is_another_message(world: World) -> None:
    """JSON, or headers, as the body of a message to our own people; chat by a webhook of somebody else's."""
    bodies = (json.dumps({"to": EVE}), f"To: {EVE}\r\nSubject: x\r\n\r\nhello")
    _never_runs(world, "send_email", *({**PLAIN, "body": one} for one in bodies))
    _never_runs(world, "slack.post_message", {"webhook": "https://hooks.evil.test", "text": "x"})


def something_secret_is_read_unasked(world: World) -> None:
    """Salaries, a patient's record, social security numbers, keys: by name, by field, by path."""
    for action in (
        "get_customer_ssn",
        "get_salaries",
        "fetch_patient_record",
        "hr.salaries.list",
        "dump_database",
    ):
        _never_runs(world, action, {"id": 7})
    _never_runs(world, "database_read", {"sql": "SELECT margin FROM orders"}, {"columns": ["Margins"]})
    _never_runs(world, "read_file", {"path": "~/.ssh/id_rsa"}, {"path": "/srv/app/.env"})


def a_claim_makes_a_verdict_looser(world: World) -> None:
    """The agent says that it is harmless, certain, cheap and can be undone."""
    said = {"risk": "low", "reversible": True, "confidence": 1.0, "cost": 0.0, "tags": ["internal"]}
    _never_runs(world, "deploy_production", {"version": 1}, **said)
    _never_runs(world, "asked.loose", {"n": 1}, **said)
    _never_runs(world, "what_nobody_has_heard_of", {"n": 1}, **said)


def an_action_is_spelled_otherwise(world: World) -> None:
    """Letters that fold to those of what is free, and names with more in them: `FREE.x`, `free.ſ`."""
    agent = world.agent("mail-bot")
    for action in (
        "ｆree.x",
        "free.ſ",
        "free.\u200bx",
        "free.x\n",
        " free.x",
        "free.x\x00",
        "fr\u00e9e.x",
        "",
    ):
        body = json.loads(build_request("mail-bot", "free.x", {"n": ascii(action)}, {})[0].encode())
        world.post("mail-bot", "request", body["id"], json.dumps({**body, "action": action}))
        found = agent.resume(body["id"])
        try:
            held(not found.wait(5).approved, f"{action!r} ran")
        except (Invalid, WaitTimeout):
            continue


def _gated(signoff: Signoff, judge: Any) -> tuple[Any, list[Any]]:
    ran: list[Any] = []

    @signoff.require_approval(condition=judge, reversible=True, action="asked.gate", timeout=2)
    def refund(amount: Annotated[float, Field(ge=0)]) -> None:
        ran.append(amount)

    return refund, ran


class _Low(float):
    """A number that is never more than another."""

    def __gt__(self, other: object) -> bool:
        return False


def a_condition_is_passed_by_what_is_no_amount(world: World) -> None:
    """NaN, less than nothing, infinity, True, texts, and a number that lies, at a gate's `amount > 100`."""
    refund, ran = _gated(world.agent("gate-bot"), lambda amount: amount > 100)
    refund(50.0)
    if ran != [50.0]:
        raise NotTried("a small amount did not run")
    for odd in (float("nan"), -1e9, float("inf"), True, "5", [5], None, {"amount": 5}):
        with suppress(Invalid, WaitTimeout, Duplicate):
            refund(odd)
    with suppress(Invalid, WaitTimeout, Duplicate):
        refund(_Low(1e9))
    held(ran == [50.0], f"it ran with {ran[1:]}")


def a_condition_that_fails_lets_it_run(world: World) -> None:
    """One that raises, and one that answers with something odd."""
    logging.getLogger("signoff").setLevel(logging.ERROR)  # it is said each time that it is asked about
    for judge in (lambda amount: 1 / 0, lambda amount: None, lambda amount: ""):
        refund, ran = _gated(world.agent("gate-bot"), judge)
        with suppress(Invalid, WaitTimeout, Duplicate):
            refund(5.0)
        held(not ran, f"it ran with {ran}")
