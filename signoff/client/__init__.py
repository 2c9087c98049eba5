"""What an agent calls. Nothing of the server is loaded here.

`face.Signoff` is the blocking face of `client.AsyncSignoff`. A call goes through `gate` and `arguments` (a
decorated function) or straight to `ask`, which builds the request; `exchange` sends it and waits, woken by
`notifications`; the receipt is verified, its payload runs, and the outcome is reported. `inbox` is for
agents that park their tasks; `testing` answers without server, Redis or Slack, as a `script` says.
"""
