"""A program that imports much of the standard library and does nothing with it."""

import importlib

import _bench  # noqa: F401

MODULES = """
    argparse ast asyncio base64 bdb bisect bz2 calendar cmd code codecs colorsys
    compileall concurrent.futures configparser contextlib copy csv ctypes dataclasses
    datetime decimal difflib dis doctest email.message email.mime.multipart
    email.mime.text enum filecmp fileinput fractions ftplib functools getpass gettext
    glob graphlib gzip hashlib heapq hmac html.parser http.client http.cookiejar
    http.server imaplib inspect ipaddress json logging.config logging.handlers lzma
    mailbox mimetypes modulefinder multiprocessing.pool netrc optparse pathlib pdb
    pickle pickletools platform plistlib poplib pprint profile pstats pyclbr pydoc
    queue random sched secrets selectors shelve shlex shutil smtplib socketserver
    sqlite3 ssl statistics string subprocess symtable tarfile tempfile textwrap
    timeit tokenize trace tracemalloc typing unittest unittest.mock urllib.request
    uuid venv wave weakref xml.dom.minidom xml.etree.ElementTree xmlrpc.client
    zipapp zipfile
""".split()


def bring_in(names):
    missing = []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:  # an interpreter built without the library behind it
            missing.append(name)
    return missing


print(len(MODULES), "modules, missing:", bring_in(MODULES))
