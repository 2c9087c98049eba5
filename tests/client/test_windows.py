"""Agents may run on Windows: what only POSIX systems have is not needed to import Signoff and to ask.

Played by a Python that has lost all of it after the standard library and what we stand on were loaded.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from signoff.cli.given import OF_AGENTS

ROOT = Path(__file__).parents[2]
WITHOUT = """
import asyncio, multiprocessing, os, selectors, signal, socket, sqlite3, subprocess, sys
import signoff, signoff.cli.main, signoff.testing, signoff.payload.schema
for name in signoff.__all__:  # so that all that we stand on is loaded; ours is loaded anew
    getattr(signoff, name)
for name in [name for name in sys.modules if name.partition(".")[0] == "signoff"]:
    del sys.modules[name]

MODULES = (
    "fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "posix", "syslog", "readline", "curses",
)

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in MODULES:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
for name in (
    "register_at_fork", "fork", "forkpty", "getuid", "geteuid", "getgid", "getegid", "getppid", "fchmod",
    "fchown", "chown", "setsid", "killpg", "getpgid", "O_NONBLOCK", "O_CLOEXEC", "WNOHANG", "waitid",
    "mkfifo", "uname", "sched_getaffinity", "getloadavg", "posix_spawn", "set_blocking", "pipe2", "sendfile",
):
    if hasattr(os, name):
        delattr(os, name)
for name in dir(signal):
    if name.startswith("SIG") and name not in ("SIGINT", "SIGTERM", "SIGABRT", "SIGFPE", "SIGILL", "SIGSEGV"):
        if isinstance(getattr(signal, name), signal.Signals):
            delattr(signal, name)
for name in ("TCP_KEEPIDLE", "SO_REUSEPORT"):
    delattr(socket, name)
sys.platform = "win32"
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python that has lost it, in a folder that is not ours."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT + code, *arguments],
        capture_output=True, text=True, timeout=120, check=False, cwd=ROOT,
    )  # fmt: skip


def test_every_public_name_is_imported_and_both_clients_are_made() -> None:
    found = run("""
import signoff
for name in signoff.__all__:
    getattr(signoff, name)
from signoff.testing import Approvals
from signoff.client import settings
client = signoff.Signoff(redis_url="redis://127.0.0.1:1", agent="billing-bot", verify_key="ed25519:none")
signoff.AsyncSignoff()

@client.require_approval(reversible=True)
def refund(customer: str, amount: int) -> None:
    "Refund a customer."

try:
    refund("cus_42", 120)
except signoff.ConfigError as error:
    print(error.detail)
client.close()
""")
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("SIGNOFF_VERIFY_KEY is no public key")


def test_without_settings_an_agent_is_told_what_to_set(tmp_path: Path) -> None:
    found = run(f"""
os.environ["SIGNOFF_DATA"] = {str(tmp_path)!r}
import signoff
try:
    signoff.Signoff().ask("refund.create", {{}}, reversible=True)
except signoff.ConfigError as error:
    print(error.detail)
""")
    assert found.returncode == 0, found.stderr
    assert "set SIGNOFF_REDIS_URL" in found.stdout


def test_one_asks_and_is_told(tmp_path: Path) -> None:
    found = run("""
import signoff
from signoff.client import client
from signoff.client.scripted import ScriptedExchange
from signoff.client.testing import AGENT, Approvals
from signoff.receipts import Signer, verify_keys

approvals, signer = Approvals(), Signer.generate()
approvals.edit("refund.*", {"amount": 80})
exchange = ScriptedExchange(approvals, signer)
client.substitute = client.Substitute(exchange, AGENT, verify_keys(signer.verify_key))
with signoff.Signoff() as asking:
    print(asking.ask("refund.create", {"amount": 120}, reversible=True).payload)
""")
    assert (found.returncode, found.stdout) == (0, "{'amount': 80}\n"), found.stderr


def test_an_agents_commands_are_there() -> None:
    found = run("""
from signoff.cli.given import OF_AGENTS
from signoff.cli.main import main
for command in sorted(OF_AGENTS):
    try:
        main([*command.split(), "--help"])
    except SystemExit as ended:
        print(f"ended {command} {ended.code}")
""")
    assert found.returncode == 0, found.stderr
    for command in OF_AGENTS:
        assert f"usage: signoff {command}" in found.stdout and f"ended {command} 0" in found.stdout


def test_a_command_runs_there(tmp_path: Path) -> None:
    found = run(f"""
os.environ["SIGNOFF_DATA"] = {str(tmp_path)!r}
from signoff.cli.main import main
sys.exit(main(["request", "refund.create", "--payload", "{{}}", "--reversible"]))
""")
    assert found.returncode == 2, found.stderr
    assert "set SIGNOFF_REDIS_URL" in found.stderr


def test_a_servers_commands_say_that_they_need_another_system(tmp_path: Path) -> None:
    found = run(f"""
os.environ["SIGNOFF_DATA"] = {str(tmp_path)!r}
from signoff.cli.main import main
for command in (["serve"], ["demo", "--no-browser"], ["worker"], ["bot"], ["intake"], ["web"]):
    assert main(command) == 2
""")
    assert found.returncode == 0, found.stderr
    said = "signoff: a server runs on Linux or macOS; on Windows agents do."
    assert found.stderr.splitlines() == [said] * 6
