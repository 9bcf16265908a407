# SPDX-License-Identifier: LGPL-2.1-or-later
"""Manuals, policy and journal catalog in step with the sources (S12). The sources say what exists; whatever a
user can write, call or read has to stand in its manual."""

import re

from tree import closing, line_of

# Section of a configuration file → the manual that explains its keys.
MANUALS = {'Job': 'pullauth.job', 'Identity': 'pullauth.identity', 'Target': 'pullauth.target'}
DAEMON_CONF = 'pullauthd.conf'


def manual(tree, stem):
    """The text of all manuals whose file names begin with `stem`, without markup that splits words."""
    return re.sub(r'\\ |\*\*', '', '\n'.join(tree.text(path) for path in tree.matching(f'man/{stem}*.rst')))


def missing(tree, stem, items):
    """Problems for each (path, line, what, pattern) whose pattern is not in the manual."""
    text = manual(tree, stem)
    for path, line, what, pattern in items:
        if not re.search(pattern, text):
            yield path, line, f'{what} is not in man/{stem}*' + ('' if text else ', which is not there at all')


def tables(tree, type_name, paths):
    """(path, line, body, offset) of each array of this type."""
    for path in paths:
        text, code = tree.text(path), tree.code(path)
        for found in re.finditer(r'\b' + type_name + r'\s+\w+\[[^]]*\]\s*=\s*\{', code):
            opened = found.end() - 1
            yield path, text, opened, text[opened:closing(code, opened) + 1]


def keys(tree):
    by_manual = {}
    for path, text, opened, body in tables(tree, 'ConfKey', tree.matching('src/*.c')):
        for row in re.finditer(r'\{\s*"(\w+)",\s*"(\w+)"', body):
            stem = MANUALS.get(row.group(1), DAEMON_CONF)
            item = (path, line_of(text, opened + row.start()), f'{row.group(2)}= of [{row.group(1)}]',
                    r'\b' + row.group(2) + '=')
            by_manual.setdefault(stem, []).append(item)
    for path, text, opened, body in tables(tree, 'IdentityKey', tree.matching('src/*.c')):
        for row in re.finditer(r'\{\s*"(\w+)",', body):
            item = (path, line_of(text, opened + row.start()), f'{row.group(1)}= of [Identity]',
                    r'\b' + row.group(1) + '=')
            by_manual.setdefault(MANUALS['Identity'], []).append(item)
    for stem, items in by_manual.items():
        yield from missing(tree, stem, items)


def verbs(tree):
    items = []
    for path, text, opened, body in tables(tree, 'Verb', tree.matching('src/ctl/*.c')):
        for row in re.finditer(r'\{\s*"([a-z][a-z-]*)"', body):
            items.append((path, line_of(text, opened + row.start()), f"verb '{row.group(1)}'",
                          r'(?<![\w-])' + row.group(1) + r'(?![\w-])'))
    yield from missing(tree, 'pullauthctl', items)


def options(tree):
    stems = {'ctl': 'pullauthctl', 'daemon': 'pullauthd', 'worker': 'pullauth-worker', 'kubelet': 'pullauth-credential',
             'helper': 'docker-credential-pullauth'}
    for directory, stem in stems.items():
        items = []
        for path, text, opened, body in tables(tree, r'struct option', tree.matching(f'src/{directory}/*.c')):
            for row in re.finditer(r'\{\s*"([a-z][a-z-]*)"', body):
                items.append((path, line_of(text, opened + row.start()), f'option --{row.group(1)}',
                              '--' + row.group(1) + r'(?![\w-])'))
        yield from missing(tree, stem, items)


def reasons(tree):
    path = 'src/base/failure.h'
    if path not in tree.files:
        return
    text = tree.text(path)
    items = [(path, line_of(text, found.start()), f"reason '{found.group(1).lower().replace('_', '-')}'",
              r'(?<![\w-])' + found.group(1).lower().replace('_', '-') + r'(?![\w-])')
             for found in re.finditer(r'^\s+REASON_([A-Z_]+),', text, re.MULTILINE) if found.group(1) != 'NONE']
    yield from missing(tree, 'pullauthd', items)
    yield from failures(tree, items)


