"""`signoff demo`: all of Signoff on this machine, a sample agent, and a reviewer who decides by script."""

from __future__ import annotations

from signoff.demo.stage import run

__all__ = ["run"]
