import json
import re

text = json.dumps({"rows": [1000, None, True], "name": "heap"}, sort_keys=True)
data = json.loads(text)
found = re.findall(r"(\w)(\d+)", "a1000 b2000")
print(data["rows"], found, re.sub(r"\d", lambda match: "#", text))
try:
    json.loads("{")
except json.JSONDecodeError as error:
    print(error.pos)
