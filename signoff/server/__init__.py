"""Roles as processes: `build` puts their parts together from `settings`, `supervisor` keeps them running.

`signoff serve` starts its `own_redis` where none is given. Bot (`bot_role`), intake and worker (`worker`) are
forked, asked for by `forker`, from one process that has everything loaded (`nursery`); each builds its own
parts. `policy_file` has the policy in force, read again when it changes; `backup` and `restore` are for bad
days.
"""
