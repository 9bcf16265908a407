# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files of a tree as the rules see them, and C text with comments and strings blanked out."""

import fnmatch
import functools
import os
import re
import subprocess

SKIPPED_DIRECTORIES = ('.git', '__pycache__', '.pytest_cache', '.cache')


class CannotRun(Exception):
    """A rule lacks what it needs on this machine; its text says what."""


class Tree:
    def __init__(self, root, build=None):
        self.root = root
        self.build = build

    @functools.cached_property
    def files(self):
        """Paths below the root: what git knows or would add, or everything where there is no git."""
        if os.path.exists(os.path.join(self.root, '.git')):
            listed = subprocess.run(
                ['git', '-c', f'safe.directory={self.root}', '-C', self.root, 'ls-files', '-z', '--cached', '--others',
                 '--exclude-standard'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if listed.returncode == 0:
                found = listed.stdout.decode().split('\0')
                return sorted({path for path in found if path and os.path.isfile(self.path(path))})
        found = []
        for directory, names, files in os.walk(self.root):
            names[:] = [name for name in names if name not in SKIPPED_DIRECTORIES and not name.startswith('build')]
            found += [os.path.relpath(os.path.join(directory, name), self.root) for name in files]
        return sorted(found)

    def path(self, path):
        return os.path.join(self.root, path)

    def matching(self, *patterns):
        return [path for path in self.files if any(fnmatch.fnmatch(path, pattern) for pattern in patterns)]

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        with open(self.path(path), encoding='utf-8', errors='replace') as file:
            return file.read()

    @functools.lru_cache(maxsize=None)
    def code(self, path):
        return mask(self.text(path))

    @property
    def sources(self):
        """C of the programs; tests have rules of their own."""
        return self.matching('src/*.c', 'src/*.h')

    @property
    def all_c(self):
        return self.matching('src/*.c', 'src/*.h', 'tests/*.c', 'tests/*.h')


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank(match):
    text = match.group()
    if text[0] in '"\'':
        return text[0] + ' ' * (len(text) - 2) + text[0]
    return re.sub(r'[^\n]', ' ', text)


def mask(text):
    """The same text, offsets kept, with the inside of comments, strings and characters made blanks."""
    return TOKEN.sub(blank, text)


def without_directives(code):
    """Preprocessor lines made blank, continuations with them."""
    return re.sub(r'^[ \t]*#(?:[^\n\\]|\\.|\\\n)*', lambda m: re.sub(r'[^\n]', ' ', m.group()), code,
                  flags=re.MULTILINE)


def comments(text):
    """(offset, text) of each comment."""
    return [(m.start(), m.group()) for m in TOKEN.finditer(text) if m.group().startswith('/')]


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def closing(code, offset):
    """The offset of the bracket that closes the one at `offset`, or the end of the text."""
    opened = code[offset]
    closed = {'(': ')', '{': '}', '[': ']'}[opened]
    depth = 0
    for position in range(offset, len(code)):
        if code[position] == opened:
            depth += 1
        elif code[position] == closed:
            depth -= 1
            if depth == 0:
                return position
    return len(code) - 1


def split_top(text):
    """Splits at commas that stand in no bracket."""
    parts, depth, begin = [], 0, 0
    for position, character in enumerate(text):
        if character in '([{':
            depth += 1
        elif character in ')]}':
            depth -= 1
        elif character == ',' and depth == 0:
            parts.append(text[begin:position])
            begin = position + 1
    parts.append(text[begin:])
    return [part.strip() for part in parts if part.strip()]


class Function:
    def __init__(self, name, parameters, first, last, body):
        self.name = name
        self.parameters = parameters
        self.first = first  # line of the opening brace
        self.last = last
        self.body = body    # masked text between the braces, with them

    @property
    def lines(self):
        return self.last - self.first + 1


SIGNATURE = re.compile(r'([A-Za-z_]\w*)\s*$')


def functions(code):
    """Function definitions of masked text."""
    code = without_directives(code)
    found, position, begin = [], 0, 0
    while True:
        opened = code.find('{', position)
        if opened < 0:
            return found
        closed = closing(code, opened)
        head = code[max(begin, code.rfind(';', 0, opened) + 1):opened].rstrip()
        if head.endswith(')') and '=' not in head:
            bracket = matching_open(head)
            name = SIGNATURE.search(head[:bracket])
            parameters = [p for p in split_top(head[bracket + 1:-1]) if p != 'void']
            if name:
                found.append(Function(name.group(1), parameters, line_of(code, opened), line_of(code, closed),
                                      code[opened:closed + 1]))
        position = begin = closed + 1


def matching_open(head):
    depth = 0
    for position in range(len(head) - 1, -1, -1):
        if head[position] == ')':
            depth += 1
        elif head[position] == '(':
            depth -= 1
            if depth == 0:
                return position
    return 0


class Allowed:
    """tests/style/allow: the exceptions, each with its reason. An entry that nothing needs is itself an error."""

    def __init__(self, tree, path='tests/style/allow'):
        self.path = path
        self.entries = {}
        self.problems = []
        self.used = set()
        if path not in tree.files:
            return
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if not line.strip() or line.startswith('#'):
                continue
            parts = line.split(None, 3)
            if len(parts) < 4 or not parts[2].isdigit() or len(parts[3].split()) < 4:
                self.problems.append((path, number, 'write "rule place limit reason", the reason as a sentence'))
                continue
            self.entries[(parts[0], parts[1])] = (int(parts[2]), number)

    def limit(self, rule, place, usual):
        entry = self.entries.get((rule, place))
        if not entry:
            return usual
        self.used.add((rule, place))
        return entry[0]

    def stale(self, rules, needed):
        """Problems for entries of these rules that no longer except anything."""
        return [(self.path, number, f'nothing needs the exception for {place} any more, remove it')
                for (rule, place), (_, number) in self.entries.items()
                if rule in rules and (rule, place) not in needed]
