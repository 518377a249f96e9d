operations = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b}
compose = lambda f, g: lambda x: f(g(x))
double_then_text = compose(str, lambda x: x * 2)
print(operations["add"](1000, 1), operations["sub"](1000, 1), double_then_text(2100))
print((lambda *a, **k: (a, k))(1, b=2))
