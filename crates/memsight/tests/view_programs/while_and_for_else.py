def first_factor(number):
    for factor in range(2, number):
        if number % factor == 0:
            break
    else:
        return None
    return factor


count = 0
while True:
    count += 1
    if count == 2:
        continue
    if count > 4:
        break
print(first_factor(91), first_factor(97), count)
