# SPDX-License-Identifier: LGPL-2.1-or-later
"""Text in and around code: licence lines, opening comments, comments that should not be there, domain words
(S1, S2, S10), README files of directories."""

import fnmatch
import os
import re

from tree import comments, line_of

IDENTIFIER = 'SPDX-License-' + 'Identifier: '  # in two parts, so that this line is not taken for one
LICENCE = IDENTIFIER + 'LGPL-2.1-or-later'
# Kinds of files that can carry a comment; the others stand in .reuse/dep5.
COMMENTABLE = ('*.c', '*.h', '*.py', '*.sh', '*.md', '*meson.build', '*meson_options.txt', 'units/*', 'polkit/*',
               'dbus/*.conf', 'dbus/*.service*', 'man/*', 'tools/*', '.ci/*', '.clang-format', '.clang-tidy',
               '.editorconfig', '.codespellrc', 'packaging/*.spec')
NOT_COMMENTABLE = ('*.json', '*.png', 'dbus/*.xml')
OPENING_LINES = (3, 12)
DIRECTORY_FILES = 6


# Where the word is another program's, or a header's.
COMMANDS = re.compile(r'podman login|docker login|skopeo login|[`\'"]login|<systemd/sd-login\.h>|openshift-pull-secret')


def spdx(tree):
    skipped = set(tree.matching(*NOT_COMMENTABLE))
    for path in tree.matching(*COMMENTABLE):
        if path not in skipped and tree.text(path) and LICENCE not in '\n'.join(tree.text(path).splitlines()[:5]):
            yield path, 1, f'one of the first lines must be "{LICENCE}"'


def opening(tree):
    for path in tree.matching('src/*.c', 'tests/*.c'):
        text = tree.text(path)
        found = [(line_of(text, offset), comment) for offset, comment in comments(text)]
        found = [(line, comment) for line, comment in found if line <= 6 and IDENTIFIER not in comment]
        low, high = OPENING_LINES
        if path.startswith('tests/'):
            low = 1
        if not found:
            yield path, 1, 'open with a comment: what it is for, what it owns, what it refuses to do (S10)'
            continue
        line, comment = found[0]
        size = comment.count('\n') + 1
        if not low <= size <= high:
            yield path, line, f'the opening comment has {size} lines, {low} to {high} say it better (S10)'


def line_comments(tree):
    for path in tree.all_c:
        text = tree.text(path)
        for offset, comment in comments(text):
            if comment.startswith('//'):
                yield path, line_of(text, offset), 'write /* */ (S1)'


CODE_IN_COMMENT = re.compile(
    r'^[ \t*]*(?:[A-Za-z_][\w>.\[\]-]*\s*(?:=\s*[^=].*)?;|[A-Za-z_]\w*\([^()]*(?:\([^()]*\))*[^()]*\);|'
    r'(?:if|for|while|switch)\s*\(.*\)\s*\{?|return\b.*;|\}|#\s*(?:include|define|if|endif)\b.*)[ \t]*$')


def dead_code(tree):
    for path in tree.all_c:
        text = tree.text(path)
        for offset, comment in comments(text):
            inner = comment[2:-2] if comment.startswith('/*') else comment[2:]
            for number, line in enumerate(inner.split('\n')):
                if line.strip() and CODE_IN_COMMENT.match(line):
                    yield path, line_of(text, offset) + number, 'looks like code in a comment, remove it (S10)'
        for found in re.finditer(r'^[ \t]*#[ \t]*if[ \t]+0\b', tree.code(path), re.MULTILINE):
            yield path, line_of(text, found.start()), 'code behind #if 0, remove it (S10)'


TO_DO = re.compile(r'\b(TO' r'DO|FIX' r'ME)\b(?!.{0,20}#\d+)')


def todo(tree):
    for path in tree.files:
        if path.startswith(('LICENSES/', 'tests/fuzz/corpus')) or path in ('HACKING.md', 'tools/lib/results.py'):
            continue  # the one names the rule, the other reads TAP, which has a directive of that name
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            found = TO_DO.search(line)
            if found:
                yield path, number, f'{found.group(1)} without the number of an issue, write {found.group(1)} #N (S10)'


# Word → what to say instead (S2). Only words that have no other meaning here.
WORDS = {
    r'log[ _-]?in(s|_\w+)?\b|logged in': 'an exchange is never a login',
    r'(?<!openshift-)\bpull[ _-]secrets?\b': 'credential, fragment or target, as the thing is',
    r'\bmaster\b|\bslave\b|\bblacklist|\bwhitelist': 'say what it does',
}


