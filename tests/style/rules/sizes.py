# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sizes (S9): directions, not limits to game. What is honestly larger stands in tests/style/allow with its
reason and its size, so that it cannot grow unseen."""

import re

from tree import Allowed, functions, without_directives

FILE = 500
HEADER = 120
FUNCTION = 80
PARAMETERS = 7
NESTING = 3
INDENT = 8
CONTROL = re.compile(r'^( *)(?:\} else )?(?:if|for|while|switch|do|STRV_FOREACH)\b')


def deepest(function):
    """How many control statements stand within each other, and the line; read from the indentation, which
    clang-format holds, because single statements have no braces."""
    worst, where = 0, 0
    for number, line in enumerate(function.body.splitlines()):
        found = CONTROL.match(line)
        if found and len(found.group(1)) // INDENT > worst:
            worst, where = len(found.group(1)) // INDENT, function.first + number
    return worst, where


def measure(tree):
    """(rule, place, path, line, size, usual limit, what)"""
    for path in tree.all_c:
        count = len(tree.text(path).splitlines())
        header = path.endswith('.h') and path.startswith('src/')
        yield 'file', path, path, 1, count, HEADER if header else FILE, 'lines'
        for function in functions(without_directives(tree.code(path))):
            place = f'{path}:{function.name}'
            yield 'function', place, path, function.first, function.lines, FUNCTION, 'lines'
            yield 'parameters', place, path, function.first, len(function.parameters), PARAMETERS, 'parameters'
            depth, line = deepest(function)
            yield 'nesting', place, path, line, depth, NESTING, 'levels'
    for path in tree.matching('tests/*.py', 'tools/*'):
        if path.endswith('.py') or tree.text(path).startswith('#!'):
            yield 'file', path, path, 1, len(tree.text(path).splitlines()), FILE, 'lines'


def sizes(tree):
    allowed, needed = Allowed(tree), set()
    yield from allowed.problems
    for rule, place, path, line, size, usual, what in measure(tree):
        if size > usual:
            needed.add((rule, place))
        limit = allowed.limit(rule, place, usual)
        if size > limit:
            name = place.split(':')[-1] if ':' in place else 'the file'
            yield path, line, f'{name} has {size} {what}, {limit} is the limit: take it apart where the thought ' \
                              'does, or give a reason in tests/style/allow (S9)'
    yield from allowed.stale(('file', 'function', 'parameters', 'nesting'), needed)


RULES = {'sizes': sizes}
