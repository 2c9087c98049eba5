"""MCP: a server whose tools ask people, and a gate in front of any other server; docs/adapters/mcp.md.

The gate reads and writes JSON-RPC lines itself, so that it forwards what it does not know as it is; the
library `mcp`, an extra of Signoff, serves `signoff mcp` and carries the gate to a server behind a URL.
"""
