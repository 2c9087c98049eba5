"""Witnesses outside: each minute they get the audit log's head, signed, and keep it.

`kinds` reads SIGNOFF_AUDIT_WITNESS and sends to a file, syslog, a time stamper or a webhook; `call` is the
HTTP that they use; `timer` runs beside the worker.
"""
