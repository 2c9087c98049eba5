"""The one writer: what a request is, who may decide on it, and what became of it.

A request comes in by `submit`, is judged by `verdicts`, and written by `transitions` with its `audit`
lines; a person's answer comes by `service.Approvals.decide`, is checked by `authority` and `edits`, and
ends it with one of `receipts`. After the commit the answer is published and `on_change` called. `sweep`
repeats what was lost; `lists` and `epochs` read and restore. Nothing here knows Slack.
"""
