"""AuthZEN's door: the Authorization API 1.0 and its Access Request and Approval Profile, draft 1.

Enforcement points ask whether a subject may do something with a resource, and are answered from the policy
in force (`evaluations`); where a person has to decide, they submit a request with what they were given
(`denials`, `submissions`), are given a task (`requests`, `tasks`), and ask again with its approval
(`grants`). It is a door, not our model: `tuples` is how the one becomes the other, and docs/authzen.md what
does not fit.
"""
