# SPDX-License-Identifier: LGPL-2.1-or-later
"""Manuals, policy and journal catalog in step with the sources (S12). The sources say what exists; whatever a
user can write, call or read is an item of its manual, once, and says since when it is there. An item of something that
does not exist is an error as well.
"""

import re
import xml.etree.ElementTree as ElementTree

from manual import items
from tree import closing, line_of

# Section of a configuration file → the manual that explains its keys.
MANUALS = {'Job': 'pullauth.job.5', 'Exchange': 'pullauth.job.5', 'Identity': 'pullauth.identity.5',
           'Target': 'pullauth.target.5', 'Kubernetes': 'pullauth.target.5'}
DAEMON_CONF = 'pullauthd.conf.5'
# Directory of a program → its manual.
PROGRAMS = {'ctl': 'pullauthctl.1', 'daemon': 'pullauthd.service.8', 'worker': 'pullauth-worker.8',
            'kubelet': 'pullauth-credential-provider.1', 'helper': 'docker-credential-pullauth.1'}
CONTROL, DAEMON, INTERFACE = 'pullauthctl.1', 'pullauthd.service.8', 'org.pullauth1.5'
SINCE = re.compile(r'Added in version (\d+)\.(\d+)\.(?!\d)')


def page(tree, name, section, pattern):
    """Items of a manual, in sections that begin with `section`, one of whose names is of the form `pattern`:
    (item, those names)."""
    path = f'man/{name}.rst'
    if path not in tree.files:
        return
    for item in items(path, tree.text(path)):
        names = [found for found in item.names if re.fullmatch(pattern, found)]
        if item.section.startswith(section) and names:
            yield item, names


def version(tree):
    found = re.search(r"version : '(\d+)\.(\d+)", tree.text('meson.build'))
    return int(found.group(1)), int(found.group(2))


def since(tree, item):
    found = SINCE.findall(re.sub(r'\s+', ' ', item.body))
    what = ' '.join(item.names)
    if len(found) != 1:
        yield item.path, item.line, f'{what}: say "Added in version X.Y." once, it is there {len(found)} times'
    elif (int(found[0][0]), int(found[0][1])) > version(tree):
        yield item.path, item.line, f'{what}: version {".".join(found[0])} is not there yet'


def in_step(tree, name, section, pattern, known, with_since=True):
    """Problems where `known` (name → (path, line, what it is)) and the items of a manual differ. In another section a
    name may be something else, as keys are of different sources of identities."""
    seen = {}
    for item, names in page(tree, name, section, pattern):
        for found in names:
            if (found, item.section) in seen:
                yield item.path, item.line, f"'{found}' is explained in line {seen[found, item.section]} already"
            if found not in known:
                yield item.path, item.line, f"'{found}' is explained, but there is no such thing"
            seen[found, item.section] = item.line
        if with_since:
            yield from since(tree, item)
    explained = {found for found, _ in seen}
    for found, (path, line, what) in known.items():
        if found not in explained:
            yield path, line, f'{what} is not in man/{name}.rst, section {section or "any"}'


def tables(tree, type_name, paths):
    """(path, line, body, offset) of each array of this type."""
    for path in paths:
        text, code = tree.text(path), tree.code(path)
        for found in re.finditer(r'\b' + type_name + r'\s+\w+\[[^]]*\]\s*=\s*\{', code):
            opened = found.end() - 1
            yield path, text, opened, text[opened:closing(code, opened) + 1]


def key_rows(tree):
    """(path, line, section, key) of each row of a table of keys, and of each row that is made outside of one."""
    for path, text, opened, body in tables(tree, 'ConfKey', tree.matching('src/*.c')):
        for row in re.finditer(r'\{\s*"(\w+)",\s*"(\w+)"', body):
            yield path, line_of(text, opened + row.start()), row.group(1), row.group(2)
    for path in tree.matching('src/*.c'):
        for row in re.finditer(r'\(ConfKey\)\s*\{\s*"(\w+)",\s*"(\w+)"', tree.text(path)):
            yield path, line_of(tree.text(path), row.start()), row.group(1), row.group(2)
    for path, text, opened, body in tables(tree, 'SettingKey', tree.matching('src/*.c')):
        for row in re.finditer(r'\{\s*"(\w+)",', body):
            section = 'Exchange' if '/exchange-' in path else 'Identity'
            yield path, line_of(text, opened + row.start()), section, row.group(1)


def keys(tree):
    by_manual = {}
    for path, line, section, key in key_rows(tree):
        known = by_manual.setdefault(MANUALS.get(section, DAEMON_CONF), {})
        known[f'{key}='] = (path, line, f'{key}= of [{section}]')
    for name in {*by_manual, *MANUALS.values(), DAEMON_CONF}:
        yield from in_step(tree, name, '', r'\w+=', by_manual.get(name, {}))


def verbs(tree):
    known = {}
    for path, text, opened, body in tables(tree, 'Verb', tree.matching('src/ctl/*.c')):
        for row in re.finditer(r'\{\s*"([a-z][a-z-]*)"', body):
            known[row.group(1)] = (path, line_of(text, opened + row.start()), f"verb '{row.group(1)}'")
    yield from in_step(tree, CONTROL, 'COMMANDS', r'[a-z][a-z-]*', known)


