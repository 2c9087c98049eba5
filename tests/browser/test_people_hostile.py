"""What an agent sends to deceive its reader: on the page it is text, all of it, and nothing else."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.people import CHANGES, Agent, button, difference, form, only_for_me, the_card
from flows.road import Road
from playwright.sync_api import Dialog, Page, Request, expect

Ask = Callable[..., Agent]
Look = Callable[..., Page]
SCRIPT = "<script>window.struck = 1</script><img src=x onerror='window.struck = 1'>"
MENTIONS = "<!channel> <!here> <@U0ANA00001> <!subteam^S0FINANCE1> <#C0GENERAL1> @channel :rocket:"
LINKS = "<https://evil.example/a|https://bank.example> [bank](https://evil.example/b) https://evil.example/c"
MARKS = "*bold* _it_ ~x~ `code` ```fence``` > quote &lt;b&gt; javascript:alert(1)"
EVIL = f"{SCRIPT} {MENTIONS} {LINKS} {MARKS}"
HIDDEN = "pay\u202eevil\u2066\u200b\u2028\U000e0041\ufeff\u00adend"
SHOWN = r"pay\u{202e}evil\u{2066}\u{200b}\u{2028}\u{e0041}\u{feff}\u{ad}end"
UNSEEN = ("Cf", "Cc", "Zl", "Zp", "Co")

ODD = """() => {
  const out = [];
  const made = "script, iframe, object, embed, base, link, style, svg, img, a, video, .mention, .emoji";
  for (const e of document.querySelectorAll(made)) {
    const own = (url) => new URL(url, location.href).origin === location.origin;
    if (e.tagName === "SCRIPT" && e.getAttribute("src") === "/page/main.js") continue;
    if (e.tagName === "LINK" && own(e.href)) continue;
    if (e.tagName === "IMG" && e.getAttribute("src") === "/page/icon.svg") continue;
    const sign = e.tagName === "svg" && e.outerHTML.replace(/ d="[-MmLlHhVvAaSsZz0-9. ]+"/, "");
    const drawn = '<svg class="icon icon-NAME" viewBox="0 0 16 16" aria-hidden="true"><path></path></svg>';
    if (sign && sign.replace(/icon-[a-z]+/, "icon-NAME") === drawn) continue;
    if (e.tagName === "A" && /^#/.test(e.getAttribute("href"))) continue;
    const block = e.closest(".context, .section")?.dataset.block ?? "";
    if (/^(about|state|by|handed|undo|right|held)(:|$)/.test(block) && WHO.includes(e.textContent)) continue;
    out.push(`${block} ${e.outerHTML.slice(0, 300)}`);
  }
  for (const e of document.querySelectorAll("*")) {
    for (const {name} of e.attributes) if (/^on/i.test(name)) out.push(`${e.tagName} ${name}`);
  }
  if (window.struck !== undefined) out.push("a script ran");
  return out;
}""".replace("WHO", '["@ana", "@ben", "@gus", "@eve"]')
"""All on the page that is neither the page's own nor a mention that Signoff made."""


@pytest.fixture
def page(road: Road, look: Look) -> Iterator[Page]:
    """Ana's window; nothing may open in it, and nothing may be fetched from elsewhere."""
    found, strange = look("ana"), []

    def dismiss(dialog: Dialog) -> None:
        strange.append(dialog.message)
        dialog.dismiss()

    def note(request: Request) -> None:
        if not request.url.startswith(road.slack.url):
            strange.append(request.url)

    found.on("dialog", dismiss)
    found.context.on("request", note)
    found.context.on("page", lambda new: strange.append(new.url))
    yield found
    harmless(found)
    assert strange == []


def harmless(page: Page) -> str:
    """Nothing on the page was made of what an agent said; gives all its text."""
    assert page.evaluate(ODD) == []
    fields = page.locator("input, textarea").evaluate_all("all => all.map((one) => one.value).join('\\n')")
    text: str = page.locator("body").inner_text() + fields
    assert {c for c in text if unicodedata.category(c) in UNSEEN and c not in "\n\t"} == set()
    return text


def test_markup_mentions_and_links_are_text_wherever_they_are_shown(
    ask: Ask, page: Page, tmp_path: Path
) -> None:
    payload: dict[str, Any] = {"note": EVIL, EVIL[:90]: [EVIL, {"x": MENTIONS}]}
    claims = {
        "reason": EVIL, "impact": EVIL, "undo": LINKS, "title": EVIL[:150], "alternatives": [MENTIONS],
        "context": {LINKS: MARKS}, "conversation": "<!channel>",
    }  # fmt: skip
    agent = ask("evil.markup", payload, agent="evil-bot", then=EVIL, **claims)
    card = the_card(page, "evil.markup")
    for words in (SCRIPT, MENTIONS, LINKS, MARKS):
        expect(card).to_contain_text(words)
    harmless(page)
    page.screenshot(path=tmp_path / "card.png", full_page=True)
    button(card, "More options").click()
    page.get_by_role("menuitem", name="Details…").click()
    details = form(page, "Details")
    expect(details).to_contain_text(EVIL)
    expect(details).to_contain_text(MARKS)
    harmless(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)  # while it stands, no key reaches the message box
    field = page.get_by_role("combobox", name="Message #agent-approvals")
    field.fill("/approvals pending evil.markup")
    page.keyboard.press("Enter")
    button(only_for_me(page, "evil.markup"), "Review…").click()
    review = form(page, "evil.markup")
    expect(review).to_contain_text(EVIL)
    harmless(page)
    page.screenshot(path=tmp_path / "review.png")
    button(review, "Approve").click()
    expect(card).to_contain_text("Done")
    expect(card.get_by_text(SCRIPT)).not_to_have_count(0)
    assert agent.got()["payload"] == payload


def test_a_reason_and_a_correction_of_markup_stay_text_and_arrive_as_typed(ask: Ask, page: Page) -> None:
    agent = ask("evil.edit", {"note": LINKS}, agent="evil-bot")
    card, edit = the_card(page, "evil.edit"), form(page, "evil.edit")
    button(card, "Edit…").click()
    expect(edit.get_by_label("note")).to_have_value(LINKS)
    edit.get_by_label("note").fill(EVIL)
    button(edit, "Show changes").click()
    expect(difference(page)).to_contain_text(MENTIONS)
    harmless(page)
    button(page, CHANGES).click()
    expect(card).to_contain_text("Changed by the approver")
    expect(card).to_contain_text(SCRIPT)
    assert agent.got()["payload"] == {"note": EVIL}


def test_what_cannot_be_seen_is_written_out_and_warned_of(ask: Ask, page: Page, tmp_path: Path) -> None:
    payload = {"to": HIDDEN, "p\u0430ypal": "mixed p\u0430ypal"}
    agent = ask("evil.bidi", payload, agent="evil-bot", reason=HIDDEN)
    card = the_card(page, "evil.bidi")
    expect(card.get_by_text(SHOWN)).not_to_have_count(0)
    expect(card).to_contain_text(r"(right-to-left override): shown as \u{202e}.")
    expect(card).to_contain_text("in the payload: its second letter is Cyrillic.")
    harmless(page)
    page.screenshot(path=tmp_path / "card.png")
    button(card, "Edit…").click()
    expect(form(page, "evil.bidi").get_by_label("to")).to_have_value(SHOWN)
    harmless(page)
    button(form(page, "evil.bidi"), "Cancel").click()
    button(card, "Approve").click()
    expect(card).to_contain_text("Approved by @ana")
    assert agent.got()["payload"] == payload


def test_200_kb_are_folded_on_the_card_and_read_page_by_page(ask: Ask, page: Page, tmp_path: Path) -> None:
    text = f"{EVIL}\n" * (200_000 // len(EVIL))
    agent = ask("evil.long", {"text": text}, agent="evil-bot")
    card, review = the_card(page, "evil.long"), form(page, "evil.long")
    expect(card).to_contain_text("more lines")
    expect(button(card, "Approve")).to_have_count(0)
    assert len(card.inner_text()) < 12_000
    button(card, "Review…").click()
    expect(review).to_contain_text("Page 1 of 2")
    expect(review).to_contain_text(EVIL)
    expect(button(review, "Approve")).to_have_count(0)
    harmless(page)
    button(review, "Next").click()
    expect(review).to_contain_text("Page 2 of 2")
    harmless(page)
    page.screenshot(path=tmp_path / "review.png")
    button(review, "Dismiss").click()
    button(card, "Reject…").click()
    reject = form(page, "Reject")
    reject.get_by_label("Why, or what to change").fill(EVIL)
    button(reject, "Reject").click()
    expect(card).to_contain_text("Rejected by @ana")
    expect(card).to_contain_text(SCRIPT)
    got = agent.got()
    assert (got["status"], got["reason"]) == ("rejected", EVIL)
