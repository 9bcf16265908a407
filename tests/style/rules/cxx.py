# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls and constructs that have no place in this project (S4, S5, S6, S7, S8), headers that stand alone."""

import concurrent.futures
import os
import re
import subprocess

from tree import Allowed, CannotRun, closing, line_of, without_directives

EVERYWHERE = r'src/.*'
ASYNC = r'src/(daemon|worker|io)/.*'
QUIET = r'src/(base|codec|io|model|worker|daemon)/.*'

# (names, where, what to do instead)
FORBIDDEN = [
    ('strcpy strcat stpcpy strncpy strncat sprintf vsprintf gets strdupa strndupa alloca', EVERYWHERE,
     'use base/text, nothing that can overrun (S5)'),
    ('atoi atol atoll atof sscanf', EVERYWHERE, 'use base/scalar: strict, whole text, range checked'),
    ('strtok rand srand random mktemp tmpnam tempnam asctime ctime gmtime localtime strerror', EVERYWHERE,
     'not safe here, there is a reentrant or strict variant'),
    ('system popen execlp execvp execlpe', EVERYWHERE, 'no shell and no search path, start programs by io/process'),
    ('gethostbyname gethostbyname2 gethostbyaddr getaddrinfo getnameinfo res_query', EVERYWHERE,
     'name resolution blocks and is for libcurl in the worker (S8)'),
    ('curl_easy_perform curl_multi_poll curl_multi_wait', EVERYWHERE, 'blocks, use the multi handle on sd-event (S8)'),
    ('sleep usleep nanosleep clock_nanosleep poll select', r'src/(base|codec|io|model|worker|daemon)/.*',
     'blocks, use an sd-event source (S8)'),
    ('waitpid wait wait3 wait4', EVERYWHERE, 'use a pidfd with waitid (S8)'),
    ('sd_bus_call sd_bus_call_method sd_bus_get_property sd_bus_get_property_trivial sd_bus_get_property_string '
     'sd_bus_get_property_strv sd_bus_set_property sd_bus_request_name sd_bus_release_name sd_bus_add_match '
     'sd_bus_match_signal sd_bus_query_sender_creds sd_bus_query_sender_privilege sd_bus_get_name_creds', ASYNC,
     'waits for the bus, use the _async variant (S8)'),
    ('memset bzero', EVERYWHERE, 'wipe with explicit_bzero, initialise with = {} (S6)'),
    ('printf vprintf puts putchar perror', r'(?!src/(daemon|worker(/federation)?)/(main|options)\.c)' + QUIET,
     'log through base/log or return (S7)'),
    ('abort exit _exit', r'src/(base|codec|io|model)/.*', 'return an error, the program decides (S4)'),
    ('setenv putenv unsetenv', EVERYWHERE, 'nothing of ours lives in the environment (S6)'),
    ('strcmp_secret memcmp_secret', EVERYWHERE, 'secret_equal() (S6)'),
]


# The same for calls that are right on other streams, memory for example.
TERMINAL = re.compile(r'\b(v?fprintf|fputs|fputc|putc|fwrite|dprintf)\s*\([^;]*'
                      r'\b(stdout|stderr|STDOUT_FILENO|STDERR_FILENO)\b')
SPEAKERS = r'src/(base/log|(daemon|worker(/federation)?)/(main|options))\.c'


def terminal(tree):
    for path in tree.sources:
        if re.fullmatch(QUIET, path) and not re.fullmatch(SPEAKERS, path):
            code = without_directives(tree.code(path))
            for found in TERMINAL.finditer(code):
                yield path, line_of(code, found.start()), 'log through base/log or return, do not print (S7)'


def calls(tree):
    allowed, needed = Allowed(tree), set()
    for path in tree.sources:
        code = without_directives(tree.code(path))
        for names, where, instead in FORBIDDEN:
            if not re.fullmatch(where, path):
                continue
            for found in re.finditer(r'(?<![\w.>])(' + names.replace(' ', '|') + r')\s*\(', code):
                place = f'{path}:{found.group(1)}'
                needed.add(('call', place))
                if not allowed.limit('call', place, 0):
                    yield path, line_of(code, found.start()), f'{found.group(1)}(): {instead}'
    yield from allowed.stale(('call',), needed)


