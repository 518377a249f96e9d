from dataclasses import FrozenInstanceError, asdict, dataclass


@dataclass(frozen=True)
class Key:
    row: int
    column: int


table = {Key(1000, 2000): "here"}
print(table[Key(1000, 2000)], asdict(Key(1, 2)))
try:
    Key(1, 2).row = 5
except FrozenInstanceError as error:
    print(error)
