"""Made-up requests in every state, and all that Signoff draws of them: cards, forms, lists, Home.

The one set of examples: `signoff doctor --layouts` has Slack judge it, tests/bot/golden keeps its cards as
JSON, docs/pictures.py draws it. `cards` holds the requests, `shapes` those of well-known tool servers (docs/
gallery.md shows them, `bars` measures them), `approval` makes an Approval of one, `layouts` draws them.
Another set of requests is a file beside `cards` and a row in `layouts.SETS`.
"""
