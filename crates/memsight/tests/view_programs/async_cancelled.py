import asyncio


async def forever():
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        print("cancelled")
        raise


async def main():
    task = asyncio.ensure_future(forever())
    await asyncio.sleep(0)
    task.cancel()
    print((await asyncio.gather(task, return_exceptions=True))[0].__class__.__name__)
    try:
        await asyncio.wait_for(asyncio.sleep(3600), timeout=0.01)
    except asyncio.TimeoutError:
        print("timed out")


asyncio.run(main())
