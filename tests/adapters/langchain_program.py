"""An agent of a process of its own: `langchain_program.py FOLDER wait|again|forever`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from langgraph.checkpoint.sqlite import SqliteSaver

sys.path.insert(0, str(Path(__file__).parents[1]))
from adapters.langchain_agents import CONFIG, INPUT, RAN, an_agent, call, results

from signoff import Signoff
from signoff.adapters.langchain import resumed


def main(folder: Path, what: str) -> None:
    """`wait` blocks; `again` and `forever` go on with what was begun before, and print what came of it."""
    with SqliteSaver.from_conn_string(str(folder / "graph.db")) as saver, Signoff() as client:
        agent, _ = an_agent(client, [call("refund", amount=120), call("read", "c2")], saver=saver)
        if what == "forever":
            threads = json.loads((folder / "threads.json").read_text())
            _, out = next(iter(resumed(agent, client, threads.get)))
        else:
            out = agent.invoke(INPUT if what == "wait" else None, CONFIG)
        print(json.dumps([RAN, [message.content for message in results(out)]]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
