# exit: 1
# stderr: yes
import sys

sys.exit("a message instead of a number")
