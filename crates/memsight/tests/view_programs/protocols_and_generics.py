from typing import Generic, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


@runtime_checkable
class Closable(Protocol):
    def close(self) -> None:
        ...


class Box(Generic[T]):
    def __init__(self, item: T) -> None:
        self.item: T = item

    def close(self) -> None:
        del self.item


box: Box[int] = Box(1000)
print(isinstance(box, Closable), box.item)
box.close()
print(hasattr(box, "item"))
