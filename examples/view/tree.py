"""Deleting from a search tree: a leaf, a node with one child, one with two.

Nothing is freed by hand. A node goes when no other node and no name refers to it.

    memsight view examples/view/tree.py
"""


class Tree:
    def __init__(self, key, left=None, right=None):
        self.key = key
        self.left = left
        self.right = right


def delete(tree, key):
    if key < tree.key:
        tree.left = delete(tree.left, key)
        return tree
    if key > tree.key:
        tree.right = delete(tree.right, key)
        return tree
    if tree.left is None:
        return tree.right
    if tree.right is None:
        return tree.left
    successor = tree.right
    while successor.left is not None:
        successor = successor.left
    tree.key = successor.key
    tree.right = delete(tree.right, successor.key)
    return tree


def keys(tree):
    if tree is None:
        return []
    return keys(tree.left) + [tree.key] + keys(tree.right)


low = Tree(2000, Tree(1000), Tree(3000))
root = Tree(5000, low, Tree(8000, Tree(7000)))
del low  # its parent still refers to it
root = delete(root, 1000)  # a leaf
root = delete(root, 8000)  # one child takes its place
root = delete(root, 5000)  # two children: the next larger key moves up
print(keys(root))
root = None  # freed: Tree
