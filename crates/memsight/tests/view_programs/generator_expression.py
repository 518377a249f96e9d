words = ["heap", "stack", "frame"]
lengths = (len(word) for word in words)
print(next(lengths))
words.append("block-of-bytes")
print(list(lengths), any(word == "stack" for word in words), sum(len(word) for word in words))
