"""LangChain's agents and LangGraph's graphs: see docs/adapters/langchain.md.

agent = create_agent(model, tools, middleware=[SignoffMiddleware(Signoff(), ["refund_*"])])
"""

from signoff.adapters.langchain.answers import decisions, decisions_async
from signoff.adapters.langchain.middleware import SignoffMiddleware
from signoff.adapters.langchain.resumption import (
    resume_when_decided,
    resume_when_decided_async,
    resumed,
    resumed_async,
)

__all__ = [
    "SignoffMiddleware",
    "decisions",
    "decisions_async",
    "resume_when_decided",
    "resume_when_decided_async",
    "resumed",
    "resumed_async",
]