def option_tables(tree, directory):
    """Of getopt's own type, or of one with more to say about each."""
    return tables(tree, r'(?:struct option|Option)', tree.matching(f'src/{directory}/*.c'))


def options(tree):
    for directory, name in PROGRAMS.items():
        known = {}
        for path, text, opened, body in option_tables(tree, directory):
            for row in re.finditer(r'\{\s*"([a-z][a-z-]*)"', body):
                known[f'--{row.group(1)}'] = (path, line_of(text, opened + row.start()), f'option --{row.group(1)}')
        # "--json" and "--timeout=" alike.
        found = {f'{option}=' if stands_with_value(tree, name, option) else option: where
                 for option, where in known.items()}
        yield from in_step(tree, name, 'OPTIONS', r'--[a-z-]+=?', found)


def stands_with_value(tree, name, option):
    return any(f'{option}=' in names for _, names in page(tree, name, 'OPTIONS', r'--[a-z-]+=?'))


def reasons(tree):
    path = 'src/base/failure.h'
    if path not in tree.files:
        return
    text = tree.text(path)
    known = {}
    for found in re.finditer(r'^\s+REASON_([A-Z_]+),', text, re.MULTILINE):
        name = found.group(1).lower().replace('_', '-')
        if name != 'none':
            known[name] = (path, line_of(text, found.start()), f"reason '{name}'")
    yield from in_step(tree, DAEMON, 'REASONS', r'[a-z][a-z-]*', known, with_since=False)
    yield from failures(tree, known)


FAILURES = 'docs/failures.md'


def failures(tree, known):
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
    for reason, (path, line, what) in known.items():
        if reason not in rows:
            yield path, line, f'{what} has no row in {FAILURES}'
    for reason, number in rows.items():
        if reason not in known:
            yield FAILURES, number, f"there is no reason '{reason}'"


def actions(tree):
    """polkit actions: the policy, the rules in the sources, and the manual of the bus interface."""
    declared = {}
    for path in tree.matching('polkit/*.policy*'):
        text = tree.text(path)
        for found in re.finditer(r'<action id="([\w.-]+)"', text):
            declared[found.group(1)] = (path, line_of(text, found.start()), f'action {found.group(1)}')
    used = {}
    for path in tree.matching('src/daemon/*.c', 'src/daemon/*.h'):
        text = tree.text(path)
        for found in re.finditer(r'"(org\.pullauth1\.[a-z][a-z-]*)"', text):
            used.setdefault(found.group(1), (path, line_of(text, found.start())))
    for action, (path, line) in used.items():
        if action not in declared:
            yield path, line, f'action {action} is in no polkit/*.policy'
    if used:
        for action, (path, line, _) in declared.items():
            if action not in used:
                yield path, line, f'action {action} is asked for nowhere in src/daemon'
    yield from in_step(tree, INTERFACE, 'AUTHORIZATION', r'org\.pullauth1\.[a-z][a-z-]*', declared)


def errors(tree):
    """Names of errors: the one table of the sources, and the manual of the bus interface."""
    known = {}
    for path in tree.matching('src/base/*.c'):
        text = tree.text(path)
        for found in re.finditer(r'"(org\.pullauth1\.Error\.\w+)"', text):
            known[found.group(1)] = (path, line_of(text, found.start()), f'error {found.group(1)}')
    yield from in_step(tree, INTERFACE, 'ERRORS', r'org\.pullauth1\.[\w.]+', known)


MEMBER = re.compile(r'\bSD_BUS_(METHOD_WITH_ARGS|SIGNAL_WITH_ARGS|PROPERTY|WRITABLE_PROPERTY)\(\s*"(\w+)"')


def arguments(member, direction):
    return ', '.join(f'{arg.get("type")} {arg.get("name")}' for arg in member.findall('arg')
                     if arg.get('direction', 'in' if member.tag == 'method' else 'out') == direction)


def term(member):
    """How the manual has to write a member: as the golden introspection says."""
    name = member.get('name')
    if member.tag == 'property':
        return name, f'({member.get("type")})'
    if member.tag == 'signal':
        return name, f'({arguments(member, "out")})'
    answer = arguments(member, 'out')
    return name, f'({arguments(member, "in")})' + (f' -> {answer}' if answer else '')


def members(tree):
    """Public ones: the daemon's. The private door between the processes is no API and has no manual. What the
    sources have is in the golden introspection, and that is in the manual, with its arguments."""
    golden = set()
    for path in tree.matching('dbus/*.xml'):
        for interface in ElementTree.fromstring(tree.text(path)).iter('interface'):
            rows = dict(term(member) for member in interface if member.tag in ('method', 'signal', 'property'))
            golden.update(rows)
            text = tree.text(path)
            known = {name: (path, line_of(text, text.index(f'name="{name}"')), f'D-Bus member {name}') for name in rows}
            section = f'THE INTERFACE {interface.get("name")}'
            yield from in_step(tree, INTERFACE, section, r'\w+', known)
            yield from signatures(tree, section, rows)
    for path in tree.matching('src/daemon/*.c'):
        text = tree.text(path)
        for found in MEMBER.finditer(text):
            if found.group(2) not in golden:
                yield path, line_of(text, found.start()), f'D-Bus member {found.group(2)} is in no dbus/*.xml'


