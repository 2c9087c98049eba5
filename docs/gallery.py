"""`make gallery`: docs/gallery.md and its pictures, of the shapes in `signoff.bot.gallery`.

Each shape's card is posted to the stand-in for Slack, while it waits and once it is decided, and taken at the
width of a phone, 390 px. `python docs/gallery.py NAME …` takes the pictures of those alone, and leaves the
page. Needs Debian's packages chromium, fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji. Look at
each picture before it is committed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from io import BytesIO

from pictures import CHROMIUM, IMAGES, SECONDS, shot
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from signoff.bot.gallery.bars import Bars, measured
from signoff.bot.gallery.layouts import Layout, card_of
from signoff.bot.gallery.shape import Shape
from signoff.bot.gallery.shapes import SHAPES, THEMES
from signoff.sandbox.server import Sandbox

FOLDER = IMAGES / "gallery"
PAGE = IMAGES.parent / "gallery.md"
DARK = ("stripe-refund", "terraform")
"""Two that stand on the page a second time, as they look by night."""
SCALE = 1.5
COLOURS = 48
GAP = 24

ABOVE = """\
# Gallery: thirty requests, before and after

What well-known tool servers are asked to do, with their own schemas and made-up data, as the card shows it on
a phone of 390 px: on the left while it waits, on the right once it is decided. `make gallery` draws all of
them, through the stand-in for Slack that the tests use; the requests are in `signoff/bot/gallery`, and
`signoff doctor --layouts` has your own Slack look at the cards that wait.

What is measured, on what Slack is sent; `tests/bot/test_shapes.py` holds it:

"""


def main() -> None:
    """The pictures of those that are named; without a name of all, and the page."""
    expect.set_options(timeout=SECONDS)
    FOLDER.mkdir(exist_ok=True, parents=True)
    names = sys.argv[1:] or list(SHAPES)
    with Sandbox.start() as slack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name in names:
            for scheme in ("light", "dark") if name in DARK else ("light",):
                taken = [
                    Image.open(BytesIO(shot(browser, slack, _layout(name, case), SCALE, scheme))).convert(
                        "RGB"
                    )
                    for case in (SHAPES[name].before, SHAPES[name].after)
                ]
                file = FOLDER / f"{name}{'-dark' if scheme == 'dark' else ''}.png"
                _beside(taken).save(file, optimize=True)
                print(file)
        browser.close()
    if not sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
        print(PAGE)


def page() -> str:
    """docs/gallery.md."""
    found = {name: measured(shape) for name, shape in SHAPES.items()}
    parts = [ABOVE, *(f"- {line}\n" for line in figures(found))]
    for theme, shapes in THEMES.items():
        parts.append(f"\n## {theme}\n")
        parts += [_entry(name, shape, found[name]) for name, shape in shapes.items()]
    parts.append("\n## By night\n")
    parts += [f"\n![{SHAPES[name].action}, dark](images/gallery/{name}-dark.png)\n" for name in DARK]
    return "".join(parts)


def figures(found: Mapping[str, Bars]) -> list[str]:
    """What was counted, a sentence each."""
    on_card = sum(bars.approves for bars in found.values())
    one_page = [name for name, bars in found.items() if not bars.approves and bars.pages == 1]
    paged = [name for name, bars in found.items() if not bars.approves and bars.pages > 1]
    fields = sum(bars.fields for bars in found.values())
    hidden = sum(len(bars.hidden) for bars in found.values())
    summed = {name: bars.summed_up for name, bars in found.items() if bars.summed_up}
    refused = sum(bool(bars.refused) for bars in found.values())
    within = ", ".join(f"{count} in `{SHAPES[name].summed_up}` of {name}" for name, count in summed.items())
    all_summed = sum(summed.values())
    return [
        f"{on_card} of {len(found)} have **Approve** on the card; {len(one_page)} ({', '.join(one_page)}) "
        f"have **Review…** there, of one page.",
        f"Decided without paging: {on_card + len(one_page)} of {len(found)}"
        + (f"; with more than one page: {', '.join(paged)}." if paged else "."),
        f"Of {fields} values of one line the cards hide {hidden}, and sum up {all_summed}: {within}.",
        f"Refused by their schema or by Slack's rules: {refused}.",
    ]


def _entry(name: str, shape: Shape, bars: Bars) -> str:
    button = "Approve" if bars.approves else "Review…"
    return (
        f"\n### {name}\n\n{shape.what} What decides: {shape.decides}. On the card: **{button}**.\n\n"
        f"![{shape.action}, before and after](images/gallery/{name}.png)\n"
    )


def _layout(name: str, case: object) -> Layout:
    drawn = card_of(case)  # type: ignore[arg-type]
    return Layout(name, "message", {"text": drawn.text, "blocks": drawn.blocks})


def _beside(taken: list[Image.Image]) -> Image.Image:
    """Both in one picture of few colours, the tops level."""
    width = sum(one.width for one in taken) + GAP * (len(taken) - 1)
    whole = Image.new("RGB", (width, max(one.height for one in taken)), taken[0].getpixel((0, 0)))
    left = 0
    for one in taken:
        whole.paste(one, (left, 0))
        left += one.width + GAP
    return whole.quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
