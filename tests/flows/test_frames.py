"""What is too large for a frame over Socket Mode reaches people all the same, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.local import SHARED, Local, local_bot
from flows.person import ANA, BEN, Someone, text_of
from redis import Redis
from support import RedisServer, eventually

from signoff.bot.slack.frames import ROOM
from signoff.bot.text.words import opening

JSON = dict[str, Any]
LONG = "Договор вступает в силу с момента подписания обеими сторонами. " * 160
"""Ten kilobytes of text, 55 as JSON in ASCII."""
MANY = [f"вариант {n:03} " + "ж" * 60 for n in range(200)]


@pytest.fixture(scope="module")
def bot(
    tmp_path_factory: pytest.TempPathFactory, _redis_server: RedisServer, transport: str
) -> Iterator[Local]:
    with Redis.from_url(_redis_server.url) as client:
        client.flushall()
    with local_bot(tmp_path_factory.mktemp("frames"), _redis_server.url, transport=transport) as found:
        yield found


@pytest.fixture
def local(bot: Local) -> Iterator[Local]:
    yield bot
    bot.slack.faults(clear=True)
    for user in (ANA, BEN):
        Someone(bot.slack, user).close_all()
    while waiting := bot.server.lists.pending(ANA).items:
        for listed in waiting:
            approval = bot.server.approvals.get(listed.id)
            bot.server.approvals.cancel(approval.agent, approval.request_id)


def opened(
    local: Local, payload: JSON, form: str, user: str = ANA, **fields: Any
) -> tuple[str, Someone, JSON]:
    """An approval's id, a person, and a form of it that they opened from its card."""
    approval_id = local.ask(payload=payload, reversibility="reversible", **fields)
    someone = local.person(user)
    someone.click(local.card(approval_id), form)
    return approval_id, someone, someone.view(form)


def acks(local: Local) -> list[int]:
    """Bytes of each acknowledgement so far."""
    return [entry["ack_bytes"] for entry in local.slack.log() if entry.get("ack_bytes")]


def calls(local: Local, method: str) -> list[JSON]:
    return [e for e in local.slack.log() if e["kind"] == "call" and e["method"] == method]


def field(view: JSON, label: str) -> JSON:
    found: JSON = next(b for b in view["blocks"] if b["type"] == "input" and b["label"]["text"] == label)
    return found


@pytest.mark.http
def test_every_page_of_a_long_review_comes_there_and_back_and_the_last_approves(local: Local) -> None:
    payload = {f"пункт {n:02}": f"{n} {LONG[:4000]}" for n in range(12)}
    approval_id, ana, view = opened(local, payload, "review")
    seen, loading = text_of(view), 0
    while view["submit"]["text"] == "Next":
        answer = ana.submit(view)
        loading += answer["response"]["view"]["callback_id"] == "loading"
        page = text_of(view).partition("Page ")[2][:1]
        view = ana.view("review", f"Page {int(page) + 1} of")
        seen += text_of(view)
    assert loading, "this payload is for more than one page"
    assert all(value.split()[0] in seen for value in payload.values())
    ana.press(view, "page")
    ana.submit(ana.view("review", "Page 1 of"))
    ana.submit(ana.view("review", "Page 2 of"))
    eventually(lambda: local.server.approvals.get(approval_id).status == "approved")
    assert max(acks(local)) <= ROOM


def test_a_difference_that_is_too_large_lies_over_its_form_and_approves(local: Local) -> None:
    approval_id, ana, form = opened(local, {"body": LONG[:2500], "to": "ana"}, "edit")
    answer = ana.submit(form, body=LONG[100:2800])
    assert answer["response"]["view"]["callback_id"] == "loading"
    difference = ana.view("difference")
    assert [view["callback_id"] for view in ana.stack()] == ["edit", "difference"]
    assert "submit" not in answer["response"]["view"]
    ana.submit(difference)
    approved = eventually(lambda: local.server.approvals.get(approval_id).decision)
    assert approved and local.server.approvals.get(approval_id).payload["body"] == LONG[100:2800].strip()


def test_values_that_do_not_fit_are_fewer_and_told(local: Local) -> None:
    schema = {"type": "object", "properties": {"v": {"enum": MANY}}}
    _, ana, form = opened(local, {"v": MANY[0]}, "edit", json_schema=schema)
    found = local.slack.act(type="suggest", user=ANA, view_id=form["id"], action_id="value", value="вариант")
    (group,) = found["option_groups"]
    count = len(group["options"])
    assert 10 < count < 100 and group["label"]["text"] == opening.first_options(count)
    one = local.slack.act(type="suggest", user=ANA, view_id=form["id"], action_id="value", value="199")
    ana.submit(form, v=one["options"][0])
    ana.view("difference")


