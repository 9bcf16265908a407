# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads manual pages (man/NAME.SECTION.rst) as far as tests need it: their items, each a term with what it means
indented below it, the sections these stand in, and their examples. No docutils: the form is that of man/README.md."""

import collections
import re

# names: what the term has in bold, which is what it defines; term: without markup.
Item = collections.namedtuple('Item', 'path line section names term body')

# kind: "file" (argument: its path) or "run".
Example = collections.namedtuple('Example', 'path line name kind argument text')
MARK = re.compile(r'\.\. example: ([a-z0-9-]+) (file|run)(?: (\S+))?')

BOLD = re.compile(r'\*\*(.+?)\*\*')


def plain(text):
    """Without the markup that the form uses."""
    return re.sub(r'\\(.)', r'\1', re.sub(r'\\ |\*\*|(?<!\\)\*', '', text))


def indent(line):
    return len(line) - len(line.lstrip())


def underlined(lines, number):
    """A title whose underline is the next line."""
    return (number + 1 < len(lines) and lines[number].strip() and not lines[number].startswith(' ')
            and re.fullmatch(r'(=+|-+)', lines[number + 1]) and len(lines[number + 1]) == len(lines[number].rstrip()))


def body_of(lines, number):
    """The lines below a term, to the next one that is indented as little as it."""
    end = number + 1
    while end < len(lines) and (not lines[end].strip() or indent(lines[end]) > indent(lines[number])):
        end += 1
    return lines[number + 1:end]


def items(path, text):
    """The outermost items of a page. Below a title of the second level, `section` is "FIRST / second"."""
    lines, first, section, number = text.splitlines(), '', '', 0
    while number < len(lines):
        line = lines[number]
        if underlined(lines, number):
            first = line if lines[number + 1][0] == '=' else first
            section = line if lines[number + 1][0] == '=' else f'{first} / {line}'
            number += 2
            continue
        if line.startswith('.. ') or line.rstrip().endswith('::'):
            number += 1 + len(body_of(lines, number))
            continue
        below = lines[number + 1] if number + 1 < len(lines) else ''
        if line.strip() and indent(line) == 0 and indent(below) > 0 and below.strip():
            body = body_of(lines, number)
            yield Item(path, number + 1, section, BOLD.findall(line), plain(line), '\n'.join(body))
            number += 1 + len(body)
            continue
        number += 1


def examples(path, text):
    """The literal blocks that a line `.. example: NAME file PATH` or `.. example: NAME run` stands before."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not line.lstrip().startswith('.. example:'):
            continue
        mark = MARK.fullmatch(line.strip())
        assert mark and lines[number + 1:number + 4:2] == ['', ''] and lines[number + 2].strip() == '::', \
            f'{path}:{number + 1}: write ".. example: NAME file PATH" or ".. example: NAME run", a blank line and "::"'
        block = body_of(lines, number + 2)
        margin = min(indent(part) for part in block if part.strip())
        yield Example(path, number + 4, *mark.groups(), '\n'.join(part[margin:] for part in block).strip('\n') + '\n')
