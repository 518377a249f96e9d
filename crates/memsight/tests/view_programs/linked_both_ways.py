class Node:
    def __init__(self, value):
        self.value = value
        self.previous = self.next = None


first, second = Node(1000), Node(2000)
first.next, second.previous = second, first
print(first.next.previous is first)
first.next.previous = None
first = first.next
print(first.value)
