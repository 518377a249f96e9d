name, amount = "pi-ish", 3.14159
print(f"{name!r:>10} {amount:.2f} {amount = :.1f} {{}}")
print("%-8s|%05d|%x" % (name, 42, 255), "{0[1]} {a.real}".format([1, 2], a=3000))
width = 6
print(f"{'x':{width}}|", f"{1234567:,}", format(0.5, "%"))
