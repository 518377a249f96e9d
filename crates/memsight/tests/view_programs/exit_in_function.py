# exit: 7
def leave(code):
    try:
        raise SystemExit(code)
    finally:
        print("on the way out")


leave(7)
