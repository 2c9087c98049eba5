"""Shows the stand-in's page outside its container: from every address at 9101 to this machine's 9100.

The stand-in listens on this machine alone, by design; a container's published port does not lead there. It
goes on looking at the Host that a browser names: only http://localhost:9100 and http://127.0.0.1:9100 are
let in.
"""

from __future__ import annotations

import asyncio

FROM, TO = 9101, 9100
PIECE = 65536


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what comes, until it ends."""
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, in both directions."""
    try:
        inner, outer = await asyncio.open_connection("127.0.0.1", TO)
    except OSError:
        writer.close()
        return
    await asyncio.gather(pour(reader, outer), pour(inner, writer))


async def serve() -> None:
    """Until the container ends."""
    async with await asyncio.start_server(connected, "0.0.0.0", FROM) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
