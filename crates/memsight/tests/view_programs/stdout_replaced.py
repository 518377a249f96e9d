import contextlib
import io
import sys

caught = io.StringIO()
with contextlib.redirect_stdout(caught):
    print("inside")
sys.stdout.write("got " + caught.getvalue())
