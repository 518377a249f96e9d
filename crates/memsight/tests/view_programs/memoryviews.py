buffer = bytearray(b"0123456789")
view = memoryview(buffer)
part = view[2:5]
part[0] = ord("x")
print(buffer, part.tobytes(), view.nbytes)
try:
    buffer.append(1)
except BufferError:
    print("held by a view")
part.release()
view.release()
buffer.append(33)
print(buffer)
