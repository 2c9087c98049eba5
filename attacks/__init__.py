"""Attacks on Signoff, as somebody who means harm tries them: `make attack`, or `python -m attacks`.

Each is a function that does something nobody may do, and says with `held` that it came to nothing. They run
against a real server with Slack's stand-in: one started for them, or one of yours (`--env-file`, `--data`).
A line an attack; exit 1 when one gets through, or cannot be tried.
"""
