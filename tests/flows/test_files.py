"""Pictures and PDFs of a payload stand in the card's thread, once, until their payload is erased."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flows.local import SHARED, Local, local_bot
from flows.person import ANA, CHANNEL, Someone, buttons, card, text_of
from flows.road import Road
from support import eventually

from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.slack.errors import SlackUnavailable
from signoff.bot.slack.uploads import Uploads
from signoff.bot.text.text import Trusted
from signoff.models import crash
from signoff.sandbox.workspace import DEFAULT_SCOPES

HISTORY = ("channels:history", "groups:history", "im:history")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 4
POINTS = [point for point in crash.RARE_POINTS if point.partition(".")[0] in ("file", "unfile", "unwant")]
LATER = "UPDATE card_file SET not_before = 0", "UPDATE approval SET not_before = 0", "DELETE FROM pause"


class Died(BaseException):
    """A process that ends here."""


@dataclass
class Files:
    """A bot, and the worker that has files stand beside its cards."""

    local: Local
    delivery: Delivery

    def ask(self, *contents: bytes, **fields: Any) -> str:
        payload = {f"f{n}": base64.b64encode(one).decode() for n, one in enumerate(contents)}
        return self.local.ask(payload={"to": "Ana", **payload}, **fields)

    def work(self, *approvals: str) -> None:
        """What the worker does beside cards, whatever had to rest; and these cards anew."""
        for statement in LATER:
            self.execute(statement)
        self.delivery._files._look_at = 0.0
        while self.delivery.beside():
            pass
        for approval_id in approvals:
            self.local.deliver(approval_id)

    def execute(self, statement: str) -> list[Any]:
        with self.local.server.store.transaction() as connection:
            found = connection.exec_driver_sql(statement)
            return list(found.all()) if found.returns_rows else []

    def erase(self, approval_id: str) -> None:
        """As whoever erases a payload does."""
        self.execute(
            f"UPDATE payload SET text = NULL, salt = NULL, erased_at = 1 WHERE approval_id = '{approval_id}'"
        )

    def rows(self) -> list[tuple[str, str]]:
        return [tuple(row) for row in self.execute("SELECT state, file FROM card_file ORDER BY id")]

    def thread(self, approval_id: str) -> list[dict[str, Any]]:
        """Files that can be seen in the card's thread."""
        card = self.local.server.approvals.get(approval_id).card
        assert card and card.message
        replies = self.local.slack.messages(SHARED, card.thread or card.message)
        found = [file for message in replies for file in message.get("files") or ()]
        return [file for file in found if file.get("mode") != "tombstone"]

    def seen(self) -> list[bytes]:
        """Contents of all files that anybody can see, anywhere."""
        workspace = self.local.slack._service.workspace
        return [file.content or b"" for file in workspace.files.values() if file.completed]

    def buttons(self, approval_id: str) -> set[str]:
        return set(buttons(self.local.card(approval_id)))

    def calls(self, method: str) -> int:
        return len([one for one in self.local.slack.log() if one.get("method") == method])


@pytest.fixture(params=[True, False], ids=["it may look", "it may not look"])
def made(tmp_path: Path, redis_url: str, transport: str, request: pytest.FixtureRequest) -> Iterator[Files]:
    with local_bot(tmp_path, redis_url, transport=transport) as local:
        more = HISTORY if request.param else ()
        local.slack.team(bot={"scopes": [*DEFAULT_SCOPES, "files:write", *more]})
        server = local.server
        yield Files(local, Delivery(server.approvals, server.slack, Admins(server.slack, ())))


def test_a_picture_can_be_looked_at_before_it_is_approved(made: Files) -> None:
    approval_id = made.ask(PDF)
    assert "review" in made.buttons(approval_id) and "approve" not in made.buttons(approval_id)
    made.work(approval_id)
    (file,) = made.thread(approval_id)
    assert (file["name"], file["mimetype"], file["size"]) == ("attachment-1.pdf", "application/pdf", len(PDF))
    assert made.seen() == [PDF]
    card = made.local.card(approval_id)
    assert "approve" in buttons(card) and "to look at: attachment-1.pdf" in text_of(card)
    comment = next(m for m in made.local.slack.messages(SHARED, card["ts"]) if m.get("files"))
    assert "billing-bot" in comment["text"] and "PDF, 1 KB" in comment["text"]
    made.local.person(ANA).click(card, "approve")
    assert made.local.server.approvals.get(approval_id).status == "approved"
    made.work(approval_id)
    assert made.seen() == [PDF], "what was decided by stays"


