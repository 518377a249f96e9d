def move(count, source, target, spare):
    if count == 0:
        return 0
    moves = move(count - 1, source, spare, target)
    target.append(source.pop())
    return moves + 1 + move(count - 1, spare, target, source)


pegs = [[3, 2, 1], [], []]
print(move(3, pegs[0], pegs[2], pegs[1]), pegs)
