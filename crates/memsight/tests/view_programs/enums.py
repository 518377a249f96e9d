import enum


class Color(enum.Enum):
    RED = 1000
    GREEN = 2000
    ALSO_RED = 1000


class Access(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


print(Color(1000).name, Color["GREEN"].value, Color.ALSO_RED is Color.RED, len(Color))
print((Access.READ | Access.WRITE).value, Access.READ in (Access.READ | Access.WRITE))
