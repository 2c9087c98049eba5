"""Many processes with one receipt at one moment: `python -m attacks.crowd STORE KEY ACTION FILE`.

The receipt is on stdin. Each is forked from one that has imported all it takes. Prints how many were let
through; each of those adds a line to FILE.
"""

from __future__ import annotations

import json
import os
import sys

from signoff import AlreadySpent, Guard

SIZE = 50
REFUSED = 9


def main(store: str, key: str, action: str, ran: str) -> int:
    """Start them all, let them go together, and count."""
    said = json.load(sys.stdin)
    go, begin = os.pipe()
    children = []
    for _ in range(SIZE):
        child = os.fork()
        if not child:
            os.close(begin)
            os.read(go, 1)  # until nobody holds the other end
            os._exit(_run(store, key, action, ran, said))
        children.append(child)
    os.close(begin)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if set(codes) - {0, REFUSED}:
        return 1
    print(codes.count(0))
    return 0


def _run(store: str, key: str, action: str, ran: str, said: dict[str, object]) -> int:
    try:
        guard = Guard(store, key, agents=[str(said["agent"])])
        guard.spend(str(said["token"]), said["payload"], action=action)  # type: ignore[arg-type]
        with open(ran, "a") as file:
            file.write("ran\n")
    except AlreadySpent:
        return REFUSED
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
