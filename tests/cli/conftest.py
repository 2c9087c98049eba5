"""A server's middle, answering in this process, and the command line beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import Core, intake_of

from signoff.cli.main import main

Answer = tuple[int, str, str]
Signoff = Callable[..., Answer]
AGENT = "billing-bot"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The commands do not care which database it is."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


@pytest.fixture
def agent_env(core: Core, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of an agent of this server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SIGNOFF_REDIS_URL", redis_url)
    monkeypatch.setenv("SIGNOFF_VERIFY_KEY", core.signer.verify_key)
    monkeypatch.setenv("SIGNOFF_AGENT", AGENT)
    monkeypatch.setenv("SIGNOFF_DATABASE_URL", f"sqlite:///{tmp_path / 'signoff.db'}")


@pytest.fixture
def signoff(agent_env: None, capsys: pytest.CaptureFixture[str]) -> Signoff:
    """Run `signoff …` in this process: its exit code, stdout and stderr."""

    def run(*arguments: str) -> Answer:
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def intake(core: Core, redis_url: str) -> Iterator[None]:
    """An intake that runs while the test does."""
    with intake_of(core, redis_url, AGENT):
        yield
