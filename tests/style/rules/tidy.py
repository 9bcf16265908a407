# SPDX-License-Identifier: LGPL-2.1-or-later
"""clang-tidy, which takes minutes for the whole tree, so what it found clean is remembered.

A source is clean as long as everything is the same that clang-tidy reads: the source, each header down to those of the
system, how it is compiled, the checks, clang-tidy itself. Only their hash is kept, in an empty file in the place where
tests keep what is dear to make; sources with findings are looked at each time.
"""

import concurrent.futures
import functools
import hashlib
import json
import os
import shlex
import shutil
import sys
import time

import keep
from rules.tools import anchored, need, run
from tree import CannotRun

OPTIONS = ('--quiet', '--warnings-as-errors=*', '--extra-arg=-Wno-unknown-warning-option')
KEPT_SECONDS = 30 * 86400
# What the compiler writes, which telling the headers of a source must not do.
OUTPUTS, OUTPUTS_WITH_NAME = ('-c', '-MD', '-MMD'), ('-o', '-MF', '-MQ', '-MT')


@functools.lru_cache(maxsize=None)
def digest_as_of(path, changed, size):
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def digest(path):
    """Read once as long as it does not change: most headers are of most sources."""
    found = os.stat(path)
    return digest_as_of(path, found.st_mtime_ns, found.st_size)


def headers_command(clang, command):
    """The same compilation, that does nothing but tell which files it reads."""
    words, told = shlex.split(command), [clang, '-M', '-w', '-Wno-unknown-warning-option']
    while words and os.path.basename(words[0]) == 'ccache':
        words.pop(0)
    words = iter(words[1:])
    for word in words:
        if word in OUTPUTS_WITH_NAME:
            next(words, None)
        elif word not in OUTPUTS:
            told.append(word)
    return told


class Memory:
    """Of what was found clean. Knows nothing where there is no place for it, or no clang that tells the headers."""

    def __init__(self, tree, program):
        place, self.clang = keep.place(), shutil.which('clang')
        self.place = os.path.join(place, 'tidy') if place and self.clang else None
        self.tree = tree
        binary = os.path.realpath(shutil.which(program))
        self.common = [run(tree, [program, '--version']).stdout, str(os.stat(binary).st_size), *OPTIONS]
        for path in tree.matching('.clang-tidy', '*/.clang-tidy'):
            self.common += [path, tree.text(path)]
        if self.place:
            os.makedirs(self.place, exist_ok=True)
            self.forget()

    def forget(self):
        for entry in os.scandir(self.place):
            try:
                if entry.stat().st_mtime < time.time() - KEPT_SECONDS:
                    os.unlink(entry.path)
            except FileNotFoundError:  # another run forgets, too
                pass

    def key(self, commands):
        """Of all that is read for one source, or None if that cannot be told."""
        if not self.place:
            return None
        parts = [*self.common]
        for command in commands:
            told = run(self.tree, headers_command(self.clang, command['command']), command['directory'])
            _, colon, paths = told.stdout.replace('\\\n', ' ').partition(': ')
            if told.returncode != 0 or not colon:
                return None
            parts.append(command['command'])
            try:
                for path in paths.split():
                    parts += [path, digest(os.path.join(command['directory'], path))]
            except OSError:
                return None
        return hashlib.sha256('\0'.join(parts).encode()).hexdigest()

    def knows(self, key):
        try:
            os.utime(os.path.join(self.place, key))
            return True
        except FileNotFoundError:
            return False

    def learn(self, key):
        with open(os.path.join(self.place, key), 'w', encoding='utf-8'):
            pass


def look(tree, program, path):
    result = run(tree, [program, '-p', tree.build, *OPTIONS, path])
    told = [line for line in result.stdout.splitlines() if ' error: ' in line or ' warning: ' in line]
    # Some paths are told as the compiler was given them, relative to the build directory.
    told = [os.path.join(tree.build, line) if line.startswith('../') else line for line in told]
    problems = list(anchored(tree, '\n'.join(told)))
    if result.returncode != 0 and not problems:
        problems.append((path, 1, result.stdout.strip()[-400:] or f'clang-tidy ended with {result.returncode}'))
    return problems


def judge(tree, program, memory, path, commands):
    """The problems of a source, and whether it had to be looked at."""
    key = memory.key(commands)
    if key and memory.knows(key):
        return [], False
    problems = look(tree, program, path)
    # A file that changed under the eyes of clang-tidy would be taken for what it was.
    if key and not problems and memory.key(commands) == key:
        memory.learn(key)
    return problems, True


def clang_tidy(tree):
    """One process a file, as many at a time as there are processors."""
    program = need('clang-tidy')
    if not tree.build or not os.path.exists(os.path.join(tree.build, 'compile_commands.json')):
        raise CannotRun('no compile_commands.json (--build)')
    with open(os.path.join(tree.build, 'compile_commands.json'), encoding='utf-8') as file:
        entries = json.load(file)
    commands = {}
    for entry in entries:
        commands.setdefault(os.path.realpath(os.path.join(entry['directory'], entry['file'])), []).append(entry)
    known = {path: commands.get(os.path.realpath(tree.path(path))) for path in tree.matching('src/*.c')}
    known = {path: how for path, how in known.items() if how}
    if not known:
        raise CannotRun('the build directory compiles none of these files')
    memory = Memory(tree, program)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda item: judge(tree, program, memory, *item), known.items()))
    print(f'clang-tidy: looked at {sum(looked for _, looked in found)} of {len(known)} files, '
          'the others were clean before and are the same', file=sys.stderr)
    yield from {problem for problems, _ in found for problem in problems}  # headers are seen more than once


RULES = {'clang-tidy': clang_tidy}
