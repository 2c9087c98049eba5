"""The policy: which actions run, which ask whom, which never run; pure.

`loader` reads a file into a `policy`; `evaluate` gives a request's Verdict under it: `facts` rates the
request, `order` finds which rule wins. docs/policy.md says what a file may say, and what wins over what.
"""
