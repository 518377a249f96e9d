class Ready:
    def __await__(self):
        got = yield "waiting"
        return got


async def main():
    first = await Ready()
    second = await Ready()
    return [first, second]


coroutine = main()
print(coroutine.send(None), coroutine.send("one"))
try:
    coroutine.send("two")
except StopIteration as stop:
    print(stop.value)
