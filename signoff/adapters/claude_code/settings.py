"""Whose Redis and whose key the hook takes: the user's, never a project's.

Claude Code hands a project's own `env` on to every hook. So what `signoff hook install` writes names a file
of the user's, and with one nothing of the environment counts.
"""

from __future__ import annotations

import os
from pathlib import Path

from signoff.client.settings import Settings, load_settings
from signoff.errors import ConfigError
from signoff.queue import data_folder
from signoff.queue.setting_names import AGENTS

NEEDED = ("SIGNOFF_REDIS_URL", "SIGNOFF_VERIFY_KEY")
"""What such a file has to say: what it does not say would be looked for where the environment says."""


def user_settings(env_file: str | None) -> Settings:
    """From a file of this user's, or as any agent's; raises ConfigError.

    What is found stands in this process's environment afterwards, for Signoff's client.
    """
    if env_file is not None:
        found = private_settings(Path(env_file))
        for name in [name for name in os.environ if name.startswith("SIGNOFF_")]:
            del os.environ[name]
        os.environ.update(found)
    return load_settings()


def private_settings(path: Path) -> dict[str, str]:
    """What an agent's settings' file says; raises ConfigError where others can write it, or it lacks some."""
    if not path.is_absolute():
        raise ConfigError("--env-file has to be an absolute path: a hook runs in any folder.")
    said = data_folder.private_file(path)
    found = {name: value for name, value in said.items() if name in AGENTS and value}
    if missing := [name for name in NEEDED if name not in found]:
        raise ConfigError(f"{path} does not say {' and '.join(missing)}.")
    return {"SIGNOFF_AGENT": data_folder.LOCAL_AGENT, **found}
