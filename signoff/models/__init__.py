"""Everything that is kept or travels, as frozen types, and the database that keeps it.

`messages`, `receipt` and `verdict` are the wire; `approval` is a request's life as it is read from
`tables`. A request comes as `messages.ApprovalRequest`, is written by `changes` in a transaction of
`store`, and is read back as an `approval.Approval`. The other modules each hold the statements of one
thing. Only `signoff.approvals` changes what an approval is.
"""
