"""clients/typescript as it is built (`make typescript`): on node, on node 22, on Deno, and in a browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route, sync_playwright
from support import eventually, missing
from web.conftest import Door

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "typescript"
BUILT = CLIENT / "dist" / "index.js"
BIN = CLIENT / "runtimes" / "node_modules" / ".bin"
RUNTIMES = {
    "node": ["node"],
    "node 22": [str(BIN / "node")],
    "deno": [str(BIN / "deno"), "run", "--allow-all"],
}
ALL = sum(
    len(json.loads((ROOT / f"docs/vectors/{kind}.json").read_text())) for kind in ("receipts", "canonical")
)
PAGE = """
<script type="importmap">{"imports": {"jose": "/node_modules/jose/dist/webapi/index.js"}}</script>
<script type="module">
import * as signoff from "/dist/index.js";
import { agreed } from "/test/runtime.mjs";
const read = async (name) => (await fetch(`/vectors/${name}`)).json();
window.found = await agreed(signoff, read);
</script>
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_asks_and_agrees_with_the_vectors_on(door: Door, runtime: str) -> None:
    if not BUILT.exists() or shutil.which(RUNTIMES[runtime][0]) is None:
        missing(f"{runtime}, or what `make typescript` builds,")
    key = door.core.signer.verify_key
    settings = {"WEB_URL": door.url, "TOKEN": door.token, "AGENT": "billing-bot", "VERIFY_KEY": key}
    running = subprocess.Popen(
        [*RUNTIMES[runtime], "test/runtime.mjs"], cwd=CLIENT, text=True, stdout=subprocess.PIPE,
        env=os.environ | {f"SIGNOFF_{name}": value for name, value in settings.items()},
    )  # fmt: skip
    with running:
        eventually(lambda: door.core.changed or running.poll() is not None, 120)
        assert running.poll() is None
        door.core.approvals.decide(door.core.changed[-1], 1, "U0ANA", "approve", payload={"amount": 80})
        printed, _ = running.communicate(timeout=120)
    assert json.loads(printed) == {"right": ALL, "all": ALL, "ran": 80}


@pytest.mark.served
def test_a_browser_verifies_receipts_with_its_own_webcrypto() -> None:
    chromium = shutil.which("chromium")
    if not BUILT.exists() or chromium is None:
        missing("chromium, or what `make typescript` builds,")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.route("**/*", served)
        page.goto("http://localhost:8480/")
        page.wait_for_function("window.found", timeout=60_000)
        found = page.evaluate("window.found")
        browser.close()
    assert found == [ALL, ALL]


def served(route: Route) -> None:
    """What the browser asks for: a page at `/`, the vectors, and the client's files."""
    path = urlsplit(route.request.url).path
    if path == "/":
        route.fulfill(body=PAGE, content_type="text/html")
    elif path.startswith("/vectors/"):
        route.fulfill(path=ROOT / "docs" / path[1:], content_type="application/json")
    else:
        route.fulfill(path=CLIENT / path[1:], content_type="text/javascript")
