"""The names of all that agents and the server share in Redis, and what an entry says.

No client of Redis is loaded: one who starts for every call of a tool brings their own.
"""

from __future__ import annotations

import hashlib
from typing import Any

from signoff.models.wire import VERSION

REQUESTS = "signoff:req:"
BODIES = "signoff:body:"
DECISIONS = "signoff:dec:"
NOTIFICATIONS = "signoff:ntf:"
KEYED = "key:"
BATCH = "batch"
"""The kind of the entry that freezes a batch, and what stands as its action once that was read."""
MESSAGES = "msg:"
BODY_SECONDS = 24 * 3600
"""How long a request's body waits for a server, since its agent has last sent it or seen to it."""


def requests(agent: str) -> str:
    """The stream that an agent asks on. Its name says who sent an entry; the body does not."""
    return REQUESTS + agent


def body(agent: str, request_id: str) -> str:
    """The key under which a request's body stands until it is taken."""
    return f"{BODIES}{agent}:{request_id}"


def decisions(agent: str) -> str:
    """The stream of ids that an agent's decisions() reads."""
    return DECISIONS + agent


def decision(agent: str, request_id: str) -> str:
    """The key under which a request's response stands."""
    return f"{DECISIONS}{agent}:{request_id}"


def spent(request_id: str) -> str:
    """Where it stands who has spent a request: takes the place of its id in a key or channel."""
    return f"{request_id}:spent"


def batch_id(name: str) -> str:
    """The id of the entry that freezes a batch: its name of 32 hexadecimal digits, written as a UUID."""
    return f"{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:20]}-{name[20:]}"


def batch_name(entry_id: str) -> str:
    """The name of the batch that an entry with this id freezes."""
    return entry_id.replace("-", "")


def frozen(entry_id: str, body: bytes) -> str:
    """Where it stands whether a batch was read as frozen with just this body: an id, as a request has one.

    Two that freeze one batch with different requests are told each of its own.
    """
    return batch_id(hashlib.sha256(entry_id.encode() + body).hexdigest()[:32])


def message(agent: str, talk_id: str) -> str:
    """The key under which a person's question to an agent stands."""
    return f"{DECISIONS}{agent}:{MESSAGES}{talk_id}"


def keyed(agent: str, nonce: str) -> str:
    """Where the id stands of the request whose key this nonce is made of; read by who knows the key alone."""
    return f"{DECISIONS}{agent}:{KEYED}{nonce}"


def notification(agent: str, request_id: str) -> str:
    """The channel that wakes who waits for a request."""
    return f"{NOTIFICATIONS}{agent}:{request_id}"


def arrivals(agent: str) -> str:
    """The channel that wakes who waits, in the web, for anything on an agent's stream of decisions."""
    return NOTIFICATIONS + agent


def entry(kind: str, request_id: str, body: str | bytes = "") -> dict[Any, Any]:
    """The fields of a stream entry. A `request` points to its body; the others hold it."""
    fields = {"v": str(VERSION), "kind": kind, "id": request_id}
    return fields if kind == "request" else fields | {"body": body}
