"""The rule of rooms: a room imports only from the rooms above it, and inside a room nothing goes in a circle.

Every import counts: inside functions, and for the type checker alone. docs/design.md says what lives where.
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

pytestmark = pytest.mark.xdist_group("rooms")  # one process reads all modules once
ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "signoff"

ROOMS = (
    "errors", "payload", "models", "signatures", "receipts", "spent", "stops", "guard", "policy", "queue",
    "client",
    "adapters", "approvals", "bot", "web", "server", "sandbox", "cli",
)  # fmt: skip
"""From the top."""
ALONE = ("errors", "signatures", "receipts", "spent", "stops", "guard")
"""Rooms of one file."""
FACES = {"__init__": "adapters", "testing": "adapters", "__main__": "cli"}
"""Modules at the root besides, and the room that they stand beside: they may import what it may, and it."""
MAY_NOT = {
    "client": {"policy"},
    "adapters": {"policy"},
    **{room: {"client", "adapters"} for room in ("approvals", "bot", "web", "server")},
    "sandbox": set(ROOMS),
}
"""Beyond the order: an agent carries nothing of the server, a server nothing of an agent."""
SANDBOX_MAY = "bot.blocks"
PUBLIC = {
    "policy": "asked checks classes errors evaluate examples loader placements policy questions quorums "
    "replay rules sensitive times typed",
    "queue": "acl answered bounds connections data_folder groups hearing held intake jobs mac names "
    "neighbours notifications outage private publisher questions requests setting_names stream tally users "
    "wakeups",
    "client": "answer arguments ask asked batch claims client explanation face mistakes options pending "
    "question questions inquiries settings spend",
    "adapters": "claude_code.hook claude_code.settings mcp.gate mcp.remote mcp.server mcp.streams "
    "mcp.upstream",
    "approvals": "audit audit.bundle audit.heads audit.selection audit.verification authority batches "
    "channel desertion enrolment epochs errors exclusions factor_errors factors guarded left lessons lists "
    "offers quorum receipts seats service stop_errors stop_timer stopped stopping sweep undo undoers vault "
    "verdicts",
    "bot": "app blocks channel delivery.admins delivery.delivery delivery.factor_news delivery.homes "
    "delivery.turns gallery.layouts incoming slack.client slack.directory slack.errors slack.manifest "
    "text.which text.words.which",
    "sandbox": "remote server",
}
"""What other rooms import of a room. Of `payload`, `models` and, for the command line, `server`: anything."""
WRITERS = {"approvals", "server"}
"""`models.changes` holds the statements that change approvals: the one writer's, and a restore's."""

ONLY_IN = {
    "slack_bolt": {"bot", "server"},
    "slack_sdk": {"bot", "server", "sandbox"},
    "rq": {"adapters", "queue", "server", "cli"},
    "starlette": {"web", "server"},
    "pydantic_settings": {"server"},
}
SERVERS = {"slack_bolt", "slack_sdk", "sqlmodel", "sqlalchemy", "rq", "starlette", "pydantic_settings"} | {
    "aiohttp", "cel", "yaml", "alembic", "structlog", "rich"
}  # fmt: skip
"""What an agent's install does not have, and `import signoff` does not load."""
LONGEST = 320


@cache
def modules() -> dict[str, Path]:
    """Every module's name inside the package, and its file."""
    found = {}
    for file in PACKAGE.rglob("*.py"):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and parts[:-1] else parts)] = file
    return found


def room(name: str) -> str:
    top = name.partition(".")[0]
    return FACES.get(top, top)