FAILURES = 'docs/failures.md'


def failures(tree, items):
    """docs/failures.md has one row `| `reason` | …` for each reason and none for another."""
    rows = {}
    if FAILURES in tree.files:
        for number, line in enumerate(tree.text(FAILURES).splitlines(), 1):
            found = re.match(r'\| `([a-z][a-z-]*)` \|(.*)\|$', line)
            if found and found.group(1) in rows:
                yield FAILURES, number, f"'{found.group(1)}' stands there twice"
            if found:
                rows[found.group(1)] = number
                if any(not cell.strip() for cell in found.group(2).split('|')):
                    yield FAILURES, number, 'a cell is empty'
    known = {what.split("'")[1]: (path, line) for path, line, what, _ in items}
    for reason, (path, line) in known.items():
        if reason not in rows:
            yield path, line, f"reason '{reason}' has no row in {FAILURES}"
    for reason, number in rows.items():
        if reason not in known:
            yield FAILURES, number, f"there is no reason '{reason}'"


def actions(tree):
    """polkit actions: the policy, the rules in the sources, and the manual of the bus interface."""
    declared = {}
    for path in tree.matching('polkit/*.policy*'):
        text = tree.text(path)
        for found in re.finditer(r'<action id="([\w.-]+)"', text):
            declared[found.group(1)] = (path, line_of(text, found.start()))
    used = {}
    for path in tree.matching('src/daemon/*.c', 'src/daemon/*.h'):
        text = tree.text(path)
        for found in re.finditer(r'"(org\.pullauth1\.[a-z][a-z-]*)"', text):
            used.setdefault(found.group(1), (path, line_of(text, found.start())))
    for action, (path, line) in used.items():
        if action not in declared:
            yield path, line, f'action {action} is in no polkit/*.policy'
    if used:
        for action, (path, line) in declared.items():
            if action not in used:
                yield path, line, f'action {action} is asked for nowhere in src/daemon'
    items = [(path, line, f'action {action}', re.escape(action)) for action, (path, line) in declared.items()]
    yield from missing(tree, 'org.pullauth1', items)


MEMBER = re.compile(r'\bSD_BUS_(METHOD_WITH_ARGS|SIGNAL_WITH_ARGS|PROPERTY|WRITABLE_PROPERTY)\(\s*"(\w+)"')


def members(tree):
    """Public ones: the daemon's. The private door between the processes is no API and has no manual."""
    items = []
    for path in tree.matching('src/daemon/*.c'):
        text = tree.text(path)
        for found in MEMBER.finditer(text):
            items.append((path, line_of(text, found.start()), f'D-Bus member {found.group(2)}',
                          r'\b' + found.group(2) + r'\b'))
    yield from missing(tree, 'org.pullauth1', items)


def catalog(tree):
    """Each MESSAGE_ID of the sources is in the journal catalog and in a manual, and the other way round."""
    known, used = {}, {}
    for path in tree.matching('units/*.catalog*'):
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            found = re.match(r'-- ([0-9a-f]{32})$', line)
            if found:
                known[found.group(1)] = (path, number)
    for path in tree.sources:
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if 'MESSAGE_' in line:
                for found in re.findall(r'"(?:MESSAGE_ID=)?([0-9a-f]{32})"', line):
                    used[found] = (path, number)
                parts = re.search(r'SD_ID128_MAKE(?:_STR)?\(([0-9a-f, ]+)\)', line)
                if parts:
                    used[parts.group(1).replace(',', '').replace(' ', '')] = (path, number)
    text = manual(tree, 'pullauthd')
    for number, (path, line) in used.items():
        if number not in text:
            yield path, line, f'message {number} is not in man/pullauthd*'
        if number not in known:
            yield path, line, f'message {number} has no entry in units/*.catalog'
    for number, (path, line) in known.items():
        if number not in used:
            yield path, line, f'no source sends message {number}'


RULES = {'docs-keys': keys, 'docs-verbs': verbs, 'docs-options': options, 'docs-reasons': reasons,
         'docs-actions': actions, 'docs-members': members, 'docs-catalog': catalog}
