def fails():
    big = list(range(1000, 1040))
    raise RuntimeError(len(big))


saved = None
try:
    fails()
except RuntimeError as error:
    saved = error
print(len(saved.__traceback__.tb_next.tb_frame.f_locals["big"]))
saved = saved.with_traceback(None)
print(saved)
