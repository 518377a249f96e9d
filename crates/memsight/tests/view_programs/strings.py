text = "heap"
text += " and "
text = text * 2
print(text.split(), text.replace("heap", "stack"), text[::-1])
wide = "Größe €"
wide += "\N{SNOWMAN}\U0001f40d"
print(len(wide), wide.encode("unicode_escape"), wide[2:5].encode("utf-8"))
print("".join(chr(ord(letter) + 1) for letter in "HAL"), "ab" "cd")
