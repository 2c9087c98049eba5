"""Messages are made ready where they are first used, whoever uses them first."""

from __future__ import annotations

import subprocess
import sys

AT_ONCE = """
import sys, threading
from signoff.models import lessons, messages, questions, receipt

assert not messages.Outcome.__pydantic_complete__, "importing alone has made it ready"
sys.setswitchinterval(1e-6)
begin, made = threading.Barrier(16), []

def use():
    begin.wait()
    first = messages.Outcome.model_validate({"succeeded": True})
    made.append((first, questions.Option(id="a", text="b"), lessons.Changed(field="f")))

threads = [threading.Thread(target=use) for _ in range(16)]
[one.start() for one in threads]
[one.join() for one in threads]
assert len(made) == 16 and all(one == made[0] for one in made), len(made)
receipt.make_ready()
assert messages.ApprovalRequest.__pydantic_complete__ and questions.Question.__pydantic_complete__
"""


def test_many_threads_may_be_the_first_to_use_one() -> None:
    done = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
