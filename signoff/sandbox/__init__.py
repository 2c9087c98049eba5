"""Slack's stand-in: its Web API, Socket Mode and a page like it, as strict as Slack in what we know of it.

A program of its own that any Slack app can talk to; docs/sandbox.md. It imports nothing of Signoff but the
limits in `bot.blocks`. An app's call goes through `web_api` to a method; a person's act through `acts` to
the app.
"""
