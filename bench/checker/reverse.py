"""Makes wasteful code of thrifty code: the opposite of what the checker's fixes do.

Natural sites for safe fixes are few. This rewrites a generator to a list where
all of it is consumed at once, a set or dict comprehension to a call of a list,
and `islice` to a slice; the fixes must then bring back what was there.
"""

import ast
import dataclasses

EATERS = {"sum", "min", "max", "set", "frozenset", "tuple", "dict", "any", "all"}


@dataclasses.dataclass(frozen=True)
class Rewrite:
    """A part of a text, in bytes, and what is put in its place."""

    start: int
    end: int
    text: bytes


def candidates(source):
    """Every place that can be rewritten, none within another, in the order of the text."""
    lines = [0]
    for line in source.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))

    def at(line, column):
        return lines[line - 1] + column

    def span(node):
        return at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)

    found = []
    for node in ast.walk(ast.parse(source)):
        found.extend(_of_node(node, source, span))
    found.sort(key=lambda rewrite: (rewrite.start, -rewrite.end))
    apart, end = [], 0
    for rewrite in found:
        if rewrite.start >= end:
            apart.append(rewrite)
            end = rewrite.end
    return apart


def _of_node(node, source, span):
    match node:
        case ast.Call(func=ast.Name(id=name), args=[ast.GeneratorExp() as generator, *_]) if name in EATERS:
            start, end = span(generator)
            text = source[start:end]
            # A lone generator's span is that of the call's parentheses.
            inner = text[1:-1] if text.startswith(b"(") and text.endswith(b")") else text
            alone = len(node.args) == 1 and not node.keywords
            yield Rewrite(start, end, b"([" + inner + b"])" if alone else b"[" + inner + b"]")
        case ast.SetComp():
            start, end = span(node)
            yield Rewrite(start, end, b"set([" + source[start + 1 : end - 1] + b"])")
        case ast.DictComp():
            start, end = span(node)
            key, value = (source[slice(*span(part))] for part in (node.key, node.value))
            rest = source[span(node.value)[1] : end - 1]
            if rest.lstrip().startswith((b"for", b"async")):
                yield Rewrite(start, end, b"dict([(" + key + b", " + value + b") " + rest.lstrip() + b"])")
        case ast.Call(func=ast.Name(id="islice") | ast.Attribute(attr="islice"), args=[of, *bounds]):
            if 1 <= len(bounds) <= 2 and not node.keywords and isinstance(of, ast.Name):
                start, end = span(node)
                parts = [source[slice(*span(part))] for part in bounds]
                parts = [b"" if part == b"None" else part for part in parts]
                inside = b":".join(parts) if len(parts) == 2 else b":" + parts[0]
                yield Rewrite(start, end, source[slice(*span(of))] + b"[" + inside + b"]")


def apply(source, rewrites):
    """The text with rewrites made."""
    out, at = [], 0
    for rewrite in rewrites:
        out += [source[at : rewrite.start], rewrite.text]
        at = rewrite.end
    return b"".join([*out, source[at:]])


def spans_after(rewrites):
    """Where each rewrite stands in the text that `apply` gives."""
    shift = 0
    for rewrite in rewrites:
        start = rewrite.start + shift
        yield start, start + len(rewrite.text)
        shift += len(rewrite.text) - (rewrite.end - rewrite.start)
