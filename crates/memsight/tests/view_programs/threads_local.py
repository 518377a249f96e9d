import threading

local = threading.local()
local.name = "main"
seen = []


def look():
    seen.append(getattr(local, "name", None))
    local.name = "thread"
    seen.append(local.name)


thread = threading.Thread(target=look)
thread.start()
thread.join()
print(seen, local.name)
