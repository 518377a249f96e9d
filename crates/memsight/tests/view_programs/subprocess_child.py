# stdout: partly
import subprocess
import sys

done = subprocess.run([sys.executable, "-c", "print('child', 6 * 7)"], stdout=subprocess.PIPE)
print(done.returncode, done.stdout.decode().strip())
sys.stdout.flush()
print(subprocess.call([sys.executable, "-c", "print('direct'); raise SystemExit(4)"]))
