class Squares:
    def __len__(self):
        return 4

    def __getitem__(self, place):
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        if place >= len(self):
            raise IndexError(place)
        return place * place


squares = Squares()
print(list(squares), squares[1:3], 9 in squares, list(reversed(squares)))
