"""OpenAI Agents SDK: an agent whose tools run once a person has approved, and with what they approved.

    agent = gated(Agent(name="Billing", tools=[refund]), Signoff(), reversible=False)
    result = await run(agent, "Refund order 7.")

The gate is inside the tool (`on_invoke_tool`) and has the last word there: the SDK's own approval of a call
carries no edits, and only says "go on" here, to a run that was suspended. See docs/adapters/openai-agents.md.
"""

from __future__ import annotations

from signoff.adapters.openai_agents.gate import gated
from signoff.adapters.openai_agents.run import decided, run

__all__ = ["decided", "gated", "run"]
