"""What all adapters' tests have. The recipes' frameworks are heavy: their tests run where they are named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from signoff.testing import Approvals

collect_ignore = ["recipes"]
"""`make matrix` names them, in an environment of their own."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def people(signoff_approvals: Approvals) -> Approvals:
    return signoff_approvals


@pytest.fixture(autouse=True)
def loop_of_this_thread() -> Iterator[None]:
    """Frameworks with a blocking face run this thread's loop, or make one that nobody closes."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
