"""Many agents, many requests, few approvers, for a long time: `make load`."""
