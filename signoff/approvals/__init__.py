"""The one writer: what a request is, who may decide on it, and what became of it.

`service.Approvals` is what other rooms call. A request goes through `submit`: checked by its kind
(`kinds`), judged by `verdicts`, written by `transitions` with its `audit` lines. A person's vote goes
through `decide`: `authority` says whether they may, `edits` what they may change, `quorum` what the votes
come to, `endings` ends it with one of `receipts`. After the commit `announcer` tells the agent, and whoever
shows it. `cards` notes what a channel (`channel`) shows; `sweep` repeats what was lost; `lists` and
`epochs` read and restore.
"""
