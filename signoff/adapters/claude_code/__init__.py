"""Claude Code: the command hook, `signoff hook claude-code`; docs/adapters/claude-code.md is its page.

A hook starts anew for every call of a tool. So what the policy decides at once takes a short road here, which
loads the standard library, hiredis and Ed25519 alone; what waits for a person goes on with Signoff's client.
"""
