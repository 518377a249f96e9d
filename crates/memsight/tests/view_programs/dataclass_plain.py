from dataclasses import dataclass, field, replace


@dataclass(order=True)
class Item:
    price: int
    name: str = "thing"
    tags: list = field(default_factory=list, compare=False)


cheap, dear = Item(1000), Item(9000, "ring", ["gold"])
cheap.tags.append("used")
print(cheap < dear, replace(dear, price=500), sorted([dear, cheap])[0])
