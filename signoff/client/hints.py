"""What a function says of its parameters: annotations, contexts of agent frameworks, and its docstring."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Annotated, Any, Optional, get_args, get_origin, get_type_hints

CONTEXTS = frozenset(
    {
        "RunContext",  # pydantic-ai
        "RunContextWrapper",  # openai-agents
        "ToolContext",  # openai-agents, google-adk
        "CallbackContext",  # google-adk
        "InvocationContext",
        "ReadonlyContext",
        "ToolRuntime",  # langchain
        "RunnableConfig",
        "InjectedState",
        "InjectedStore",
        "InjectedToolCallId",
        "InjectedToolArg",
        "FunctionInvocationContext",  # agent-framework
        "CancellationToken",  # autogen
    }
)
"""Classes whose instances a framework passes in: no model chose them, and nobody approves them."""
COMMON = frozenset({"Context", "Runtime"})
"""Names of such classes that a program may have for its own: only a framework's are left out."""
FRAMEWORKS = frozenset(
    {
        "agent_framework",
        "crewai",
        "fastmcp",
        "google",
        "langchain",
        "langgraph",
        "llama_index",
        "mcp",
        "workflows",
    }
)

_ENTRY = re.compile(r"^(\s*)\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(\S.*)$")
_FIELD = re.compile(r"^\s*:param (?:[^:]*\s)?\*{0,2}(\w+):\s*(\S.*)$")


def resolve(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """A parameter's annotation as a type, `Parameter.empty` where there is none.

    Annotations that are text are read in the function's module and in the scopes around its definition.
    A text that cannot be read but names a framework's context (imported for type checkers only) is given
    back as it is. Raises TypeError otherwise.
    """
    annotation = parameter.annotation
    if annotation is parameter.empty:
        return annotation
    inner = inspect.unwrap(function)
    scope = dict(_scope(inner))
    holder = SimpleNamespace(__annotations__={parameter.name: annotation})
    try:
        return get_type_hints(holder, getattr(inner, "__globals__", {}), scope, include_extras=True)[
            parameter.name
        ]
    except Exception as error:
        if isinstance(annotation, str) and _named_in(annotation):
            return annotation
        raise TypeError(
            f"The annotation of parameter {parameter.name!r} cannot be read: {error}. Import what it names, "
            f"or say how it travels: encode={{{parameter.name!r}: (to_json, from_json)}}."
        ) from None


def is_context(function: Callable[..., Any], parameter: inspect.Parameter, annotation: Any) -> bool:
    """True for what is passed on but never shown: `self`, `cls`, and what a framework injects."""
    if annotation is parameter.empty:
        first = next(iter(inspect.signature(function).parameters), None)
        scope = getattr(function, "__qualname__", "").rpartition(".")[0]
        in_class = bool(scope) and not scope.endswith("<locals>")
        return in_class and parameter.name == first and parameter.name in ("self", "cls")
    return any(name in CONTEXTS or name.startswith("Injected") for name in _names(annotation))


def optional(annotation: Any) -> Any:
    """The annotation, or None."""
    return Optional[annotation]  # noqa: UP045 - `|` is not defined for every annotation


def descriptions(function: Callable[..., Any]) -> dict[str, str]:
    """What a docstring says of each parameter: Google's `Args:` section, or `:param name:` lines."""
    found: dict[str, str] = {}
    indent: str | None = None
    listed = False
    for line in (inspect.getdoc(function) or "").splitlines():
        field = _FIELD.match(line)
        if field:
            found[field[1]] = field[2]
            continue
        if line.strip() in ("Args:", "Arguments:", "Parameters:"):
            listed, indent = True, None
            continue
        entry = _ENTRY.match(line) if listed else None
        if entry and entry[1] and indent in (None, entry[1]):
            indent = entry[1]
            found[entry[2]] = entry[3]
        elif listed and line.strip() and not line.startswith((" ", "\t")):
            listed = False
    return found


def _names(annotation: Any) -> Iterator[str]:
    """The names of the classes an annotation is made of: itself, a union's members, what annotates it."""
    if isinstance(annotation, str):
        yield from _named_in(annotation)
        return
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *notes = get_args(annotation)
        yield from _names(inner)
        for note in notes:
            name = getattr(note, "__name__", type(note).__name__)
            if name.startswith("Injected"):
                yield name
    elif isinstance(annotation, type) and origin is None:
        yield _name(annotation)
    elif isinstance(origin, type) and origin.__name__ not in ("Union", "UnionType"):
        yield _name(origin)
    elif origin is not None:
        for member in get_args(annotation):
            yield from _names(member)


def _name(found: type) -> str:
    """A class's name; with its framework's where only that tells it from a program's own."""
    framework = found.__module__.partition(".")[0]
    theirs = found.__name__ in COMMON and framework in FRAMEWORKS
    return f"Injected{found.__name__}" if theirs else found.__name__


def _named_in(text: str) -> list[str]:
    """The contexts that an annotation names, where it could only be read as text."""
    heads = [part.split("[")[0].strip().rpartition(".")[2] for part in text.split("|")]
    return [head for head in heads if head in CONTEXTS]


def _scope(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Names around a function that is being defined inside others: theirs, and its own closure's."""
    qualname = getattr(function, "__qualname__", "")
    if "<locals>" in qualname:
        around = set(qualname.split(".")[:-1])
        frames = []
        frame = sys._getframe(1)
        while frame.f_back is not None:
            frame = frame.f_back
            if frame.f_code.co_name in around and frame.f_globals is getattr(function, "__globals__", None):
                frames.append(frame)
        for outer in reversed(frames):
            yield from outer.f_locals.items()
    free = getattr(getattr(function, "__code__", None), "co_freevars", ())
    for name, cell in zip(free, getattr(function, "__closure__", None) or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue
