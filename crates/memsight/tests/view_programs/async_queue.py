import asyncio


async def produce(queue):
    for number in range(3):
        await queue.put([number])
    await queue.put(None)


async def consume(queue):
    got = []
    while (item := await queue.get()) is not None:
        got.append(item)
    return got


async def main():
    queue = asyncio.Queue(maxsize=1)
    producer = asyncio.create_task(produce(queue))
    print(await consume(queue))
    await producer


asyncio.run(main())
