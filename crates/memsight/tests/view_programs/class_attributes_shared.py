class Shelf:
    books = []
    owner = "nobody"

    def put(self, book):
        self.books.append(book)


one, two = Shelf(), Shelf()
one.put("red")
two.owner = "me"
print(two.books, one.owner, two.owner, "books" in vars(one))
