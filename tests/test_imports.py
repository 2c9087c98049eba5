"""The import rule: every module has its place, and imports only from modules before it.

What is imported for the type checker alone is not loaded, and does not count. What is imported inside a
function counts like the rest: loading late makes nothing belong where it does not.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "signoff"

AGENT_SIDE = """
errors crash hints canonical models models.messages explanation
schema.outline schema.problems schema.fields schema receipts people config
queue queue.stream carrier arguments asking resp notices exchange inbox gate client blocking testing .
"""
"""What `import signoff` may load. `.` is the package itself."""

SERVER_SIDE = """
policy.verdict policy.globs policy.addresses policy.expression policy.conditions policy.headline
policy.classes policy.facts policy.rules policy.deciding policy.policy policy.evaluate policy.document
policy.faults policy.building policy.examples policy.checking policy.loading policy.replay policy
settings models.approval models.tables models.clock models.engine models.store models.changes
models.leases models.turns models.threads models.drafts models.homes models.places models.lists models.past
models.policies models.flood models.migrations models.migrate
audit epochs backups restoring editing judging reloading queue.mac
bot bot.blocks.limits bot.blocks.rules bot.blocks.rich bot.blocks.elements bot.blocks.kinds bot.blocks
bot.text bot.words bot.moments bot.payload bot.leaves bot.controls bot.entries bot.folding bot.difference
bot.views bot.difference_view bot.claims bot.states bot.log bot.forms bot.report_card bot.cards
bot.first_message bot.review bot.modals
bot.record bot.waiting bot.spoken answers transitions showing submitting approvals lists bot.lists
bot.post bot.directory
bot.replies
app bot.held bot.threads bot.delivery bot.turns queue.sweep queue.intake
bot.meanwhile bot.editor bot.actions bot.decide bot.mentions bot.news bot.commands bot.home bot.app queue.jobs
child embedded logs serving
"""

STAND_IN = "sandbox"
"""Slack's stand-in, a program of its own."""
FOLDERS = (STAND_IN, "models.migrations")
"""They have one place for all that is in them, which imports each other in no circle."""

COMMAND_LINE = """
doctor.patient doctor.local doctor.workspace doctor.backends doctor.checkup doctor.report doctor
demo demo.agents demo.agents.billing demo.agents.database demo.agents.support demo.agents.infra
demo.agents.release demo.reviewer demo.stage demo.auto demo.claim demo.troupe demo.browser demo.live
commands commands.parsers commands.answer commands.agent commands.verify commands.keys commands.database
commands.setup commands.policy_file commands.replay commands.policy commands.roles commands.serve
commands.backup cli __main__
"""

ORDER = [*AGENT_SIDE.split(), *SERVER_SIDE.split(), STAND_IN, *COMMAND_LINE.split()]

CLIENT = frozenset(
    ["asking", "resp", "notices", "exchange", "inbox", "gate", "client", "blocking", "testing", "."]
)
"""What only an agent uses: its server neither needs nor may have it."""
BESIDE_THE_SERVER = frozenset(
    ["commands.agent", *(name for name in COMMAND_LINE.split() if name.startswith("demo.agents."))]
)
"""An agent's commands and the demo's agents: they use the client as any agent does."""

LONGEST = 320
LONGER = {"bot/words.py"}
"""All that a reviewer reads stands in one file, so that it can be read in one go and translated."""
SERVER_PACKAGES = (
    "slack_bolt",
    "slack_sdk",
    "sqlmodel",
    "sqlalchemy",
    "rq",
    "pydantic_settings",
    "aiohttp",
    "cel",
    "yaml",
)


def in_package(*path: str) -> str:
    """A file's or folder's path → its module's name inside the package."""
    parts = [part for part in path if part != "__init__"]
    return ".".join(parts) or "."


def modules() -> dict[str, Path]:
    """Every module's name inside the package, and its file."""
    return {
        in_package(*file.relative_to(PACKAGE).with_suffix("").parts): file for file in PACKAGE.rglob("*.py")
    }


def belongs_to(name: str, *folders: str) -> bool:
    return any(name == folder or name.startswith(f"{folder}.") for folder in folders)


def folder_or(name: str) -> str:
    """The folder whose place a module shares, else its own name."""
    return next((folder for folder in FOLDERS if belongs_to(name, folder)), name)


