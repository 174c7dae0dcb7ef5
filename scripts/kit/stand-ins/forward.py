"""Carries connections from one loopback port to another server: the database that a runbook may stop and start."""

import asyncio
import sys


async def carry(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main(port, host, target):
    async def meet(reader, writer):
        to_reader, to_writer = await asyncio.open_connection(host, target)
        await asyncio.gather(carry(reader, to_writer), carry(to_reader, writer))

    server = await asyncio.start_server(meet, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    host, target = sys.argv[2].rsplit(":", 1)
    asyncio.run(main(int(sys.argv[1]), host, int(target)))