def domain_words(tree):
    for path in tree.sources:
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            for word, instead in WORDS.items():
                found = re.search(word, line, re.IGNORECASE)
                if found and not COMMANDS.search(line):
                    yield path, number, f"'{found.group()}': {instead} (S2)"


# What belongs to the place where someone works and not to the project. In pieces, as above.
WORKPLACE = re.compile(r'(?<![\w/.-])/wor' r'k/|\bshared/' r'(?:facts|design|style)\b|\bfac' r'ts/\w+\.md\b|'
                       r'/tmp/(?:brief|api)\.md|\b(?:Clau' r'de|Anthro' r'pic|Chat' r'GPT|Co' r'pilot)\b')


def workplace(tree):
    for path in tree.files:
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            found = WORKPLACE.search(line)
            if found:
                yield path, number, f"'{found.group()}' is of no use to a reader elsewhere, say what it says"


# Members of this list open the bullets of NEWS.md; "daemon, worker:" is two of them.
COMPONENTS = ('daemon', 'worker', 'pullauthctl', 'D-Bus', 'configuration', 'units', 'polkit', 'journal', 'manuals',
              'build', 'tests', 'tools', 'packaging', 'targets', 'identities', 'exchange', 'schedule', 'helper',
              'kubelet')


def news(tree):
    path = 'NEWS.md'
    if path not in tree.files:
        if 'meson.build' in tree.files:
            yield path, 1, 'is missing: one bullet for each change that a user can notice'
        return
    version = re.search(r"\bversion\s*:\s*'([^']+)'", tree.text('meson.build'))
    headings = []
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        if line.startswith('## '):
            headings.append((number, line[3:].split()[0]))
            if not re.fullmatch(r'## \d+\.\d+\.\d+( \(\d{4}-\d\d-\d\d\)| \(not released\))', line):
                yield path, number, 'write "## 1.2.3 (2026-01-31)" or "## 1.2.3 (not released)"'
        elif line.startswith('- '):
            component = re.match(r'- ([^:]+): \S', line)
            names = component.group(1).split(', ') if component else ['']
            if not set(names) <= set(COMPONENTS):
                yield path, number, 'begin with the component: ' + ' '.join(COMPONENTS)
            if not headings:
                yield path, number, 'bullets stand under a version'
        elif re.match(r'\s*[*+] ', line):
            yield path, number, 'bullets are "- "'
    if version and (not headings or headings[0][1] != version.group(1)):
        yield path, headings[0][0] if headings else 1, f'the first section must be {version.group(1)}, see meson.build'


def comment_share(tree):
    """Prints, never fails: a smell test. 12 to 15 % is usual here."""
    code = comment = 0
    for path in tree.sources:
        text = tree.text(path)
        code += sum(1 for line in tree.code(path).splitlines() if line.strip())
        comment += sum(part.count('\n') + 1 for _, part in comments(text))
    share = 100 * comment / max(1, code + comment)
    print(f'# {comment} lines of comment beside {code} of code: {share:.1f} %')
    return ()


def is_listed(name, listed):
    """By its name, or by a pattern as verb-*; with or without an ending."""
    return any(fnmatch.fnmatch(name, pattern.removesuffix('.c')) for pattern in listed)


def unlisted(tree):
    """Modules that the README.md of their directory does not know."""
    for path in tree.matching('src/*.c'):
        readme = f'{os.path.dirname(path)}/README.md'
        name = os.path.basename(path).removesuffix('.c')
        if readme in tree.files and not is_listed(name, re.findall(r'`([\w*.-]+)`', tree.text(readme))):
            yield readme, 1, f'{name} does not stand among the files (S9)'


def readmes(tree):
    """A Python package is explained by the directory that it stands in as well."""
    yield from unlisted(tree)
    directories = {}
    for path in tree.matching('src/*.c', 'tests/*.py'):
        directories[os.path.dirname(path)] = directories.get(os.path.dirname(path), 0) + 1
    for directory, count in directories.items():
        places = [f'{directory}/README.md']
        if f'{directory}/__init__.py' in tree.files:
            places.append(f'{os.path.dirname(directory)}/README.md')
        if count > DIRECTORY_FILES and not any(place in tree.files for place in places):
            yield places[-1], 1, f'{count} files want a README.md: goal, layout, what always holds (S9)'


RULES = {'spdx': spdx, 'opening-comment': opening, 'line-comments': line_comments, 'dead-code': dead_code,
         'todo': todo, 'words': domain_words, 'workplace': workplace, 'news': news, 'comment-share': comment_share,
         'readmes': readmes}
