import asyncio


async def work(name, turns):
    done = []
    for turn in range(turns):
        await asyncio.sleep(0)
        done.append((name, turn))
    return done


async def main():
    results = await asyncio.gather(work("a", 1), work("b", 2))
    print(results)


asyncio.run(main())
