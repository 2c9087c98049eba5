"""Our own API, version 1: all that an agent can do by Redis, in HTTP.

`requests` has what an agent asks and is answered, `events` the same as it changes, `decisions` all that was
decided, for who parks, `spend` what an executor's guard asks, `keys` what anybody may read to verify
receipts. A request is read, its caller told, one call made into `approvals`, and a `state` answered.
`openapi` describes all of it for programs, `pages` for people.
"""