def signatures(tree, section, rows):
    """Of several names in one term, each has the next signature behind it."""
    for item, names in page(tree, INTERFACE, section, r'\w+'):
        rest = item.term
        for name in names:
            at = re.search(r'\b' + name + r'\b', rest)
            rest = rest[at.end():] if at else rest
            if name in rows and not re.match(r'(, \w+)* ?' + re.escape(rows[name]) + r'(,|$)', rest):
                yield item.path, item.line, f"write '{name} {rows[name]}', that is what it has"


def metrics(tree):
    known = {}
    for path in tree.matching('src/daemon/*.c'):
        text = tree.text(path)
        for found in re.finditer(r'\bMETRIC_[A-Z]+,\s*"(\w+)"', text):
            known[found.group(1)] = (path, line_of(text, found.start()), f'metric {found.group(1)}')
    yield from in_step(tree, INTERFACE, 'METRICS', r'\w+', known)


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
                    used[found] = (path, number, f'message {found}')
                parts = re.search(r'SD_ID128_MAKE(?:_STR)?\(([0-9a-f, ]+)\)', line)
                if parts:
                    found = parts.group(1).replace(',', '').replace(' ', '')
                    used[found] = (path, number, f'message {found}')
    for found, (path, line, what) in used.items():
        if found not in known:
            yield path, line, f'{what} has no entry in units/*.catalog'
    for found, (path, line) in known.items():
        if found not in used:
            yield path, line, f'no source sends message {found}'
    yield from in_step(tree, DAEMON, 'JOURNAL', r'[0-9a-f]{32}', used)


OURS = r'(docker-credential-pullauth|(?<!docker-credential-)(?:pullauth|org\.pullauth1)[\w.-]*)'


def pages(tree):
    """Every page is built, every page of ours that is named anywhere exists, and is named as pages are."""
    built = set()
    if 'man/meson.build' in tree.files:
        built = set(re.findall(r"'([\w.-]+\.[1-8])'", tree.text('man/meson.build')))
    for path in tree.matching('man/*.rst'):
        text = tree.text(path)
        if path[len('man/'):-len('.rst')] not in built:
            yield path, 1, 'is not in man/meson.build, so nobody builds it'
        for found in re.finditer(r'(\*\*)?\b' + OURS + r'(\*\*\\\s)?\(([1-8])\)', text):
            line = line_of(text, found.start())
            if f'{found.group(2)}.{found.group(4)}' not in built:
                yield path, line, f'there is no page {found.group(2)}({found.group(4)})'
            elif not (found.group(1) and found.group(3)):
                yield path, line, f'write **{found.group(2)}**\\ ({found.group(4)})'
    for path in tree.matching('units/*', 'src/*.c', 'README.md', 'docs/*.md'):
        text = tree.text(path)
        for found in re.finditer(r'\b' + OURS + r'\(([1-8])\)', text):
            if f'{found.group(1)}.{found.group(2)}' not in built:
                yield path, line_of(text, found.start()), f'there is no page {found.group(1)}({found.group(2)})'


SHARED = '/usr/share/pullauth/'


def shared(tree):
    """Every file below /usr/share/pullauth that is named anywhere is installed, and so is every example; a link to an
    example leads to one."""
    installed = set()
    for path in tree.matching('meson.build', '*/meson.build'):
        for call in re.finditer(r"install_data\(([^)]*)install_dir : datadir / 'pullauth' / '([\w.-]+)'",
                                tree.text(path)):
            installed |= {f'{call.group(2)}/{name}' for name in re.findall(r"'(?:[^'/]*/)*([^'/]+)'", call.group(1))}
    for path in tree.matching('docs/examples/*'):
        if path[len('docs/'):] not in installed:
            yield path, 1, 'is an example that docs/meson.build does not install'
    for path in tree.matching('man/*.rst', 'docs/*.md', 'units/*', 'src/*.c', '*.md'):
        text = tree.text(path)
        for found in re.finditer(re.escape(SHARED) + r'([\w.-]+/[\w.-]*\w)', text):
            if found.group(1) not in installed:
                yield path, line_of(text, found.start()), f'{found.group(0)} is not installed'
        for found in re.finditer(r'\]\((examples/[^)]+)\)', text):
            if f'docs/{found.group(1)}' not in tree.files:
                yield path, line_of(text, found.start()), f'there is no {found.group(1)}'


RULES = {'docs-pages': pages, 'docs-keys': keys, 'docs-verbs': verbs, 'docs-options': options, 'docs-reasons': reasons,
         'docs-actions': actions, 'docs-errors': errors, 'docs-members': members, 'docs-metrics': metrics,
         'docs-catalog': catalog, 'docs-shared': shared}
