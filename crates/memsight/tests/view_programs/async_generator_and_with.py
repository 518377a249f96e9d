import asyncio


class Session:
    async def __aenter__(self):
        return ["session"]

    async def __aexit__(self, *error):
        print("closed")


async def pages(count):
    for number in range(count):
        await asyncio.sleep(0)
        yield number * 1000


async def main():
    async with Session() as session:
        session += [page async for page in pages(3)]
        async for page in pages(2):
            session.append(page)
    print(session)


asyncio.run(main())
