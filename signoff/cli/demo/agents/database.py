"""Wants to drop a database for good, and hears why not where a person says no."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from signoff import NotApproved, Rejected, Signoff
from signoff.cli.demo.agents.cases import case

CASES = (
    ("customers", "db-3", "Nobody has read it since January, and the disk is 94 % full",
     "One database; 18,204 customers of the old shop"),
    ("sessions", "db-1", "The shop keeps them in Redis since May",
     "One database; 1.2 million sessions that have ended"),
    ("invoices_copy", "db-3", "A copy from the move in spring; the original is on db-2",
     "One database; 40,511 invoices that are elsewhere, too"),
)  # fmt: skip
"""Database, host, why, and what it touches."""


def main(ticket: str) -> None:
    """Ask, drop the file if that was approved, and report."""
    name, host, why, impact = case(CASES, ticket)
    database = Path(f"{name}_{ticket}.db")
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS customer (name TEXT)")
    with Signoff() as signoff:
        print(f"{database.name} is no longer needed. May I drop it?")
        ask = signoff.request(
            "database.drop",
            {"database": database.name, "host": host, "backup": "none"},
            reason=why,
            reversible=False,
            impact=impact,
            risk="critical",
            tags=["destructive", "production", "personal-data"],
            editable=False,
            key=f"drop-{ticket}",
        )
        print(f"Asked, as request {ask.id}. I wait.")
        try:
            receipt = ask.wait()
        except Rejected as answer:
            print(f"Rejected, so I keep it. I am told: {answer.detail}")
        except NotApproved as answer:
            print(f"I keep it. {answer}")
        else:
            database.unlink()
            signoff.report(receipt.id, succeeded=True, note=f"dropped {database.name}")
            print(f"Approved: {database.name} is gone, and I have reported it.")


if __name__ == "__main__":
    main(sys.argv[1])
