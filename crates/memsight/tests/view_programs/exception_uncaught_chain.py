# exit: 1
# stderr: yes
try:
    int("twelve")
except ValueError as error:
    raise RuntimeError("no number") from error
