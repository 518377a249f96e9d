"""Writes programs with a call of `__look__` before each simple statement, on the same line.

    instrument.py LOOK.py OUT_FOLDER PROGRAM...
"""
import ast
import os
import sys

SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Delete, ast.Raise, ast.Assert)


def looked_at(tree):
    """Simple statements that stand first on their line and are no docstring."""
    lines = set()
    for node in ast.walk(tree):
        if isinstance(node, SIMPLE) and node.lineno not in lines:
            if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                lines.add(node.lineno)
                yield node.lineno, node.col_offset


def instrumented(source, look):
    lines = source.splitlines(keepends=True)
    for line, column in looked_at(ast.parse(source)):
        text = lines[line - 1]
        lines[line - 1] = "%s__look__(%d); %s" % (text[:column], line, text[column:])
    prologue = "exec(compile(open(%r).read(), '<look>', 'exec'), {}); " % look
    return prologue + "".join(lines)


def main():
    look, out, *programs = sys.argv[1:]
    for program in programs:
        with open(program, encoding="utf-8") as file:
            text = instrumented(file.read(), look)
        with open(os.path.join(out, os.path.basename(program)), "w", encoding="utf-8") as file:
            file.write(text)


main()
