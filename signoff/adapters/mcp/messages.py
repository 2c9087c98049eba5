"""JSON-RPC messages as lines: read so strictly that no server can read them as something else; pure.

A client's line is never passed on: JSON takes a carriage return as white space, and some readers of lines end
one there, or at U+2028. What is passed on is its value, written anew by `line`: in ASCII, and on one line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from signoff.errors import Invalid
from signoff.models.tool_calls import folded
from signoff.payload.canonical import parse

MAX_LINE = 16 * 1024 * 1024
"""Bytes of one message: pictures travel in them."""
MAX_BATCH = 100
CALL = "tools/call"
LIST = "tools/list"
CANCELLED = "notifications/cancelled"
PROGRESS = "notifications/progress"

PARSE_ERROR = -32700
INTERNAL = -32603
INVALID_REQUEST = -32600
INVALID_PARAMS = -32602
INTERNAL = -32603
ENDED = -32000
"""The code of MCP's libraries for a connection that ended before the response."""

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
"""In a request's `_meta` from protocol 2026-07-28 on, whose results say what they are."""
OF_PROTOCOL = "io.modelcontextprotocol/"

Id = str | int
Message = dict[str, Any]

_ENVELOPE = ("jsonrpc", "id", "method", "params", "result", "error")
_PARAMS = ("name", "arguments", "_meta", "task", "inputResponses", "requestState")
GOES_ON = ("requestState", "inputResponses")
"""Params of a call that goes on with one whose server has asked back (protocol 2026-07-28)."""
_METHODS = (CALL, LIST, CANCELLED, "tasks/get", "tasks/result")
CANNOT_TRAVEL = "The message holds a number that is too large, or is nested too deep: it was not passed on."


class Fault(Exception):
    """A message that is not passed on: what is answered."""

    def __init__(self, text: str, code: int = INVALID_REQUEST, id: Id | None = None) -> None:
        super().__init__(text)
        self.text, self.code, self.id = text, code, id


