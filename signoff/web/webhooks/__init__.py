"""Webhooks by Standard Webhooks 1.0: an agent's decisions, posted to endpoints that an operator registered.

The rows are `models.outbox`'s. `hosts` says where anything may be posted to, `keys` signs, `post` posts one
message, and `timer` is the worker's: it posts all that is due. Never run in the role `web`.
"""
