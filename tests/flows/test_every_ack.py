"""Every acknowledgement that there is, in ten scripts: it fits a frame, and Slack takes what it shows."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flows.local import Local, local_bot
from flows.others import POLICY, others
from flows.person import ANA, Someone
from flows.several import one_by_one
from flows.walk import Walk
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from redis import Redis
from slack_bolt import App
from support import RedisServer

from signoff.bot.app import Running
from signoff.bot.slack.frames import ROOM
from signoff.models.questions import ACTION, QUESTION, WHYS

JSON = dict[str, Any]
SCRIPTS = {
    "Latin": "The payment of the invoice æøå ",
    "Cyrillic": "Оплата счёта по договору ",
    "Greek": "Πληρωμή του τιμολογίου ",
    "Arabic": "دفع الفاتورة حسب العقد ",
    "Hebrew": "תשלום החשבונית לפי החוזה ",
    "Devanagari": "अनुबंध के अनुसार भुगतान ",
    "Thai": "การชำระเงินตามใบแจ้งหนี้ ",
    "Chinese": "按合同支付发票金额，",
    "Hangul": "계약에 따른 송장 지불 ",
    "Emoji": "💶🧾✅🚀👩‍👩‍👧‍👦🇺🇦 ",
}
SMITHS = [{"id": "a", "text": "Ann Smith, Berlin"}, {"id": "b", "text": "Al Smith, Bonn"}]
STEPS = 25
ANSWERED = ("action", "options", "view", "command", "shortcut")
NOT_YET = "not_found"
"""What Slack says of a view that it does not show yet: it is asked again."""


@dataclass
class Haunt:
    """A bot, and all that its app listens to."""

    local: Local
    running: Running
    listens: set[tuple[str, Any]] = field(default_factory=set)
    driven: set[tuple[str, str]] = field(default_factory=set)
    count: Iterator[int] = field(default_factory=itertools.count)


@pytest.fixture(scope="module")
def bot(
    tmp_path_factory: pytest.TempPathFactory, _redis_server: RedisServer, transport: str
) -> Iterator[Haunt]:
    with Redis.from_url(_redis_server.url) as client:
        client.flushall()
    listens, running = set[tuple[str, Any]](), Running()
    with pytest.MonkeyPatch.context() as patch:
        for kind in ANSWERED:
            patch.setattr(App, kind, heard(kind, getattr(App, kind), listens))
        folder = tmp_path_factory.mktemp("acks")
        (folder / "policy.yml").write_text(POLICY)
        how = {"running": running, "ack_seconds": 60, "transport": transport, "policy": folder / "policy.yml"}
        with local_bot(folder, _redis_server.url, **how) as local:
            yield Haunt(local, running, listens)


def heard(kind: str, register: Callable[..., Any], listens: set[tuple[str, Any]]) -> Callable[..., Any]:
    def registered(app: App, constraint: Any, *given: Any, **more: Any) -> Any:
        listens.add((kind, constraint))
        return register(app, constraint, *given, **more)

    return registered


def texts(word: str, most: int) -> st.SearchStrategy[str]:
    """Text of one script, short or of up to `most` characters."""
    return st.sampled_from([1, 7, 40, 300, most]).map(lambda size: (word * (size // len(word) + 1))[:size])


def payloads(word: str) -> st.SearchStrategy[JSON]:
    """A few long fields, or so many short ones that a form has pages; with lists and objects."""
    leaf = texts(word, 2900) | st.integers(-(10**6), 10**6) | st.booleans() | st.none()
    value = leaf | st.lists(texts(word, 400), max_size=8) | st.dictionaries(texts(word, 60), leaf, max_size=4)
    few = st.dictionaries(texts(word, 60), value, min_size=1, max_size=5)
    long = st.dictionaries(texts(word, 60), texts(word, 12_000), min_size=1, max_size=5)
    many = st.integers(95, 160).map(lambda count: {f"{word[:8]}{at}": word[:20] for at in range(count)})
    return few | long | many


@st.composite
def requests(draw: Callable[[st.SearchStrategy[Any]], Any], word: str) -> JSON:
    """A request whose every word is of one script."""
    payload = draw(payloads(word))
    values = [f"{at} {word}"[:74] for at in range(draw(st.sampled_from([3, 90, 150])))]
    choice = {"enum": values, "description": draw(texts(word, 400))}
    fields: JSON = {"payload": payload | {"choice": values[0]}, "reversibility": "reversible"}
    if draw(st.booleans()):
        fields["json_schema"] = {"type": "object", "properties": {"choice": choice}}
    for name in ("reason", "impact", "undo", "title"):
        if draw(st.booleans()):
            most = 60 if name == "title" else 900
            fields[name] = draw(texts(word, most))[:most].strip() or "x"
    return fields


@st.composite
def questions(draw: Callable[[st.SearchStrategy[Any]], Any], word: str) -> JSON:
    """A question whose every word is of one script: as long as may be, or short."""

    def said(most: int) -> str:
        found: str = draw(texts(word, most))[:most]
        return found

    count = draw(st.sampled_from([0, 2, 5, 10]))
    options = [{"id": f"o{at}", "text": said(150), "about": said(300)} for at in range(count)]
    asked: JSON = {"question": said(1000), "options": options, "free_text": not count or draw(st.booleans())}
    asked |= {"date": draw(st.booleans()), "several": count > 1 and draw(st.booleans())}
    asked |= {"default": "o0" if count else said(300)} if draw(st.booleans()) else {}
    why = draw(st.sampled_from(WHYS))
    asked |= {
        "sources": [{"name": said(150), "text": said(4000)} for _ in range(2 + draw(st.integers(0, 3)))]
    }
    asked |= {"tries": [{"what": said(300), "error": said(1000)} for _ in range(1 + draw(st.integers(0, 9)))]}
    return {"kind": QUESTION, "action": ACTION, "payload": asked | {"why": why}, "reason": said(300)}


def check(bot: Haunt, since: int) -> None:
    """All that went over the sockets since then."""
    for entry in bot.local.slack.log():
        if entry["n"] <= since:
            continue
        assert entry["kind"] != "frame", entry
        if entry["kind"] == "envelope":
            assert entry["acked"] and entry["ack_bytes"] <= ROOM, (entry["type"], entry.get("ack_bytes"))
        elif entry["kind"] == "call" and entry["method"].startswith("views."):
            assert entry["answer"].get("ok") or entry["answer"]["error"] == NOT_YET, entry
        elif entry["kind"] == "response_url":
            assert entry["status"] == 200, entry


def walk(bot: Haunt, word: str, fields: JSON, seed: int, steps: int, *, guided: bool = False) -> None:
    """So many acts beside a new card; `guided`: rather what nobody has done yet, on whatever card."""
    slack = bot.local.slack
    since = max((entry["n"] for entry in slack.log()), default=0)
    approval_id, known = bot.local.ask(**fields), bot.driven if guided else set[tuple[str, str]]()
    walk = Walk(bot.local, bot.running, ANA, approval_id, word, random.Random(seed), known)
    for _ in range(steps):
        walk.step()
    bot.driven |= walk.driven
    Someone(slack, ANA).close_all()
    check(bot, since)


def missed(bot: Haunt) -> list[str]:
    """What the app listens to, and nobody has pressed."""
    names: dict[str, set[str]] = {}
    for kind, name in bot.driven:
        kind = "shortcut" if kind == "message_shortcut" else kind
        names.setdefault(kind, set()).add(name.partition(":")[0])
    names["command"] = {"/approvals"} if "command" in names else set()

    def pressed(kind: str, constraint: Any) -> bool:
        pattern = getattr(constraint, "pattern", constraint) or ".*"
        return any(re.fullmatch(pattern, name) for name in names.get(kind, ()))

    return sorted(f"{kind} {constraint}" for kind, constraint in bot.listens if not pressed(kind, constraint))


@pytest.mark.parametrize("script", SCRIPTS)
def test_whatever_is_pressed_is_acknowledged_in_a_frame(bot: Haunt, script: str) -> None:
    @settings(
        max_examples=2,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(fields=requests(SCRIPTS[script]), asked=questions(SCRIPTS[script]), seed=st.integers(0, 10**6))
    def walks(fields: JSON, asked: JSON, seed: int) -> None:
        another = {"n": next(bot.count)}  # what waits already is not asked once more
        walk(bot, SCRIPTS[script], fields | {"payload": fields["payload"] | another}, seed, STEPS)
        asked["payload"] |= {"question": f"{another['n']} {asked['payload']['question']}"[:1000]}
        walk(bot, SCRIPTS[script], asked, seed, STEPS // 3)

    walks()


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_is_largest_of_each_kind_fits_too(bot: Haunt, script: str) -> None:
    word, local, slack = SCRIPTS[script], bot.local, bot.local.slack
    since = max((entry["n"] for entry in slack.log()), default=0)
    ana = local.person(ANA)
    values = [f"{at} {word * 8}"[:70] for at in range(101)]
    properties: JSON = {"choice": {"enum": values}} if len(str(values).encode()) < 25_000 else {}
    payload = {"choice": values[0], **{f"{word[:9]}{at}": at for at in range(30)}, "text": word}
    approval_id = local.ask(
        payload=payload, json_schema={"type": "object", "properties": properties}, reversibility="reversible"
    )
    ana.click(local.card(approval_id), "edit")
    form = ana.view("edit")
    inputs = [block for block in form["blocks"] if block["type"] == "input"]
    if properties:
        choice = next(b["block_id"] for b in inputs if b["element"]["type"] == "external_select")
        ask = {"type": "suggest", "view_id": form["id"], "action_id": "value", "block_id": choice}
        assert slack.act(user=ANA, value="", **ask)["option_groups"]
    long = (word * 3000)[:2990].strip()
    state = {b["block_id"]: {"value": {"value": long}} for b in inputs if b["label"]["text"] == "text"}
    answer = slack.act(type="submit", user=ANA, view_id=form["id"], state=state)
    assert answer["acked"] and answer["response"]["response_action"] == "push"
    ana.view("difference")
    ana.close_all()
    review = local.ask(payload={f"{word[:9]}{at}": (word * 2000)[:30_000] for at in range(8)})
    ana.click(local.card(review), "review")
    view = ana.view("review")
    assert view["submit"]["text"] == "Next"
    assert ana.submit(view)["response"]["view"]["callback_id"] == "loading"
    ana.view("review", "Page 2 of")
    ana.close_all()
    for text in ("pending", f"show {review}", "history"):
        answer = slack.act(
            type="command", user=ANA, channel=local.person(ANA).channel, command="/approvals", text=text
        )
        assert answer["acked"], answer
    assert bot.running.wait(60)
    check(bot, since)


def test_everything_that_the_app_listens_to_was_pressed(bot: Haunt) -> None:
    word = SCRIPTS["Cyrillic"]
    values = [f"{at} {word}"[:74] for at in range(150)]
    schema = {"type": "object", "properties": {"choice": {"enum": values}}}
    shapes: list[JSON] = [
        {"payload": {"amount": 5, "to": word.strip()}, "reversibility": "reversible"},
        {"payload": {"choice": values[0], "amount": 5}, "json_schema": schema},
        {"kind": QUESTION, "action": ACTION, "payload": {"question": word, "options": SMITHS, "date": True}},
    ]
    back_and_forth(bot, word)
    bot.driven |= one_by_one(bot.local, word)
    bot.driven |= others(bot.local, word)
    for seed in range(16):
        if not missed(bot):
            return
        shape = shapes[seed % len(shapes)]
        name = "question" if shape.get("kind") == QUESTION else "to"
        another = {"payload": {**shape["payload"], name: f"{word} {seed}"}}
        walk(bot, word, shape | another, seed, STEPS, guided=True)
    assert "\n".join(missed(bot)) == ""


def back_and_forth(bot: Haunt, word: str) -> None:
    """What chance seldom comes to: second pages of a form and of a review, and back; an edit to its end."""
    ana, local = bot.local.person(ANA), bot.local
    form = local.ask(payload={f"f{at:03}": at for at in range(150)})
    ana.click(local.card(form), "edit")
    ana.submit(ana.view("edit", "Fields 1 to"), f000="7")
    ana.press(ana.view("edit", "Fields 93 to"), "edit_back")
    ana.view("edit", "Fields 1 to")
    ana.close_all()
    review = local.ask(payload={f"п{at}": (word * 2000)[:30_000] for at in range(8)})
    ana.click(local.card(review), "review")
    ana.submit(ana.view("review", "Page 1 of"))
    ana.press(ana.view("review", "Page 2 of"), "page")
    ana.view("review", "Page 1 of")
    ana.close_all()
    short = local.ask(payload={"amount": 5, "to": word.strip()}, reversibility="reversible")
    ana.click(local.card(short), "edit")
    ana.submit(ana.view("edit"), to="another")
    ana.submit(ana.view("difference"))
    ana.close_all()
    bot.driven |= {("action", "edit_back"), ("action", "page"), ("view", "edit"), ("view", "difference")}
