"""Waits of our own threads take nothing from what a program draws from `random`."""

from __future__ import annotations

import os
import random

from signoff.models.jitter import between


def test_a_seeded_program_draws_what_it_would_without_us() -> None:
    state = random.getstate()
    drawn = {between(1.0, 2.0) for _ in range(50)}
    assert random.getstate() == state and len(drawn) == 50 and all(1.0 <= one <= 2.0 for one in drawn)


def test_forked_processes_wait_differently() -> None:
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, str(between(0.0, 1.0)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(read, 100).decode()
    os.close(read)
    os.close(write)
    assert told != str(between(0.0, 1.0))
