"""Tasks, gather, cancellation, time-outs, async generators, comprehensions and context managers."""
import asyncio
import contextlib


async def worked(depth, number):
    if depth:
        return [await worked(depth - 1, number)]
    await asyncio.sleep(0)
    kept = bytearray(number)
    await asyncio.sleep(0)
    return [kept, str(number)]


async def ticking(limit):
    for number in range(limit):
        await asyncio.sleep(0)
        yield [number]


@contextlib.asynccontextmanager
async def managed():
    held = [bytearray(10)]
    await asyncio.sleep(0)
    try:
        yield held
    finally:
        await asyncio.sleep(0)
        held.append(str(held))


async def cancelled():
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        made = [dict(a=[1]) for _ in range(3)]
        await asyncio.sleep(0)
        raise RuntimeError(made) from None


async def produce(queue):
    for number in range(200):
        await queue.put([number] * 3)
    await queue.put(None)


async def consume(queue):
    return [item async for item in drained(queue)]


async def drained(queue):
    while (item := await queue.get()) is not None:
        yield item + [str(item)]


async def main():
    await asyncio.gather(*[worked(depth % 9, depth) for depth in range(100)])
    tasks = [asyncio.create_task(cancelled()) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    assert all(isinstance(one, RuntimeError) for one in await asyncio.gather(*tasks, return_exceptions=True))
    async with managed() as held:
        held += [item async for item in ticking(50) if item[0] % 2]
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.sleep(30), 0.01)
    queue = asyncio.Queue(3)
    await asyncio.gather(produce(queue), consume(queue))
    left = ticking(100)
    async for _ in left:
        break
    await left.aclose()
    loop = asyncio.get_running_loop()
    await asyncio.gather(*[loop.run_in_executor(None, sorted, range(number)) for number in range(20)])


asyncio.run(main())
