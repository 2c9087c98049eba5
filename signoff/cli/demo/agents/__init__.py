"""Sample agents, each a program of its own: `python -m signoff.cli.demo.agents.billing 991` does ticket 991.

They use nothing but `from signoff import …`, as any agent does. What they do when they may is real, and
stays in the folder that they run in. Each asks with a `key` of its ticket: an agent that was stopped and
does the same ticket again waits for the same card instead of asking a second time.
"""
