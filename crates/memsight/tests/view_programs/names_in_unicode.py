größe = 1000
名前 = ["väl"]
class Ñandú:
    π = 3.5
def ƒ(α, *, β=2000):
    return α + β
print(größe, 名前, Ñandú.π, ƒ(1), Ñandú.__name__)
