# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules that other programs know better: clang-format, shellcheck, codespell, reuse, rst2man, mandoc, ldd.

A program that is missing makes its rule say so and be skipped (77), never pass.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree

from tree import CannotRun

ANCHORS = re.compile(r'^(.*?):(\d+)(?::\d+)?:\s*(.*)$')


def need(*names):
    for name in names:
        if shutil.which(name):
            return name
    raise CannotRun(f'{names[0]} is not installed')


def run(tree, command, directory=None):
    return subprocess.run(command, cwd=directory or tree.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace')


def anchored(tree, output, only=None):
    """Turns "file:line:column: text" lines into problems."""
    for line in output.splitlines():
        found = ANCHORS.match(line)
        if found and (only is None or only in found.group(3)):
            path = os.path.relpath(os.path.join(tree.root, found.group(1)), tree.root)
            yield path, int(found.group(2)), found.group(3)


def clang_format(tree):
    program = need('clang-format')
    if not tree.all_c:
        return
    result = run(tree, [program, '--dry-run', '-Werror', *tree.all_c])
    seen = set()
    for path, line, _ in anchored(tree, result.stdout, 'error'):
        if path not in seen:
            seen.add(path)
            yield path, line, f'run: clang-format -i {path} (S1)'
    if result.returncode != 0 and not seen:
        yield '.clang-format', 1, result.stdout.strip()[:400]


def shells(tree):
    for path in tree.files:
        if path.endswith('.sh'):
            yield path
        elif '.' not in os.path.basename(path) and os.access(tree.path(path), os.X_OK) and \
                re.match(r'#!.*\b(ba|da)?sh\b', tree.text(path)):
            yield path


def shellcheck(tree):
    program, files = need('shellcheck'), list(shells(tree))
    if files:
        yield from anchored(tree, run(tree, [program, '-f', 'gcc', *files]).stdout)


def codespell(tree):
    program = need('codespell')
    files = [path for path in tree.files if not path.startswith(('LICENSES/', 'tests/fuzz/corpus'))]
    result = run(tree, [program, *(['--config', '.codespellrc'] if '.codespellrc' in tree.files else []), *files])
    yield from anchored(tree, result.stdout)


def reuse(tree):
    program = need('reuse')
    if not os.path.exists(tree.path('.git')):
        raise CannotRun('not a git tree, build directories cannot be told from sources')
    result = run(tree, [program, '--root', tree.root, 'lint'])
    if result.returncode != 0:
        yield '.reuse/dep5', 1, 'reuse lint: ' + ' / '.join(result.stdout.strip().splitlines()[:25])


def imported(node):
    """(name it is known by, line) of each import statement below a node."""
    for child in ast.walk(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            for name in child.names:
                yield (name.asname or name.name).split('.')[0], child.lineno


def python(tree):
    """Every Python file compiles, on the floor's grammar as well (3.9), and uses what it imports."""
    for path in tree.matching('*.py'):
        try:
            parsed = ast.parse(tree.text(path), path, feature_version=(3, 9))
        except SyntaxError as error:
            yield path, error.lineno or 1, str(error.msg)
            continue
        used = {node.id for node in ast.walk(parsed) if isinstance(node, ast.Name)}
        lines = tree.text(path).splitlines()
        if not path.endswith(('__init__.py', 'conftest.py')):
            for name, line in imported(parsed):
                if name not in used and '# noqa' not in lines[line - 1]:
                    yield path, line, f"'{name}' is imported and not used"
        for node in ast.walk(parsed):
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                yield path, node.lineno, 'name the exceptions, a bare except hides everything'


COLUMNS = {'.c': 109, '.h': 109, '.py': 120, '.sh': 120, '.build': 120, '.rst': 109}


def columns(tree):
    for path in tree.files:
        limit = COLUMNS.get(os.path.splitext(path)[1])
        if limit is None and path.startswith(('tools/', 'tests/')) and tree.text(path).startswith('#!'):
            limit = 120
        if limit:
            for number, line in enumerate(tree.text(path).splitlines(), 1):
                if len(line) > limit:
                    yield path, number, f'{len(line)} columns, {limit} is the limit (S1)'
                if line != line.rstrip() or '\t' in line:
                    yield path, number, 'no blanks at the end of a line, no tabs (S1)'


# How rst2man writes, which no source can change, and the date that would be in step with nothing.
OF_RST2MAN = ('missing date', 'skipping paragraph macro: sp after S', 'unknown font, skipping request: ft C')


def manuals(tree):
    """What docutils has to say about the source, and mandoc about the page."""
    rst2man, mandoc = need('rst2man', 'rst2man.py'), need('mandoc')
    for path in tree.matching('man/*.rst'):
        with tempfile.NamedTemporaryFile(prefix='pullauth-style-') as page:
            made = run(tree, [rst2man, '--halt=warning', '--strict', '--input-encoding=utf-8', path, page.name])
            if made.returncode != 0:
                yield from anchored(tree, made.stdout)
                continue
            for line in run(tree, [mandoc, '-T', 'lint', '-W', 'warning', page.name]).stdout.splitlines():
                if not any(words in line for words in OF_RST2MAN):
                    yield path, 1, re.sub(r'^mandoc: \S+?:', 'page:', line)


def xml(tree):
    for path in tree.matching('*.xml', '*.svg', 'polkit/*.policy*', 'dbus/*.conf'):
        try:
            ElementTree.fromstring(tree.text(path))
        except ElementTree.ParseError as error:
            yield path, error.position[0], f'not well-formed: {error}'


def built_program(tree, name):
    if not tree.build:
        raise CannotRun('no build directory given (--build)')
    described = os.path.join(tree.build, 'meson-info', 'intro-targets.json')
    try:
        with open(described, encoding='utf-8') as file:
            targets = json.load(file)
    except FileNotFoundError as error:
        raise CannotRun(f'not a meson build directory: {tree.build}') from error
    paths = [target['filename'][0] for target in targets if target['type'] == 'executable' and target['name'] == name]
    if not paths or not os.path.exists(paths[0]):
        raise CannotRun(f'{name} is not built')
    return paths[0]


def linkage(tree):
    """The resident daemon links neither the HTTP nor the TLS library, directly or through another."""
    program = built_program(tree, 'pullauthd')
    result = run(tree, ['ldd', program])
    if result.returncode != 0 or 'libsystemd' not in result.stdout:
        yield 'src/daemon/meson.build', 1, f'ldd says nothing of use about pullauthd: {result.stdout.strip()[:200]}'
    for library in ('libcurl', 'libgnutls', 'libssl', 'libcrypto.so'):
        if library in result.stdout and not needed_by_libsystemd(tree, result.stdout, library):
            yield 'src/daemon/meson.build', 1, f'pullauthd must not link {library} (S9)'


def needed_by_libsystemd(tree, listing, library):
    """Some distributions link libsystemd itself against libcrypto; that is not ours to change."""
    found = re.search(r'libsystemd\.so\S* => (\S+)', listing)
    return bool(found) and library in run(tree, ['ldd', found.group(1)]).stdout


RULES = {'clang-format': clang_format, 'shellcheck': shellcheck, 'codespell': codespell, 'reuse': reuse,
         'python': python, 'columns': columns, 'manuals': manuals, 'xml': xml, 'linkage': linkage}
