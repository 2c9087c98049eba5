"""YAML → plain values, from its nodes alone: no tag builds anything, and no alias is followed; pure.

PyYAML's safe loader would follow `<<: *a`, and a few lines of those become millions of entries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from signoff.bot.text.renderers.privileges import number_of

LONGEST = 100_000
"""Characters of a text that is read."""
DEEPEST = 60
ALIAS = "*"
"""What stands for a value that is written elsewhere."""
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})


@dataclass
class Read:
    """The values of all documents; whether aliases stand in them, and a name twice in one object."""

    documents: list[Any] = field(default_factory=list)
    aliases: bool = False
    twice: bool = False


def documents(text: str) -> Read | None:
    """A text's documents; None where it is no YAML, too long or too deep."""
    if len(text) > LONGEST:
        return None
    read = Read()
    try:
        for node in yaml.compose_all(text, Loader=_Loader):
            read.documents.append(_value(node, read, set(), 0))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return read


def _value(node: Node | None, read: Read, seen: set[int], level: int) -> Any:
    """A node's value, as JSON has it; `seen` are all nodes before it: an alias gives the same node again."""
    if level > DEEPEST:
        raise ValueError("too deep")
    if node is None:
        return None
    if id(node) in seen:
        read.aliases = True
        return ALIAS
    seen.add(id(node))
    if isinstance(node, ScalarNode):
        return _scalar(node)
    if isinstance(node, SequenceNode):
        return [_value(item, read, seen, level + 1) for item in node.value]
    assert isinstance(node, MappingNode)
    found: dict[str, Any] = {}
    for key, item in node.value:
        name = key.value if isinstance(key, ScalarNode) else "?"
        read.twice = read.twice or name in found
        value = _value(item, read, seen, level + 1)
        found[name] = value if name not in found or not found[name] else found[name]
    return found


def _scalar(node: ScalarNode) -> Any:
    """Booleans, whole numbers and nothing; anything else is its text."""
    plain, text = not node.style, str(node.value)
    if not plain:
        return text
    if text.lower() in _TRUE or text.lower() in _FALSE:
        return text.lower() in _TRUE
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    number = number_of(text)
    return text if number is None else number
