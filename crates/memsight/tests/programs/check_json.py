"""Parses, writes and parses again, by the C code and by Python's own."""
import json
import json.encoder
import json.scanner
from json.decoder import JSONDecoder

rows = [{"name": str(number), "of": [number, None, {"deep": [number * 1.5] * 3}]} for number in range(120)]
text = json.dumps(rows, indent=1)
assert json.loads(text, object_hook=lambda found: dict(found)) == rows

decoder = JSONDecoder(object_pairs_hook=dict)
decoder.scan_once = json.scanner.py_make_scanner(decoder)
assert decoder.decode(text) == rows


class Encoder(json.JSONEncoder):
    def default(self, other):
        return {"kind": type(other).__name__, "all": list(other)}


json.encoder.c_make_encoder = None
assert len("".join(Encoder().iterencode([{1, 2}, {3}, rows[:50]]))) > 1000
