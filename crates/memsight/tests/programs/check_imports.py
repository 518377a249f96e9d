"""Imports about sixty modules, so that modules import modules."""
import importlib

NAMES = """
argparse array ast base64 bisect calendar codecs collections concurrent.futures configparser contextlib copy csv
ctypes dataclasses datetime decimal difflib dis email email.mime.text enum fractions functools gettext glob gzip
hashlib heapq html.parser http.client http.server inspect io itertools json locale logging logging.handlers
mimetypes multiprocessing numbers operator optparse os pathlib pdb pickle pkgutil platform plistlib pprint queue
random re secrets selectors shelve shlex shutil socketserver sqlite3 ssl statistics string subprocess tarfile
tempfile textwrap threading timeit tokenize trace traceback types typing unittest unittest.mock urllib.request
uuid weakref wsgiref.simple_server xml.dom.minidom xml.etree.ElementTree xmlrpc.client zipfile
""".split()

count = 0
for name in NAMES:
    try:
        importlib.import_module(name)
        count += 1
    except ImportError:
        pass
assert count >= 60, count
