"""Claude Code's settings.json: Signoff's hooks in it, and out of it again; all else stays as it is."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from signoff.errors import ConfigError
from signoff.models.tool_calls import AFTER

ASK_SECONDS = 20 * 24 * 3600
"""How long a hook may wait for a person: longer than a request lives, so that Claude Code never ends one that
could still be answered. Its timers hold 24 days (milliseconds in 31 bits)."""
TELL_SECONDS = 60
"""How long one may take that tells what became of a call."""
HTTP_PATH = "/v1/hooks/claude-code"
TOKEN = "SIGNOFF_TOKEN"
_COMMAND = "signoff hook claude-code"


def file(project: bool) -> Path:
    """Where the settings of this user stand, or of the project in the current folder."""
    if project:
        return Path.cwd() / ".claude" / "settings.json"
    folder = os.environ.get("CLAUDE_CONFIG_DIR")
    return (Path(folder) if folder else Path.home() / ".claude").absolute() / "settings.json"


def by_command(command: str) -> dict[str, Any]:
    """The hook that starts a program."""
    return {"type": "command", "command": command}


def by_http(url: str) -> dict[str, Any]:
    """The hook that asks a server; its token stands in Claude Code's environment, and not in the file."""
    headers = {"Authorization": f"Bearer ${TOKEN}"}
    return {"type": "http", "url": url, "headers": headers, "allowedEnvVars": [TOKEN]}


def events(hook: Mapping[str, Any], asking: str, matcher: str) -> dict[str, dict[str, Any]]:
    """What is written for each event: `asking` is the one whose answer decides.

    A call that Claude Code itself would have prompted for has no key to be reported by.
    """
    asked = {**hook, "timeout": ASK_SECONDS, "onFailure": "block"}
    if asking != "PreToolUse":
        return {asking: _entry(matcher, _marked(asked, "", f"?event={asking}"))}
    told = {**hook, "timeout": TELL_SECONDS}
    after = {name: _marked(told, " --after", f"?event={name}") for name in AFTER}
    return {asking: _entry(matcher, asked), **{name: _entry(matcher, one) for name, one in after.items()}}


def read(path: Path) -> dict[str, Any]:
    """The settings that stand there, none where there is no file; raises ConfigError for what is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise ConfigError(f"{path} cannot be read ({why}): mend it first; nothing was changed.") from None
    hooks = found.get("hooks", {}) if isinstance(found, dict) else None
    if not isinstance(hooks, dict) or not all(isinstance(entries, list) for entries in hooks.values()):
        raise ConfigError(f"{path} is not laid out as Claude Code's settings are; nothing was changed.")
    return dict(found)


def has_ours(path: Path) -> bool:
    """Whether Signoff's hooks stand in this file; False for one that does not read."""
    with suppress(ConfigError):
        found = read(path)
        return without_ours(found) != found
    return False


def without_ours(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings without Signoff's hooks, and without what is empty for that."""
    hooks = {}
    for event, entries in settings.get("hooks", {}).items():
        kept = [left for entry in entries if (left := _without_ours(entry)) is not None]
        if kept or not entries:
            hooks[event] = kept
    if hooks or settings.get("hooks") == {}:
        return {**settings, "hooks": hooks}
    return {name: value for name, value in settings.items() if name != "hooks"}


def with_ours(settings: Mapping[str, Any], ours: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The same settings with just these hooks of Signoff's."""
    found = without_ours(settings)
    hooks = dict(found.get("hooks", {}))
    for event, entry in ours.items():
        hooks[event] = [*hooks.get(event, []), entry]
    return {**found, "hooks": hooks}


def write(path: Path, settings: Mapping[str, Any]) -> None:
    """Put them there, whole or not at all; raises ConfigError. A link stays one, a file keeps its mode."""
    target = Path(os.path.realpath(path))
    text = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
    partial = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with open(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if target.exists():
            os.chmod(partial, stat.S_IMODE(target.stat().st_mode))
        os.replace(partial, target)
    except (OSError, UnicodeEncodeError) as error:
        with suppress(OSError):
            os.unlink(partial)
        raise ConfigError(f"{path} cannot be written: {getattr(error, 'strerror', error)}.") from None


def _marked(hook: Mapping[str, Any], word: str, query: str) -> dict[str, Any]:
    """The same hook, told which event it is for: what it says where it cannot read one fits that then."""
    if "command" in hook:
        return {**hook, "command": hook["command"] + word}
    return {**hook, "url": hook["url"].partition("?")[0] + query}


def _entry(matcher: str, hook: Mapping[str, Any]) -> dict[str, Any]:
    return {"matcher": matcher, "hooks": [dict(hook)]}


def _without_ours(entry: Any) -> Any:
    """An event's entry without our hooks; None where nothing is left of it, the same where none was ours."""
    if not isinstance(entry, dict) or not isinstance(hooks := entry.get("hooks"), Sequence):
        return entry
    kept = [hook for hook in hooks if not _is_ours(hook)]
    if len(kept) == len(hooks):
        return entry
    return {**entry, "hooks": kept} if kept else None


def _is_ours(hook: Any) -> bool:
    if not isinstance(hook, dict):
        return False
    command, url = hook.get("command"), hook.get("url")
    by_program = isinstance(command, str) and _COMMAND in command.replace("'", "").replace('"', "")
    return by_program or (isinstance(url, str) and url.partition("?")[0].rstrip("/").endswith(HTTP_PATH))
