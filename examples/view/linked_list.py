"""Deleting from a linked list: one reference is moved, and the node is freed.

    memsight view examples/view/linked_list.py
"""


class Node:
    def __init__(self, value, next_node):
        self.value = value
        self.next = next_node


def delete(head, value):
    if head.value == value:
        return head.next
    node = head
    while node.next.value != value:
        node = node.next
    node.next = node.next.next  # freed: Node
    return head


def values(head):
    node = head
    found = []
    while node is not None:
        found.append(node.value)
        node = node.next
    return found


head = Node(1001, Node(1002, Node(1003, Node(1004, None))))
head = delete(head, 1003)
print(values(head))
head = delete(head, 1001)  # freed: Node
print(values(head))
head = None  # freed: Node
