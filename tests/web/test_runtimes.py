"""clients/typescript as it is built (`make typescript`): on node, on node 22, on Deno, and in a browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
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
<script type="importmap">{"imports": {"jose": "/clients/typescript/node_modules/jose/dist/webapi/index.js"}}</script>
<script type="module">
import * as signoff from "/clients/typescript/dist/index.js";
import { agreed } from "/clients/typescript/test/runtime.mjs";
const read = async (name) => (await fetch(`/docs/vectors/${name}`)).json();
window.found = await agreed(signoff, read);
</script>
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_asks_and_agrees_with_the_vectors_on(door: Door, runtime: str) -> None:
    if not BUILT.exists() or shutil.which(RUNTIMES[runtime][0]) is None:
        missing(f"{runtime}, or what `make typescript` builds,")
    settings = {
        "URL": door.url, "TOKEN": door.token, "AGENT": "billing-bot", "VERIFY_KEY": door.core.signer.verify_key,
    }  # fmt: skip
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


class Files(SimpleHTTPRequestHandler):
    """The repository's files, and a page at `/`."""

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.served
def test_a_browser_verifies_receipts_with_its_own_webcrypto() -> None:
    chromium = shutil.which("chromium")
    if not BUILT.exists() or chromium is None:
        missing("chromium, or what `make typescript` builds,")
    Files.extensions_map = {**Files.extensions_map, ".mjs": "text/javascript"}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(ROOT))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            page.wait_for_function("window.found", timeout=60_000)
            found = page.evaluate("window.found")
            browser.close()
        server.shutdown()
    assert found == [ALL, ALL]
