"""A module that `import_sibling.py` imports."""

count = 1
made = None


class Shared:
    def __init__(self, items):
        global made
        made = self
        self.items = items

    def doubled(self):
        return self.items * 2
