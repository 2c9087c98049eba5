"""Where the hooks of coding agents call, by HTTP: one endpoint for each kind of them.

A hook waits until people have decided, and is always answered 200 with a decision: whatever else it gets, it
may take for no opinion, and run what nobody has approved. So each fault is a denial.
"""
