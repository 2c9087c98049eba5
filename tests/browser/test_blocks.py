"""Every block and element that Signoff uses, as the page draws it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
GOLDEN = sorted((Path(__file__).parents[1] / "bot" / "golden").glob("*.json"))
DRAWN = 45
"""Cards at once: the page shows the last 50 messages of a channel."""
Post = Callable[..., str]
Open = Callable[..., Page]


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: str, **more: Any) -> JSON:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, **more}}


def rich(*elements: JSON) -> JSON:
    return {"type": "rich_text", "elements": list(elements)}


def spans(*elements: JSON, kind: str = "rich_text_section", **more: Any) -> JSON:
    return {"type": kind, "elements": list(elements), **more}


def literal(text: str, **style: bool) -> JSON:
    return {"type": "text", "text": text} | ({"style": style} if style else {})


@pytest.fixture
def shown(slack: Sandbox, post: Post, page_for: Open) -> Callable[..., Locator]:
    """Post blocks, and give the message on the page."""

    def show(*blocks: JSON, **more: Any) -> Locator:
        ts = post(*blocks, **more)
        article = page_for(slack, "ana").locator(f'article[data-ts="{ts}"]')
        expect(article).to_be_visible()
        return article

    return show


def test_marks_of_mrkdwn_are_drawn(shown: Callable[..., Locator]) -> None:
    marks = "*bold* _it_ ~no~ `x &lt; y` a*b*c\n&gt; said <https://example.com/a|there>\n"
    card = shown(mrkdwn(f"{marks}```if a &gt; b:\n  *go*```"))
    expect(card.locator("strong", has_text="bold")).to_have_text("bold")
    expect(card.locator("em")).to_have_text("it")
    expect(card.locator("s")).to_have_text("no")
    expect(card.locator("code")).to_have_text("x < y")
    expect(card.locator("blockquote")).to_have_text("said there")
    expect(card.locator("pre")).to_have_text("if a > b:\n  *go*")
    expect(card.get_by_role("link", name="there")).to_have_attribute("href", "https://example.com/a")
    expect(card).to_contain_text("a*b*c")


def test_mentions_have_their_names_and_mine_stands_out(shown: Callable[..., Locator]) -> None:
    text = "<@U0ANA00001> <@U0BEN00001> <!subteam^S0FINANCE1> <#C0RANDOM01> <!channel> <@U0NOBODY1>"
    card = shown(mrkdwn(text, verbatim=True))
    for name in ("@ana", "@ben", "@finance", "#random", "@channel", "@U0NOBODY1"):
        expect(card.locator(".mention", has_text=name)).to_be_visible()
    expect(card.locator(".mention.me")).to_have_text(["@ana", "@finance", "@channel"])


def test_dates_are_in_the_readers_zone_and_in_slacks_words(shown: Callable[..., Locator]) -> None:
    at = 1_700_000_000  # 14 November 2023, 23:13:20 in Berlin
    date = f"<!date^{at}^{{date_num}} {{time}} / {{date_long}} / {{time_secs}}|then>"
    element = {"type": "date", "timestamp": at, "format": "{date_short} {time}", "fallback": "then"}
    card = shown(mrkdwn(f"{date} <!date^{at}^{{nonsense}}|as written>"), rich(spans(element)))
    expect(card).to_contain_text("2023-11-14 11:13 PM / Tuesday, November 14, 2023 / 11:13:20 PM as written")
    expect(card).to_contain_text("Nov 14, 2023 11:13 PM")


def test_rich_text_is_drawn_in_all_its_parts(shown: Callable[..., Locator]) -> None:
    card = shown(
        rich(
            spans(literal("b", bold=True), literal("i", italic=True), literal("s", strike=True)),
            spans(literal("c", code=True), {"type": "link", "url": "https://example.com/", "text": "a link"}),
            spans(
                {"type": "user", "user_id": "U0BEN00001"}, {"type": "usergroup", "usergroup_id": "S0FINANCE1"}
            ),
            spans({"type": "channel", "channel_id": "C0RANDOM01"}, {"type": "broadcast", "range": "here"}),
            spans(
                {"type": "emoji", "name": "tada", "unicode": "1f389"}, {"type": "color", "value": "#ff0000"}
            ),
            spans(literal("quoted\nover two lines"), kind="rich_text_quote"),
            spans(literal("  SELECT *\n  FROM t"), kind="rich_text_preformatted"),
            spans(spans(literal("one")), spans(literal("two")), kind="rich_text_list", style="bullet"),
            spans(spans(literal("three")), kind="rich_text_list", style="ordered", offset=2, indent=1),
        )
    )
    expect(card.locator(".rich strong")).to_have_text("b")
    expect(card.locator(".rich em")).to_have_text("i")
    expect(card.locator(".rich s")).to_have_text("s")
    expect(card.locator(".rich code")).to_have_text("c")
    expect(card.get_by_role("link", name="a link")).to_have_attribute("rel", "noopener noreferrer")
    for text in ("@ben", "@finance", "#random", "@here", "🎉", "#ff0000"):
        expect(card).to_contain_text(text)
    assert card.locator("blockquote").inner_text() == "quoted\nover two lines"
    assert card.locator("pre").text_content() == "  SELECT *\n  FROM t"
    expect(card.locator("ul > li")).to_have_text(["one", "two"])
    expect(card.locator("ol")).to_have_attribute("start", "3")


def test_header_fields_context_divider_and_accessory_are_drawn(shown: Callable[..., Locator]) -> None:
    button = {"type": "button", "action_id": "b", "text": plain("Press"), "value": "v"}
    image = {"type": "image", "image_url": "https://example.com/x.png", "alt_text": "a picture"}
    card = shown(
        {"type": "header", "text": plain("refund.create *x*")},
        {"type": "section", "text": plain("beside it"), "accessory": button},
        {"type": "section", "fields": [plain("left"), {"type": "mrkdwn", "text": "*right*"}]},
        {"type": "divider"},
        {"type": "context", "elements": [image, plain("small *print*")]},
        image,
    )
    expect(card.get_by_role("heading", name="refund.create *x*")).to_be_visible()
    expect(card.get_by_role("button", name="Press")).to_be_visible()
    expect(card.locator(".fields > div")).to_have_text(["left", "right"])
    expect(card.get_by_role("separator")).to_be_visible()
    expect(card.locator(".context")).to_contain_text("small *print*")
    # Pictures from elsewhere are not fetched: their words stand there.
    expect(card.get_by_role("img", name="a picture")).to_have_count(2)
    assert card.locator("img[src^=http]").count() == 0


def test_a_long_section_folds_unless_the_app_says_expand(shown: Callable[..., Locator]) -> None:
    long = "\n".join(f"line {number}" for number in range(200))
    card = shown(mrkdwn(long), {**mrkdwn(long), "expand": True})
    folded, whole = card.locator(".section .text").all()
    assert whole.bounding_box()["height"] > 10 * folded.bounding_box()["height"]  # type: ignore[index]
    card.get_by_role("button", name="See more").click()
    assert whole.bounding_box()["height"] == folded.bounding_box()["height"]  # type: ignore[index]
    expect(card.get_by_role("button", name="See less")).to_be_visible()


def test_what_is_not_drawn_says_so(shown: Callable[..., Locator]) -> None:
    card = shown({"type": "markdown", "text": "# Title"}, mrkdwn("the rest"))
    expect(card).to_contain_text("A markdown block stands here: not drawn here.")
    expect(card).to_contain_text("the rest")


def test_a_message_without_blocks_is_its_text(shown: Callable[..., Locator]) -> None:
    expect(shown(text="*Hello* <@U0ANA00001> :tada:").locator(".blocks")).to_have_text("Hello @ana 🎉")


HOSTILE = (
    "<b>x</b><img src=x onerror=alert(1)> <!channel> *no* \u202eevil\u202c a\u200bb </div><script>x</script>"
)


def test_hostile_text_is_text_and_nothing_else(shown: Callable[..., Locator]) -> None:
    link = {"type": "link", "url": "https://evil.example/pay", "text": "https://bank.example/pay"}
    script = {"type": "link", "url": "javascript:alert(3)", "text": "click me"}
    card = shown(
        {"type": "header", "text": plain(HOSTILE)},
        {"type": "section", "text": plain(HOSTILE)},
        rich(spans(literal(HOSTILE), link, script), spans(literal(HOSTILE), kind="rich_text_preformatted")),
    )
    assert (card.text_content() or "").count(HOSTILE) == 4
    assert card.locator("script, .blocks img, .blocks b, .mention").count() == 0
    expect(card).to_contain_text("https://bank.example/pay (https://evil.example/pay)")
    assert card.get_by_role("link").evaluate_all("all => all.map(a => a.href)") == [
        "https://evil.example/pay"
    ]


def test_tables_are_drawn_and_a_data_table_a_page_at_a_time(shown: Callable[..., Locator]) -> None:
    def row(*texts: str) -> list[JSON]:
        return [{"type": "raw_text", "text": text} for text in texts]

    rows = [row("name", "amount"), *(row(f"item {number}", str(number)) for number in range(1, 8))]
    whole = {"type": "table", "rows": rows, "column_settings": [None, {"align": "right"}]}
    paged = {"type": "data_table", "caption": "What is refunded", "rows": rows}
    card = shown(whole, paged)
    assert card.locator(".undrawn").count() == 0
    expect(card.locator(".table tr")).to_have_count(8)
    expect(card.locator(".table td.right").last).to_have_text("7")
    paging = card.locator(".data_table")
    expect(paging.locator("caption")).to_have_text("What is refunded")
    expect(paging.locator("tbody tr")).to_have_count(5)
    expect(paging).to_contain_text("Page 1 of 2")
    paging.get_by_role("button", name="Next").click()
    expect(paging.locator("tbody tr")).to_have_text(["item 66", "item 77"])
    expect(paging.get_by_role("button", name="Next")).to_be_disabled()


def test_a_text_of_forty_thousand_characters_stays_inside_its_message(shown: Callable[..., Locator]) -> None:
    card = shown(text="W" * 40_000)
    assert len(card.locator(".blocks").inner_text()) == 40_000
    assert card.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert card.page.locator(".list").evaluate("list => list.scrollWidth <= list.clientWidth")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("part", range(-(-len(GOLDEN) // DRAWN)))
def test_signoffs_own_cards_are_drawn_whole(
    slack: Sandbox, post: Post, page_for: Open, part: int, width: int
) -> None:
    mine = GOLDEN[part * DRAWN :][:DRAWN]
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in mine]
    for card in cards:
        post(*card["blocks"], text=card["text"])
    page = page_for(slack, "ana", viewport={"width": width, "height": 844})
    articles = page.get_by_role("article")
    expect(articles).to_have_count(len(cards))
    assert page.locator(".undrawn").count() == 0
    headers = [b["text"]["text"] for card in cards for b in card["blocks"] if b["type"] == "header"]
    assert articles.locator("h3").all_text_contents() == headers
    for article, card in zip(articles.all(), cards, strict=True):
        wanted = [
            e["text"]["text"]
            for b in card["blocks"]
            if b["type"] == "actions"
            for e in b["elements"]
            if "text" in e
        ]
        drawn = article.locator(".actions .button:not(.overflow)").all_text_contents()
        assert drawn == wanted
        box = article.locator(".blocks").bounding_box()
        assert box and box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
