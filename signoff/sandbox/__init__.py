"""A local Slack: Web API, Socket Mode, response_url, and JSON for programs that drive it.

It is as strict as Slack, so that what works here works there; the real SDK and Bolt run against it unpatched.
It imports nothing of Signoff but `signoff.bot.blocks`. Start it with `signoff.sandbox.server`.
"""
