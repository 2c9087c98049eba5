"""Redis, between agents and the server: a wake-up for everything, the truth for nothing.

`stream` has the name of every key. A request waits on its agent's stream until `intake` gives it to the one
writer and acks after the commit; `publisher` puts responses where agents look; `wakeups` has a worker told of
a change, in a job that `mac` signs and `jobs` runs. `data_folder` is how agents find a server of the same
user.
"""