def test_errors_at_many_fields_are_all_shown(local: Local) -> None:
    names = [f"поле с длинным именем {n:02} " + "ы" * 60 for n in range(60)]
    schema = {"type": "object", "properties": {name: {"type": "object"} for name in names}}
    _, _ana, form = opened(local, {name: {} for name in names}, "edit", json_schema=schema)
    texts = [b for b in form["blocks"] if b.get("element", {}).get("type") == "plain_text_input"]
    state = {block["block_id"]: {"value": {"value": "[ж"}} for block in texts}
    assert len(state) > 40
    answer = local.slack.act(type="submit", user=ANA, view_id=form["id"], state=state)
    assert answer["ok"], answer
    assert len(answer["response"]["errors"]) == len(state)


@pytest.mark.http
def test_a_long_list_follows_by_the_commands_own_address(local: Local) -> None:
    for n in range(12):
        local.ask(payload={"текст": f"{n} {LONG[:900]}", "кому": LONG[:200]}, reason=LONG[:900])
    ana = local.person(ANA)
    for text in ("pending", "mine", "history", "help"):
        before = len(ana.told())
        answer = local.slack.act(type="command", user=ANA, channel=SHARED, command="/approvals", text=text)
        assert answer["acked"] and answer["ack_ms"] < 3000
        ana.told_now(before)
    assert max(acks(local)) <= ROOM


def test_a_view_that_slack_refuses_leaves_the_form_with_what_was_typed(local: Local) -> None:
    payload = {f"п{n:03}": LONG[:40] for n in range(150)}
    approval_id, ana, form = opened(local, payload, "edit")
    local.slack.faults(method="views.update", mode="error", error="invalid_arguments", times=1)
    answer = ana.submit(form, п000="набрано")
    assert answer["response"]["view"]["callback_id"] == "loading"
    kept = ana.view("edit", "Slack does not show that", "Nothing was decided")
    assert field(kept, "п000")["element"]["initial_value"] == "набрано"
    ana.submit(kept)
    ana.view("edit", "of 150", "Back")
    assert local.pending(approval_id)


def test_a_difference_that_slack_refuses_lies_over_a_form_that_is_untouched(local: Local) -> None:
    approval_id, ana, form = opened(local, {"body": LONG[:2500]}, "edit")
    local.slack.faults(method="views.update", mode="error", error="view_too_large", times=1)
    ana.submit(form, body=LONG[100:2800])
    told = ana.view("message", "Slack does not show that", "view_too_large")
    assert told["close"]["text"] == "Back"
    local.slack.act(type="close", user=ANA, view_id=told["id"])
    form = ana.view("edit")
    assert form["state"]["values"][field(form, "body")["block_id"]]["value"]["value"] == LONG[100:2800]
    ana.submit(form)
    ana.view("difference")
    assert local.pending(approval_id)


@pytest.mark.parametrize(
    "fault",
    [
        {"mode": "ratelimited", "seconds": 1},
        {"mode": "drop_reply"},
        {"mode": "error"},
        {"mode": "disconnect"},
    ],
    ids=lambda fault: fault["mode"],
)
def test_a_slack_that_is_busy_for_a_moment_shows_it_a_moment_later(local: Local, fault: JSON) -> None:
    _, ana, form = opened(local, {"body": LONG[:2500]}, "edit")
    local.slack.faults(method="views.update", **fault)
    ana.submit(form, body=LONG[100:2800])
    ana.view("difference")
    eventually(lambda: not local.slack.faults()["faults"])
    assert [view["callback_id"] for view in ana.stack()] == ["edit", "difference"]


def test_who_closes_it_while_it_loads_is_not_bothered(local: Local) -> None:
    approval_id, ana, form = opened(local, {"body": LONG[:2500]}, "edit")
    told = len(ana.told())
    local.slack.faults(method="views.update", mode="hang", seconds=0.5)
    ana.submit(form, body=LONG[100:2800])
    loading = ana.view("loading")
    assert local.slack.act(type="submit", user=ANA, view_id=loading["id"])["error"] == "no_submit_button"
    local.slack.act(type="close", user=ANA, view_id=loading["id"], all=True)
    eventually(lambda: calls(local, "views.update")[-1]["answer"].get("error") == "not_found")
    assert not ana.stack() and len(ana.told()) == told and local.pending(approval_id)


