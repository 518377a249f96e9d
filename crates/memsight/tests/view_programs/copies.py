import copy

inner = [1000, 2000]
outer = {"one": inner, "two": inner}
shallow = copy.copy(outer)
deep = copy.deepcopy(outer)
inner.append(3000)
print(shallow["one"] is inner, deep["one"], deep["one"] is deep["two"])
loop = []
loop.append(loop)
again = copy.deepcopy(loop)
print(again[0] is again)
again.clear()
loop.clear()
