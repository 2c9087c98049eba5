"""Redis, between agents and the server: a wake-up for everything, the truth for nothing.

`stream` has the name of every key. An agent puts a request's body under a key and a pointer to it on its
stream; `intake` gives it to the one writer and acks after the commit. Whose turn it is says `reader`, told by
`news` of what has changed; `requests` measures before it reads, `bounds` what waits of each agent; `later`
holds what met an outage, `tally` counts what is passed over. `publisher` puts responses where agents look;
`wakeups` has a worker told of a change, in a job that `mac` signs and `jobs` runs. `users` are agents' users
in Redis, and `acl` says what each may do. `data_folder` is how agents find a server of the same user.
"""
