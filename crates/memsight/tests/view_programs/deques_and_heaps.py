import heapq
from collections import deque

queue = deque([1000, 2000, 3000], maxlen=3)
queue.append(4000)
queue.rotate(1)
queue.appendleft(500)
print(queue)
heap = []
for number in (5000, 1000, 3000):
    heapq.heappush(heap, (number, str(number)))
print(heapq.heappop(heap), heapq.nlargest(1, heap))
