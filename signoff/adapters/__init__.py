"""Agent frameworks, MCP and Claude Code: one file or folder each; docs/adapters/ has a page for each.

Each translates between its framework and `signoff.adapters.calls`, and imports its framework, which is an
extra of the same name: `pip install 'signoff[langchain]'`.
"""
