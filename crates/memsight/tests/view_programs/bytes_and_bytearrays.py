data = b"head" + bytes(3)
buffer = bytearray(data)
buffer[0:1] = b"HHH"
buffer.extend(range(3))
print(data, buffer, buffer.hex())
del buffer[:5]
print(bytes(buffer), int.from_bytes(data[:2], "big"))
