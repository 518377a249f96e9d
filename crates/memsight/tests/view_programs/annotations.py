from __future__ import annotations

limit: int = 1000
later: Undefined
scale: float


class Config:
    size: int = 3
    names: list[str]


def grow(by: int = 2) -> list:
    kept: list = [by]
    return kept


print(sorted(__annotations__), Config.__annotations__["names"], grow(), "scale" in globals())
