"""HTTP: the doors to Signoff for whatever is not Python, or does not reach Redis.

A request comes in by `app` (which knows all doors), is read whole and bounded (`bodies`), its caller is told
by a token (`callers`), and one of the doors makes one call into `approvals`: `v1` is our own, `authzen` and
`aap` are standards', and by `slack` Slack itself calls; `terms` has what all take alike. What is wrong is a
`Problem`. Who waits is woken by the one `hub` of the process. `health` and `metrics` tell of this deployment,
on a port of their own; `webhooks` has what the worker posts them by.
"""