def test_the_log_tells_of_files_by_their_ids_and_the_rows_fit_it(made: Files) -> None:
    approval_id = made.ask(PDF, PNG)
    made.work(approval_id)
    made.erase(approval_id)
    made.work()
    lines = [json.loads(row[0]) for row in made.execute("SELECT data FROM audit_event WHERE kind = 'file'")]
    assert [line["state"] for line in lines] == ["posted", "posted", "deleted", "deleted"]
    assert all(line.keys() == {"file", "conversation", "thread", "state"} for line in lines)
    assert len({line["file"] for line in lines}) == 2


def test_it_is_deleted_when_its_payload_is_erased_also_while_slack_is_away(made: Files) -> None:
    approval_id = made.ask(PDF)
    made.work(approval_id)
    made.erase(approval_id)
    made.local.slack.faults(method="files.delete", mode="error", error="internal_error", times=2)
    for left in (1, 1, 0):
        made.work()
        assert (len(made.seen()), len(made.rows())) == (left, left)
    assert made.execute("SELECT digest FROM card_file") == []


def test_it_is_deleted_when_its_approvals_rows_are_gone(made: Files) -> None:
    approval_id = made.ask(PDF)
    made.work(approval_id)
    with made.local.server.store.transaction() as connection:
        for table in ("card", "payload"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql("DELETE FROM approval")
    made.work()
    assert (made.seen(), made.rows()) == ([], [])


def test_one_whose_payload_is_erased_before_it_is_there_never_is_and_holds_up_no_other(made: Files) -> None:
    erased, other = made.ask(PDF), made.ask(PNG)
    made.delivery._files._look_at = float("inf")
    made.erase(erased)
    made.delivery.beside()
    assert made.seen() == [PNG]
    made.work(other)
    assert made.seen() == [PNG] and len(made.rows()) == 1


def test_one_that_somebody_else_has_deleted_is_done_with(made: Files) -> None:
    approval_id = made.ask(PDF)
    made.work(approval_id)
    made.local.server.slack.call("files.delete", file=made.rows()[0][1])
    made.erase(approval_id)
    made.work()
    assert made.rows() == []


def test_what_has_ended_before_its_file_was_there_gets_none(made: Files) -> None:
    approval_id = made.ask(PDF)
    made.local.person(ANA).reject(made.local.card(approval_id), "No")
    made.local.deliver(approval_id)
    made.work(approval_id)
    assert (made.seen(), made.rows()) == ([], [])
    assert made.calls("files.getUploadURLExternal") == 0


def test_a_file_on_its_way_when_its_approval_ends_is_taken_back(made: Files) -> None:
    made.local.slack.faults(method="files.completeUploadExternal", mode="drop_reply")
    approval_id = made.ask(PDF)
    made.delivery.beside()
    assert made.seen() == [PDF] and made.rows()[0][0] == "wanted"
    made.local.person(ANA).reject(made.local.card(approval_id), "No")
    made.local.deliver(approval_id)
    made.work(approval_id)
    assert (made.seen(), made.rows()) == ([], [])


@pytest.mark.parametrize("mode", ["drop_reply", "disconnect"])
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_a_lost_answer_leaves_one_file(made: Files, method: str, mode: str) -> None:
    made.local.slack.faults(method=method, mode=mode)
    approval_id = made.ask(PDF)
    made.work()
    made.work(approval_id)
    assert made.seen() == [PDF] and len(made.thread(approval_id)) == 1
    assert "approve" in made.buttons(approval_id)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_at_any_point_leaves_one_file_and_then_none(
    made: Files, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[str] = []

    def here(name: str) -> None:
        if name == point and not died:
            died.append(name)
            raise Died(name)

    approval_id = made.ask(PDF)
    made.local.slack.faults(
        method="files.completeUploadExternal", mode="disconnect"
    )  # so that one is deleted
    monkeypatch.setattr(crash, "here", here)
    for _ in range(3):
        with suppress(Died):
            made.work(approval_id)
    assert made.seen() == [PDF] and [state for state, _ in made.rows()] == ["posted"]
    assert len(made.thread(approval_id)) == 1 and "approve" in made.buttons(approval_id)
    made.erase(approval_id)
    for _ in range(3):
        with suppress(Died):
            made.work()
    assert (made.seen(), made.rows()) == ([], [])
    assert died == [point]


@pytest.mark.parametrize("at", ["file.begun", "file.named", "file.sent", "file.shared"])
def test_one_that_stood_still_while_another_did_its_work_leaves_no_double(
    made: Files, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: at this point the process is stopped for so long that its claim runs out."""
    server = made.local.server
    other = Delivery(server.approvals, server.slack, Admins(server.slack, ()))
    approval_id = made.ask(PDF)
    stopped: list[str] = []

    def here(name: str) -> None:
        if name == at and not stopped:
            stopped.append(name)
            made.execute("UPDATE card_file SET not_before = 0")
            other.beside()

    monkeypatch.setattr(crash, "here", here)
    made.delivery.beside()
    made.work(approval_id)
    assert stopped and made.seen() == [PDF]
    assert [state for state, _ in made.rows()] == ["posted"] and len(made.thread(approval_id)) == 1


def test_without_its_scope_nothing_is_there_and_review_stands(made: Files) -> None:
    scopes = made.local.slack._service.workspace.scopes
    made.local.slack.team(bot={"scopes": list(DEFAULT_SCOPES)})
    first, second = made.ask(PDF), made.ask(PNG)
    while made.delivery.beside():
        pass
    assert made.calls("files.getUploadURLExternal") == 1, "all others wait, too"
    for approval_id in (first, second):
        made.local.deliver(approval_id)
        assert "review" in made.buttons(approval_id) and "approve" not in made.buttons(approval_id)
    made.local.slack.team(bot={"scopes": scopes})
    made.work(first, second)
    assert sorted(made.seen()) == sorted([PDF, PNG])


def test_where_slack_wants_to_be_left_alone_all_files_wait(made: Files) -> None:
    made.local.slack.faults(method="files.getUploadURLExternal", mode="ratelimited", seconds=30, times=1)
    asked = [made.ask(PDF + bytes([n])) for n in range(3)]
    for _ in range(5):
        made.delivery.beside()
    assert made.calls("files.getUploadURLExternal") == 1 and made.seen() == []
    made.work(*asked)
    assert len(made.seen()) == 3 and all("approve" in made.buttons(one) for one in asked)


def test_the_first_few_files_are_there_and_each_once(made: Files) -> None:
    every = [PDF + bytes([n]) for n in range(7)]
    approval_id = made.ask(*every, every[0], b"GIF89a" + bytes(90))
    made.work(approval_id)
    assert made.seen() == every[:5]
    assert "approve" not in made.buttons(approval_id), "two more are not there"
    again = made.ask(PNG, PNG)
    made.work(again)
    assert len(made.thread(again)) == 1 and "approve" in made.buttons(again)


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04" + bytes(300), b"\x7fELF" + bytes(300), b"II*\0" + bytes(300)],
)
def test_other_files_do_not_go_into_the_thread(made: Files, content: bytes) -> None:
    approval_id = made.ask(content)
    made.work(approval_id)
    assert made.seen() == []
    assert "review" in made.buttons(approval_id) and "approve" not in made.buttons(approval_id)


def test_a_picture_that_is_text_is_read_on_the_card_and_not_put_beside_it(made: Files) -> None:
    approval_id = made.ask(b"<svg onload=x()><rect/></svg>")
    made.work(approval_id)
    card = made.local.card(approval_id)
    assert made.seen() == [] and "<svg onload=x()>" in text_of(card) and "may hold scripts" in text_of(card)


def test_a_text_that_is_two_pictures_is_there_but_review_stands(made: Files) -> None:
    two = base64.b64encode(PNG[:9]).decode() + "_---" + base64.b64encode(b"another one" * 9).decode()
    approval_id = made.local.ask(payload={"picture": two})
    made.work(approval_id)
    assert len(made.seen()) == 1
    assert "review" in made.buttons(approval_id) and "approve" not in made.buttons(approval_id)


def test_in_a_runs_thread_it_stands_in_that_and_names_its_request(made: Files) -> None:
    approval_id = made.ask(PDF, run="nightly")
    made.work(approval_id)
    (file,) = made.thread(approval_id)
    card = made.local.card(approval_id)
    replies = made.local.slack.messages(SHARED, card["thread_ts"])
    comment = next(m for m in replies if any(f["id"] == file["id"] for f in m.get("files") or ()))
    assert card["ts"].replace(".", "") in comment["text"] and "refund.create" in comment["text"]


def test_a_card_that_is_posted_anew_has_its_file_beside_it(made: Files) -> None:
    approval_id = made.ask(PDF)
    made.work(approval_id)
    before = made.local.card(approval_id)
    made.local.slack._service.workspace.delete(SHARED, before["ts"])
    made.execute("UPDATE approval SET revision = revision + 1")
    made.local.deliver(approval_id)
    assert "approve" not in made.buttons(approval_id), "it is not in this card's thread"
    made.work(approval_id)
    assert len(made.thread(approval_id)) == 1 and made.seen() == [PDF]
    assert "approve" in made.buttons(approval_id)


def test_two_workers_at_once_post_one_file_each(made: Files) -> None:
    server = made.local.server
    asked = [made.ask(PDF + bytes([n])) for n in range(4)]
    workers = [Delivery(server.approvals, server.slack, Admins(server.slack, ())) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda one: [one.beside() for _ in range(4)], workers))
    made.work(*asked)
    assert sorted(made.seen()) == [PDF + bytes([n]) for n in range(4)]
    assert all(len(made.thread(one)) == 1 for one in asked)


def test_an_edit_that_changes_a_file_has_the_old_one_go(made: Files) -> None:
    """Another payload is in force: what stood in the thread is not what runs."""
    approval_id = made.ask(PDF)
    made.work(approval_id)
    approvals = made.local.server.approvals
    changed = {**approvals.get(approval_id).payload, "f0": base64.b64encode(PNG).decode()}
    approvals.decide(approval_id, 1, ANA, "approve", payload=changed)
    made.local.deliver(approval_id)
    made.work(approval_id)
    assert (made.seen(), made.rows()) == ([], [])


def test_it_goes_up_in_direct_messages_as_well(made: Files) -> None:
    slack, uploads = made.local.server.slack, Uploads(made.local.server.slack)
    posted = slack.post(ANA, "card")
    url, file = uploads.begin("attachment-1.png", len(PNG), "")
    uploads.send(url, PNG)
    uploads.share(file, "attachment-1.png", posted.channel, posted.ts, Trusted("Attachment 1"))
    assert made.seen() == [PNG]
    with pytest.raises(SlackUnavailable):
        uploads.send("file:///etc/passwd", PNG)
    with pytest.raises(SlackUnavailable):
        uploads.send(url, PNG)


def test_an_invoice_is_looked_at_and_approved_and_the_agent_gets_what_was_seen(either_road: Road) -> None:
    """The whole road: on each database, by the server's own worker."""
    slack = either_road.slack
    scopes = slack._service.workspace.scopes
    slack.team(bot={"scopes": [*DEFAULT_SCOPES, "files:write"]})
    invoice = base64.b64encode(PDF).decode()
    ticket = either_road.agent().request("invoice.send", {"to": "ana", "invoice": invoice}, reversible=True)

    def can_be_approved() -> dict[str, Any] | None:
        found = card(slack, ticket.id)
        return found if "approve" in buttons(found) else None

    shown = eventually(can_be_approved, 60)
    replies = [message for message in slack.messages(CHANNEL, shown["ts"]) if message.get("files")]
    assert [file["name"] for message in replies for file in message["files"]] == ["attachment-1.pdf"]
    Someone(slack, ANA).click(shown, "approve")
    receipt = ticket.wait(60)
    assert receipt.approved and receipt.payload["invoice"] == invoice
    slack.team(bot={"scopes": scopes})