def loaded(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements, also in functions, but not those under `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for other in child.orelse:
                yield from loaded(other)
        else:
            yield from loaded(child)


@cache
def imports(file: Path) -> tuple[frozenset[str], frozenset[str]]:
    """A file's imports: names of our modules inside the package, and others' top-level packages."""
    known, ours, others = modules(), set[str](), set[str]()
    for statement in loaded(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
        else:
            assert statement.level == 0, f"{file}: write imports in full"
            names = [f"{statement.module}.{alias.name}" for alias in statement.names]
        for name in names:
            top, _, rest = name.partition(".")
            if top != "signoff":
                others.add(top)
            elif rest in known:
                ours.add(rest)
            else:  # a name out of a module
                ours.add(rest.rpartition(".")[0] or ".")
    return frozenset(ours), frozenset(others)


def test_every_module_has_its_place() -> None:
    assert len(ORDER) == len(set(ORDER))
    assert set(ORDER) == {folder_or(name) for name in modules()}, "give a new module its place in the order"


def test_a_module_imports_only_from_those_before_it() -> None:
    place = {name: number for number, name in enumerate(ORDER)}
    wrong = [
        f"{name} imports {other}"
        for name, file in modules().items()
        for other in imports(file)[0]
        if place[folder_or(other)] >= place[folder_or(name)]
        and not (folder_or(name) == folder_or(other) in FOLDERS)
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter({name: imports(file)[0] for name, file in modules().items()}).prepare()


def test_a_server_never_imports_the_client() -> None:
    server = modules().keys() - AGENT_SIDE.split() - BESIDE_THE_SERVER
    found = {name: imports(modules()[name])[0] & CLIENT for name in server}
    found["cli"] -= {"."}  # for its version
    assert {name: others for name, others in found.items() if others} == {}


def test_only_the_bot_the_composition_root_and_the_stand_in_know_slack() -> None:
    found = [name for name, file in modules().items() if {"slack_bolt", "slack_sdk"} & imports(file)[1]]
    assert [name for name in found if not belongs_to(name, "bot", "app", STAND_IN)] == []


def test_only_the_jobs_the_composition_root_and_the_commands_know_rq() -> None:
    found = [name for name, file in modules().items() if "rq" in imports(file)[1]]
    assert [name for name in found if not belongs_to(name, "app", "queue.jobs", "cli", "commands")] == []


def test_the_stand_in_imports_nothing_of_signoff_but_the_limits_of_blocks() -> None:
    found = {
        other
        for name, file in modules().items()
        if belongs_to(name, STAND_IN)
        for other in imports(file)[0]
        if not belongs_to(other, STAND_IN)
    }
    assert all(belongs_to(other, "bot.blocks") for other in found), found


def test_the_limits_of_blocks_import_nothing_else_of_signoff() -> None:
    for name in ("blocks", *(f"blocks.{part}" for part in ("limits", "rules", "rich", "elements", "kinds"))):
        others = imports(modules()[f"bot.{name}"])[0]
        assert all(belongs_to(other, "bot.blocks") for other in others), name


@pytest.mark.parametrize(
    "name", ["signoff", *(f"signoff.{name}" for name in sorted(CLIENT - {".", "testing"}))]
)
def test_an_agent_loads_nothing_of_the_servers(name: str) -> None:
    program = f"import sys, {name}; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(run.stdout.split()).isdisjoint(SERVER_PACKAGES)


def test_importing_signoff_alone_loads_no_other_package_at_all() -> None:
    program = "import sys; before = set(sys.modules); import signoff; print(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    new = {name.partition(".")[0] for name in run.stdout.split()}
    assert new - set(sys.stdlib_module_names) == {"signoff"}


def test_an_agents_side_imports_only_what_a_plain_install_has() -> None:
    plain = {"redis", "pydantic", "pydantic_core", "jwt", "cryptography", "rfc8785", "jsonschema_rs"}
    for name in AGENT_SIDE.split():
        foreign = imports(modules()[name])[1] - sys.stdlib_module_names
        # `signoff.testing` runs under pytest, which whoever tests has.
        assert foreign - plain <= ({"pytest"} if name == "testing" else set()), name


def test_a_plain_install_has_five_dependencies_and_no_more() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=~!]", line)[0] for line in project["dependencies"]}
    assert names == {"redis", "pydantic", "pyjwt[crypto]", "rfc8785", "jsonschema-rs"}


def test_no_file_grows_too_long_to_be_read() -> None:
    lines = {
        str(file.relative_to(PACKAGE)): len(file.read_text(encoding="utf-8").splitlines())
        for file in modules().values()
    }
    assert {name for name, count in lines.items() if count > LONGEST} <= LONGER


def test_no_package_of_the_tests_shadows_one_of_ours() -> None:
    assert [file for file in (ROOT / "tests").rglob("__init__.py")] == []
