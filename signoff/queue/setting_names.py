"""The names that a settings' file may set. A file that says anything else is not obeyed there."""

from __future__ import annotations

from typing import Final

AGENTS: Final = (
    "SIGNOFF_REDIS_URL", "SIGNOFF_AGENT", "SIGNOFF_VERIFY_KEY", "SIGNOFF_DATA", "SIGNOFF_DEPLOYMENT",
    "SIGNOFF_AGENT_SECRET",
)  # fmt: skip
SERVERS: Final = (
    "SIGNOFF_DATA", "SIGNOFF_DEPLOYMENT", "SIGNOFF_REDIS_URL", "SIGNOFF_REDIS_ADMIN_URL",
    "SIGNOFF_DATABASE_URL", "SIGNOFF_SIGNING_KEY", "SIGNOFF_APPROVERS", "SIGNOFF_CHANNEL", "SIGNOFF_POLICY",
    "SIGNOFF_ADMINS", "SIGNOFF_RECEIPT_HOURS", "SIGNOFF_AUDIT_WITNESS", "SIGNOFF_LOG_LEVEL",
    "SIGNOFF_LOG_JSON", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET", "SLACK_API_URL", "SIGNOFF_WEB_BIND", "SIGNOFF_WEB_URL", "SIGNOFF_HEALTH_BIND",
    "SIGNOFF_WEBHOOK_HOSTS",
)  # fmt: skip
CALLERS: Final = ("SIGNOFF_WEB_URL", "SIGNOFF_TOKEN")
"""What a client by HTTP reads."""
NAMES: Final = frozenset(AGENTS) | frozenset(SERVERS) | frozenset(CALLERS)
"""All that Signoff reads, as the README has it. What else a process obeys (PYTHONPATH, LD_PRELOAD, a proxy)
comes from its environment alone."""
PATHS: Final = ("SIGNOFF_DATA", "SIGNOFF_POLICY")
"""Those that name a place."""
DATABASE: Final = "SIGNOFF_DATABASE_URL"
