"""Has two minutes to deploy, with asyncio: where nobody answers in time, that is no no, and it lets it be."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from signoff import AsyncSignoff, Expired, NotApproved

SECONDS = 120


async def main(number: str) -> None:
    """Ask, deploy if that was approved in time, and report."""
    async with AsyncSignoff() as signoff:
        print(f"The window for release 2.{number} closes in two minutes. May I deploy it?")
        try:
            receipt = await signoff.ask(
                "deploy.start",
                {"service": "checkout", "version": f"v2.{number}", "environment": "production"},
                reason="All 1,412 tests are green",
                reversible=True,
                undo="Deploy the version before",
                tags=["production"],
                expires_in=SECONDS,
                key=f"release-{number}",
            )
        except Expired:
            print("Nobody answered in time: I deploy nothing, and ask again in the next window.")
        except NotApproved as answer:
            print(f"Not deployed. {answer}")
        else:
            Path("deployed.txt").write_text(f"2.{number} {datetime.now(UTC):%H:%M:%S}\n")
            await signoff.report(receipt.id, succeeded=True, note=f"2.{number} runs")
            print(f"Approved: 2.{number} is deployed, and I have reported it.")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
