import _sibling
from _sibling import Shared as Renamed

_sibling.count += 1
shared = Renamed([1000])
print(_sibling.count, shared.doubled(), _sibling.made is shared)
