"""A stand-in that runs, as a program drives it: what there is to see, and what people do."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

JSON = dict[str, Any]
SECONDS = 60.0


def nodes(node: Any) -> Iterator[JSON]:
    """Every object in a message, a view or blocks, in the order in which they stand."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for item in node:
            yield from nodes(item)


def words(shown: JSON) -> str:
    """All there is to read in the blocks of a message or a view, in order."""
    found = []
    for node in nodes(shown["blocks"]):
        if isinstance(node.get("text"), str):
            found.append(node["text"])
        elif node.get("type") == "user":
            found.append(f"<@{node['user_id']}>")
    return "\n".join(found)


class Remote:
    """The stand-in at `url`: http://127.0.0.1:port, without a slash at its end.

        slack = Remote("http://127.0.0.1:9100")
        slack.act(type="open_home", user="U0ANA00001")

    All methods block, may be used from any thread, and raise LookupError for what the stand-in refuses (only
    `act` gives the refusal back), and OSError or HTTPException where it cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def let_go(self) -> None:
        """Close the connections. It may be used again."""
        for connection in self._connections:
            connection.close()

    @property
    def api_url(self) -> str:
        """What the SDK takes as `base_url`."""
        return f"{self.url}/api/"

    def state(self) -> JSON:
        """Team, users, channels, user groups, connections, and how many acts of people there were."""
        return self._ask("GET", "state")

    def messages(self, channel: str, thread_ts: str | None = None) -> list[JSON]:
        """The messages of a channel (top level and ephemeral), or of one thread; oldest first."""
        query = {"channel": channel} | ({"thread_ts": thread_ts} if thread_ts else {})
        found: list[JSON] = self._ask("GET", f"messages?{urlencode(query)}")["messages"]
        return found

    def views(self, user: str) -> JSON:
        """`stack` (the top view last) and `home` of a person."""
        return self._ask("GET", f"views?{urlencode({'user': user})}")

    def act(self, **fields: Any) -> JSON:
        """What a person does; gives the answer, also where the act is refused (`ok` is then false)."""
        return self._request("POST", "act", fields)[1]

    def faults(self, **fields: Any) -> JSON:
        """Add a fault; without fields, list what is left."""
        return self._ask("POST", "faults", fields) if fields else self._ask("GET", "faults")

    def call_at(self, url: str) -> JSON:
        """The app's request URL, where it is called by HTTP; it has to answer now. Gives the new state."""
        return self._ask("POST", "http", {"url": url})

    def team(self, **fields: Any) -> JSON:
        """Change users, channels, user groups or the bot; gives the new state."""
        return self._ask("POST", "team", fields)

    def log(self) -> list[JSON]:
        """Every Web API call and envelope so far, oldest first."""
        entries: list[JSON] = self._ask("GET", "log")["entries"]
        return entries

    def tell(self, name: str, line: str) -> None:
        """Add a line to the pane of this name, beside the page."""
        self._ask("POST", "pane", {"name": name, "line": line})

    def reset(self) -> None:
        """As freshly started; tokens and links stay."""
        self._ask("POST", "reset", {})

    def _ask(self, method: str, path: str, fields: JSON | None = None) -> JSON:
        status, answer = self._request(method, path, fields)
        if status != 200:
            raise LookupError(f"{path}: {answer}")
        return answer

    def _request(self, method: str, path: str, fields: JSON | None = None) -> tuple[int, JSON]:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            host = self.url.removeprefix("http://")
            connection = self._local.connection = http.client.HTTPConnection(host, timeout=SECONDS)
            self._connections.append(connection)
        body = None if fields is None else json.dumps(fields).encode()
        try:
            connection.request(method, f"/sandbox/{path}", body)
            response = connection.getresponse()
            answer: JSON = json.loads(response.read())
        except BaseException:
            connection.close()  # the next request opens it anew
            raise
        return response.status, answer
