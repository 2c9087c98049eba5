"""Files in a thread, as the page shows them: pictures at once, PDFs in a tab, what is deleted as such."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from bolt_bot import Bot
from browser.messages import PHONE
from playwright.sync_api import Page, expect

from signoff.sandbox.server import Sandbox
from signoff.sandbox.workspace import DEFAULT_SCOPES

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_a_picture_is_seen_a_pdf_can_be_opened_and_a_page_of_markup_only_saved(
    slack: Sandbox, bot: Bot, post: Callable[..., str], page_for: Callable[..., Page]
) -> None:
    slack.team(bot={"scopes": [*DEFAULT_SCOPES, "files:write"]})
    parent, channel = post(text="card"), "C0APPROVE1"
    ids = {}
    for name, content in (("a.png", PNG), ("b.pdf", b"%PDF-1.4"), ("c.svg", b"<svg onload='fail()'/>")):
        done: Any = bot.client.files_upload_v2(
            filename=name, content=content, channel=channel, thread_ts=parent, alt_txt="a logo"
        )
        ids[name] = done["file"]["id"]
    page = page_for(slack, "ana", viewport=PHONE)
    page.get_by_role("button", name="3 replies").click()
    picture = page.get_by_role("img", name="a logo")
    expect(picture).to_be_visible()
    assert picture.evaluate("one => one.naturalWidth") == 1
    assert page.get_by_role("link", name="b.pdf").get_attribute("target") == "_blank"
    expect(page.get_by_role("link", name="c.svg")).to_have_count(0)
    expect(page.get_by_text("c.svg")).to_be_visible()
    bot.client.files_delete(file=ids["a.png"])
    expect(page.get_by_text("This file was deleted.")).to_be_visible()
    expect(picture).to_have_count(0)
