"""The door of the Agent Approval Protocol: the HTTP interface of the `agentapprovalprotocol` package.

Its client and adapters ask (`submission`), wait, consume and report (`door`) as they would of any provider;
what they are told is in `wire`. Consuming is our spending: once. What does not fit is in docs/aap.md.
"""
