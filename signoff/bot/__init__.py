"""Slack: a change comes as an approval's id and goes out as a card; a click goes to `approvals`.

`delivery` takes a card's lease, has `cards` draw it from the rows (with `text`), and posts it by `slack`.
`listeners` parse a click, make one call into `approvals`, and reply, with views from `forms`. `blocks` are
Slack's limits, which the stand-in checks too. `app` registers the listeners with Bolt.
"""
