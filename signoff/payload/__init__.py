"""What an agent wants to run: a payload, its exact text, and its schema; pure.

`canonical` reads strict JSON and gives the RFC 8785 text and digest that all parties know a payload by;
`schema` checks a payload against its JSON Schema, `outline` counts what that would cost first; `fields`
reads both for cards and forms, `problems` says what is wrong in a reviewer's words.
"""
