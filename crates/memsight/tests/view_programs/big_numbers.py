power = 3**200
print(power % 1000007, power.bit_length(), -power // 7 % 1000)
power >>= 250
power += 1
print(power, 10**18 + 0.5, complex(1000, -2) * 2j, 0.1 + 0.2)
from fractions import Fraction

print(Fraction(1, 3) + Fraction(1, 6))