@cache
def imports(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """A module's imports: names of our modules inside the package, and others' top-level packages."""
    ours, others = set[str](), set[str]()
    for node in ast.walk(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: write imports in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for full in names:
            top, _, rest = full.partition(".")
            if top != "signoff":
                others.add(top)
            else:
                ours.add(rest if rest in modules() else rest.rpartition(".")[0] or "__init__")
    return frozenset(ours), frozenset(others)


def climbs() -> Iterator[str]:
    """Imports that the order of rooms does not allow."""
    for name in modules():
        here = room(name)
        for other in imports(name)[0]:
            there = room(other)
            late = ROOMS.index(there) > ROOMS.index(here)
            barred = (
                there != here
                and there in MAY_NOT.get(here, set())
                and not (here == "sandbox" and other.startswith(SANDBOX_MAY))
            )
            if late or barred or (other == "__init__" and here != "cli"):
                yield f"{name} imports {other}"


def circles(edges: dict[str, set[str]]) -> None:
    """Raises CycleError, naming a circle, where there is one."""
    TopologicalSorter(edges).prepare()


def test_everything_lives_in_a_room() -> None:
    assert {room(name) for name in modules()} <= set(ROOMS)
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert folders <= set(ROOMS) and len(folders) <= 12
    assert files <= {f"{name}.py" for name in (*FACES, *ALONE)} | {"py.typed"}


def test_a_room_imports_only_from_the_rooms_above_it() -> None:
    assert sorted(climbs()) == []


def test_the_limits_of_blocks_import_nothing_else_of_signoff() -> None:
    for name in modules():
        if name.startswith(SANDBOX_MAY):
            assert all(other.startswith(SANDBOX_MAY) for other in imports(name)[0]), name


def test_a_room_is_entered_by_its_public_modules() -> None:
    used: dict[str, set[str]] = {name: set() for name in PUBLIC}
    for name in modules():
        for other in imports(name)[0]:
            there, _, module = other.partition(".")
            if there in PUBLIC and there != room(name) and name not in FACES:
                used[there].add(module)
    assert used == {name: set(public.split()) for name, public in PUBLIC.items()}


def test_only_the_one_writer_has_the_statements_that_change_approvals() -> None:
    rooms = {room(name) for name in modules() if "models.changes" in imports(name)[0]}
    assert rooms - {"models"} == WRITERS


def test_no_modules_import_each_other_in_a_circle() -> None:
    circles({name: set(imports(name)[0]) - {"__init__"} for name in modules()})


def folder(name: str) -> str:
    """The folder in a room that a module lies in, else the room."""
    parts = name.split(".")
    inside = len(parts) > 2 or modules()[name].name == "__init__.py"
    return ".".join(parts[: 2 if inside else 1])


def test_no_folders_of_a_room_import_each_other_in_a_circle() -> None:
    edges: dict[str, set[str]] = {}
    for name in modules():
        others = {folder(other) for other in imports(name)[0]}
        edges.setdefault(folder(name), set()).update(others - {folder(name)})
    circles({here: {other for other in others if "." in other} for here, others in edges.items()})


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_a_foreign_package_is_known_to_few_rooms(package: str) -> None:
    found = {room(name) for name in modules() if package in imports(name)[1]}
    assert found <= ONLY_IN[package]


def test_an_agents_side_imports_only_what_a_plain_install_has() -> None:
    plain = {
        "redis",
        "pydantic",
        "pydantic_core",
        "cryptography",
        "rfc8785",
        "jsonschema_rs",
        "pytest",
    }
    for name in modules():
        if room(name) in (*ALONE, "payload", "client") or name in FACES:
            more = {"sqlalchemy"} if name == "spent" else set()  # for who gives it a database's URL
            assert imports(name)[1] - sys.stdlib_module_names <= plain | more, name


def loaded(program: str) -> set[str]:
    said = f"import sys; before = set(sys.modules); {program}; print(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()} - set(sys.stdlib_module_names)


def test_importing_signoff_alone_loads_no_other_package_at_all() -> None:
    assert loaded("import signoff") == {"signoff"}


@pytest.mark.parametrize("module", sorted(name for name in modules() if name.startswith("client.")))
def test_an_agent_loads_nothing_of_the_servers(module: str) -> None:
    assert loaded(f"import signoff.{module}").isdisjoint(SERVERS)


def test_an_agents_client_is_there_before_redis_and_schemas_are() -> None:
    """They come with the first request: an agent is slow to start for what it has not asked yet."""
    late = {"redis", "hiredis", "jsonschema_rs"}
    assert loaded("from signoff import AsyncSignoff, Signoff; Signoff(), AsyncSignoff()").isdisjoint(late)


def test_a_room_says_what_lives_there_and_loads_nothing() -> None:
    for name in ROOMS:
        if (PACKAGE / name).is_dir():
            tree = ast.parse((PACKAGE / name / "__init__.py").read_text(encoding="utf-8"))
            said = ast.get_docstring(tree) or ""
            assert len(said.splitlines()) >= 3, f"{name}: say what lives there, and which way a request takes"
            assert imports(name) == (frozenset(), frozenset()), name


def test_a_plain_install_has_five_dependencies_and_no_more() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=~!]", line)[0] for line in project["dependencies"]}
    assert names == {"redis[hiredis]", "pydantic", "cryptography", "rfc8785", "jsonschema-rs"}


def test_no_file_grows_too_long_to_be_read() -> None:
    lines = {name: len(file.read_text(encoding="utf-8").splitlines()) for name, file in modules().items()}
    assert [name for name, count in lines.items() if count > LONGEST] == []


def test_no_package_of_the_tests_shadows_one_of_ours() -> None:
    assert [file for file in (ROOT / "tests").rglob("__init__.py")] == []