def read(line: bytes) -> Message | list[Message]:
    """One line of a client → its message, or a batch of them (protocol 2025-03-26 has those).

    Raises Fault for what two readers could take for different things: a name twice in one object, or one
    that a reader without regard for case takes for another; and for what is no message at all.
    """
    try:
        value = parse(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise Fault("The message is not UTF-8.", PARSE_ERROR) from None
    except Invalid as error:
        raise Fault(f"The message cannot be taken: {error.detail}", PARSE_ERROR) from None
    if isinstance(value, list):
        if not 0 < len(value) <= MAX_BATCH:
            raise Fault(f"A batch has 1 to {MAX_BATCH} messages.")
        return [_checked(item) for item in value]
    return _checked(value)


def passed_on(value: Message | list[Message]) -> bytes:
    """The line that the server gets of a client's message: the same value. Raises Fault where it cannot be.

    Integers stay as they are; a number with a fraction is a double, as nearly every reader takes it.
    """
    of = value.get("id") if isinstance(value, dict) else None
    try:
        return line(value)
    except (ValueError, RecursionError):
        raise Fault(CANNOT_TRAVEL, INVALID_PARAMS, of if is_id(of) else None) from None


def glance(line: bytes) -> Message | list[Any] | None:
    """One line of a server; None where it is no message."""
    try:
        value = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def passed_back(raw: bytes, value: Message | list[Any]) -> bytes:
    """The line that the client gets of a server's: as it came, where every reader takes it for one line.

    Raises ValueError for what JSON does not have, in one that has to be written anew.
    """
    try:
        if len(raw.decode("utf-8").splitlines()) == 1:
            return raw
    except UnicodeDecodeError:
        pass
    return line(value)


def is_id(value: object) -> TypeGuard[Id]:
    """Whether it can be a request's id: MCP takes no null, and a fraction is not told from an integer."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def _checked(value: object) -> Message:
    if not isinstance(value, dict):
        raise Fault("A message is a JSON object.")
    id = value.get("id")
    of = id if is_id(id) else None
    _check_names(value, _ENVELOPE, of)
    if value.get("jsonrpc") != "2.0":
        raise Fault("A message says jsonrpc 2.0.", id=of)
    if "id" in value and of is None and "error" not in value:
        raise Fault("An id is a text or an integer.")
    method = value.get("method")
    if "method" not in value:
        if ("result" in value) == ("error" in value) or "id" not in value:
            raise Fault("A message has a method, or is a response.", id=of)
        return value
    if not isinstance(method, str) or "result" in value or "error" in value:
        raise Fault("A message has one method, which is a text, and no result.", id=of)
    if not method.isprintable():
        raise Fault("A method's name is plain text.", id=of)
    meant = _MEANT.get(_bare(method), method)
    if meant != method:
        raise Fault(f"There is no such method; {meant} is written so.", id=of)
    if "params" in value and not isinstance(value["params"], dict | list):
        raise Fault("params are an object.", INVALID_PARAMS, of)
    if method == CALL:
        _check_call(value, of)
    return value


def _check_call(value: Message, id: Id | None) -> None:
    params = value.get("params")
    if id is None:
        raise Fault(f"{CALL} without an id is not passed on: nobody would hear what became of it.")
    if not isinstance(params, dict) or not isinstance(params.get("name"), str):
        raise Fault(f"{CALL} names a tool: params.name, a text.", INVALID_PARAMS, id)
    _check_names(params, _PARAMS, id)
    if not isinstance(params.get("arguments", {}), dict | None):
        raise Fault("A tool's arguments are an object.", INVALID_PARAMS, id)
    if not isinstance(params.get("_meta", {}), dict | None):
        raise Fault("_meta is an object.", INVALID_PARAMS, id)


def _check_names(value: Mapping[str, Any], known: Iterable[str], id: Id | None) -> None:
    """Raise Fault for a name that some readers take for one of `known`.

    Go's pass over case, C's end at a NUL, others drop what is no Unicode, trim, or take snake for camel case.
    """
    bare = {_bare(name): name for name in known}
    for name in value:
        if not name.isprintable():
            raise Fault("A name in the message is no plain text.", id=id)
        meant = bare.get(_bare(name))
        if meant is not None and meant != name:
            raise Fault(f"A name in the message could be taken for {meant}.", id=id)


def _bare(text: str) -> str:
    """Letters and digits alone, without regard for case and for forms of the same letter."""
    return "".join(filter(str.isalnum, folded(text)))


_MEANT = {_bare(method): method for method in _METHODS}


def line(value: Message | list[Any]) -> bytes:
    """A message as a line, without its end; raises ValueError for what JSON does not have."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def error(id: Id | None, code: int, text: str) -> Message:
    """The response that says what is wrong."""
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": text}}


def refusal(call: Message, text: str) -> Message:
    """The result of a call that was not run: an error of the tool, which the model reads."""
    result: dict[str, Any] = {"content": [{"type": "text", "text": text}], "isError": True}
    if VERSION_KEY in meta_of(call):
        result = {"resultType": "complete", **result}
    return {"jsonrpc": "2.0", "id": call["id"], "result": result}


def failed(request: Message, text: str) -> Message:
    """The response to a request that we fail at: a call's model reads `text` after its tool's name."""
    if request.get("method") == CALL:
        return refusal(request, f"{params_of(request).get('name')} {text}")
    return error(request["id"], INTERNAL, f"{request.get('method')} {text}")


def params_of(message: Message) -> dict[str, Any]:
    """Its params; empty where it has none."""
    params = message.get("params")
    return params if isinstance(params, dict) else {}


def meta_of(message: Message) -> dict[str, Any]:
    """Its params' `_meta`; empty where it has none."""
    meta = params_of(message).get("_meta")
    return meta if isinstance(meta, dict) else {}