def test_back_and_forth_while_slack_is_slow_leaves_what_came_last(local: Local) -> None:
    payload = {f"f{n:03}": n for n in range(150)}
    _, ana, first = opened(local, payload, "edit")
    ana.submit(first, f000="7")
    second = ana.view("edit", "Fields 93 to")
    local.slack.faults(method="views.update", mode="hang", seconds=0.6)
    ana.press(second, "edit_back")
    ana.submit(second, f149="9")
    difference = ana.view("difference")
    eventually(lambda: not local.slack.faults()["faults"])
    assert ana.stack()[-1]["id"] == difference["id"]


def test_where_the_stack_is_full_a_form_takes_the_place_of_the_one_below(local: Local) -> None:
    approval_id = local.ask(payload={"amount": 5, "to": "ana"}, reversibility="reversible")
    ana = local.person(ANA)
    local.slack.act(type="shortcut", user=ANA, callback_id="pending")
    listed = ana.view("list")
    value = f"{approval_id}:1"
    ana.press(listed, "review", value=value)
    review = ana.view("review")
    ana.press(review, "edit", value=value)
    form = ana.view("edit")
    assert [view["callback_id"] for view in ana.stack()] == ["list", "edit"]
    ana.submit(form, amount="7")
    ana.submit(ana.view("difference"))
    eventually(lambda: local.server.approvals.get(approval_id).status == "approved")
    assert not ana.stack()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"mode": "error", "error": "expired_trigger_id"}, "That took too long to open"),
        ({"mode": "error", "error": "trigger_exchanged"}, "That took too long to open"),
        ({"mode": "error", "error": "internal_error"}, "Slack could not open that just now"),
        ({"mode": "ratelimited", "seconds": 1}, "Slack could not open that just now"),
        ({"mode": "error", "error": "invalid_arguments"}, "Slack does not show that"),
    ],
    ids=["expired", "exchanged", "away", "limited", "refused"],
)
@pytest.mark.parametrize("form", ["reject", "review", "details"])
def test_a_view_that_cannot_be_opened_is_told_as_that(
    local: Local, fault: JSON, words: str, form: str
) -> None:
    approval_id = local.ask(payload={"text": LONG})
    ben, before = local.person(BEN), len(local.person(BEN).told())
    local.slack.faults(method="views.open", **fault)
    if form == "details":
        ben.choose(local.card(approval_id), form)
    else:
        ben.click(local.card(approval_id), form)
    told = ben.told_now(before, words, "Nothing was decided, and nothing has changed")
    assert "record" not in told["text"] and local.pending(approval_id)
    local.slack.faults(clear=True)


@pytest.mark.parametrize("where", ["list", "shortcut", "message"])
def test_it_is_told_where_the_person_looks(local: Local, where: str) -> None:
    approval_id = local.ask(payload={"text": LONG})
    ben, before = local.person(BEN), len(local.person(BEN).told())
    if where == "message":
        local.slack.faults(method="views.open", mode="error", error="expired_trigger_id", times=2)
        ben.use_shortcut(local.card(approval_id))
        ben.told_now(before, "That took too long to open", "Nothing was decided")
    elif where == "shortcut":
        direct = len(local.slack.messages(BEN))
        local.slack.faults(method="views.open", mode="error", error="expired_trigger_id", times=2)
        local.slack.act(type="shortcut", user=BEN, callback_id="pending")
        told = eventually(lambda: local.slack.messages(BEN)[direct:])
        assert "Nothing was decided" in told[0]["text"]
    else:
        local.slack.act(type="shortcut", user=BEN, callback_id="pending")
        listed = ben.view("list")
        local.slack.faults(method="views.push", mode="error", error="expired_trigger_id", times=2)
        ben.press(listed, "review", value=f"{approval_id}:1")
        ben.view("list", "That took too long to open", "Nothing was decided")
    assert local.pending(approval_id)


def test_a_form_that_cannot_be_recorded_now_keeps_what_was_typed(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval_id, ana, form = opened(local, {"amount": 5}, "reject")

    def away(*_: Any, **__: Any) -> Callable[..., Any]:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(type(local.server.approvals), "decide", away)
        ana.submit(form, **{"Why,_or_what_to_change": "Не сегодня"})
        form = ana.view("reject", "could not record that")
    assert field(form, "Why, or what to change")["element"]["initial_value"] == "Не сегодня"
    ana.submit(form)
    eventually(lambda: local.server.approvals.get(approval_id).status == "rejected")
