# exit: 1
# stderr: yes
def half(number):
    print("half of", number)
    return 1000 / number


print(half(2))
print(half(0))
