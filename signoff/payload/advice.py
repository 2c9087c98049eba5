"""What to send in place of a value that JSON does not have; pure.

By the names of its class and those above it, so that nothing has to be imported to know one.
"""

from __future__ import annotations

import inspect
from typing import Any

_TEXT = "send it as text, str(value)"
_LIST = "send a list, list(value)"
INSTEAD: dict[str, str] = {
    "datetime.date": "send value.isoformat()",
    "datetime.time": "send value.isoformat()",
    "datetime.timedelta": "send value.total_seconds()",
    "decimal.Decimal": "send str(value), so that no digit is lost",
    "fractions.Fraction": _TEXT,
    "uuid.UUID": _TEXT,
    "pathlib.PurePath": _TEXT,
    "ipaddress._IPAddressBase": _TEXT,
    "re.Pattern": "send value.pattern",
    "builtins.set": "send a list in an order of its own, sorted(value)",
    "builtins.frozenset": "send a list in an order of its own, sorted(value)",
    "builtins.bytes": "send text, value.decode(), or Base64 of it",
    "builtins.bytearray": "send text, value.decode(), or Base64 of it",
    "builtins.memoryview": "send text, or Base64 of it",
    "builtins.complex": _TEXT,
    "builtins.range": _LIST,
    "builtins.ellipsis": "send the value that should stand there",
    "builtins.BaseException": _TEXT,
    "enum.Enum": "send value.value",
    "pydantic.main.BaseModel": 'send value.model_dump(mode="json")',
    "numpy.generic": "send value.item()",
    "numpy.ndarray": "send value.tolist()",
    "pandas.core.frame.DataFrame": 'send value.to_dict("records")',
    "pandas.core.series.Series": "send value.to_dict()",
}
"""By class, or by one above it."""


def instead(value: Any) -> str:
    """The one thing to do, as a clause: `send value.isoformat()`."""
    if isinstance(value, type):
        return f"send one of its values, such as {value.__name__}(…), or its name"
    if inspect.isawaitable(value):
        return "await it first, and send what it gives"
    if inspect.ismodule(value):
        return "send what in it you mean"
    if inspect.isroutine(value):
        return "call it, and send what it gives"
    for kind in type(value).__mro__:
        if found := INSTEAD.get(f"{kind.__module__}.{kind.__qualname__}"):
            return found
    if hasattr(value, "__dataclass_fields__"):
        return "send dataclasses.asdict(value)"
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return "send dict(value)"
    if hasattr(value, "__iter__"):
        return _LIST
    return "send the text, numbers, lists and objects that it stands for"
