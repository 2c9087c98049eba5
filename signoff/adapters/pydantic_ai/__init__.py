"""Pydantic AI: one capability gates an agent's tools, whichever toolset they come from.

    agent = Agent(model, capabilities=[SignoffCapability(Signoff(), {"refund": {"reversible": False}})])

Each call is asked about when it is about to run, after every other hook: with the arguments that the tool
would get. Calls of one response wait together. docs/adapters/pydantic-ai.md has the rest.
"""

from __future__ import annotations

from signoff.adapters.pydantic_ai.capability import SignoffCapability, results
from signoff.adapters.pydantic_ai.messages import METADATA

__all__ = ["METADATA", "SignoffCapability", "results"]