def goto(tree):
    for path in tree.all_c:
        code = tree.code(path)
        for found in re.finditer(r'\bgoto\b', code):
            yield path, line_of(code, found.start()), 'no goto, _cleanup_ does it (S5)'


GLOBAL = re.compile(r'(?!(?:inline|extern|typedef|return|else|struct \w+;|enum \w+;|union \w+;)\b)'
                    r'(\w[\w\s*]*?[\s*])(\w+)(\[[^]]*\])*\s*(=|;)')


def globals_(tree):
    """Mutable variables of file scope other than arg_* and the log level; clang-format keeps them at column 0."""
    for path in tree.matching('src/*.c'):
        code = without_directives(tree.code(path))
        for number, line in enumerate(code.splitlines(), 1):
            found = GLOBAL.match(line)
            if not found or path == 'src/base/log.c' or found.group(2).startswith('arg_'):
                continue
            words, name = found.group(1), found.group(2)
            forward = re.fullmatch(r'(struct|enum|union)\s+', words)
            if not forward and not re.search(r'\bconst\b', words.rsplit('*', 1)[-1]):
                yield path, number, f"'{name}' is a mutable global, only arg_* may be (S5)"


def project_enumerators(tree):
    """Values of named enums; those of anonymous ones (option numbers) are not meant."""
    found = set()
    for path in tree.sources:
        for body in re.finditer(r'\benum\s+\w+\s*\{([^}]*)\}', tree.code(path)):
            found.update(re.findall(r'^\s*([A-Z_][A-Z0-9_]*)\b', body.group(1), re.MULTILINE))
    return found


def enum_default(tree):
    known = project_enumerators(tree)
    for path in tree.all_c:
        code = tree.code(path)
        for found in re.finditer(r'\bswitch\s*\(', code):
            head = closing(code, found.end() - 1)
            opened = code.find('{', head)
            if opened < 0:
                continue
            body = code[opened:closing(code, opened)]
            default = re.search(r'\bdefault\s*:', body)
            if default and known.intersection(re.findall(r'\bcase\s+(\w+)\s*:', body)):
                yield path, line_of(code, opened + default.start()), \
                    'no default: over an enum of ours, or a new value goes unnoticed (S2)'


def vtables(tree):
    for path in tree.sources:
        code = tree.code(path)
        for found in re.finditer(r'\bSD_BUS_(METHOD|SIGNAL)(_WITH_NAMES|_WITH_OFFSET|_WITH_NAMES_OFFSET)?\s*\(', code):
            yield path, line_of(code, found.start()), \
                f'name the arguments: SD_BUS_{found.group(1)}_WITH_ARGS'


LIBRARIES = ('libsystemd', 'json-c', 'libcurl', 'gnutls', 'nettle', 'smartcols')


def headers_alone(tree):
    compiler = os.environ.get('CC', 'cc').split()
    flags = subprocess.run(['pkg-config', '--cflags', *LIBRARIES], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           stdin=subprocess.DEVNULL)
    common = [*compiler, '-std=gnu17', '-D_GNU_SOURCE', '-fsyntax-only', '-Wall', '-Werror', f'-I{tree.path("src")}',
              *flags.stdout.decode().split()]
    if tree.build:
        common.append(f'-I{tree.build}')

    def compiled(path):
        # Through a one-line file: compiling a header itself warns about "#pragma once in main file".
        return path, subprocess.run([*common, '-x', 'c', '-'], input=f'#include "{path[len("src/"):]}"\n', text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = list(pool.map(compiled, tree.matching('src/*.h')))
    except FileNotFoundError as error:
        raise CannotRun(f'no compiler: {error}') from error
    for path, result in results:
        if result.returncode != 0:
            said = next((line for line in result.stdout.splitlines() if 'error' in line), result.stdout[:200])
            yield path, 1, f'does not compile alone: {said.strip()}'
        if '#pragma once' not in tree.text(path):
            yield path, 1, 'wants #pragma once'


RULES = {'calls': calls, 'terminal': terminal, 'goto': goto, 'globals': globals_, 'enum-default': enum_default,
         'vtables': vtables, 'headers-alone': headers_alone}
