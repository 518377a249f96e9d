"""Tasks that wait for what never comes, kept in a set so that they are not collected."""
import asyncio

BACKGROUND = set()


async def upload(number, never):
    body = bytearray(20_000)
    await never
    return len(body)


async def main():
    never = asyncio.get_running_loop().create_future()
    for number in range(100):
        BACKGROUND.add(asyncio.ensure_future(upload(number, never)))
    await asyncio.sleep(0)


loop = asyncio.new_event_loop()
loop.run_until_complete(main())
