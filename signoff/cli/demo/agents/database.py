"""Wants to drop a database for good, and hears why not where a person says no."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from signoff import NotApproved, Rejected, Signoff


def main(ticket: str) -> None:
    """Ask, drop the file if that was approved, and report."""
    database = Path(f"customers_{ticket}.db")
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS customer (name TEXT)")
    with Signoff() as signoff:
        print(f"{database.name} has not been read since January. May I drop it?")
        ask = signoff.request(
            "database.drop",
            {"database": database.name, "host": "db-3", "backup": "none"},
            reason="Nobody has read it since January, and the disk is 94 % full",
            reversible=False,
            impact="One database; 18,204 customers of the old shop",
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
