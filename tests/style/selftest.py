#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shows that each style rule can fail: a small tree that every rule accepts, and changes to it that one rule or
another must find, at the file it is told. A rule without such a change is itself an error. Speaks TAP.
"""

import concurrent.futures
import functools
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from selftest_cases import CASES, GOOD  # noqa: E402
from style import RULES  # noqa: E402
from tree import CannotRun, Tree  # noqa: E402

# Looks and tells, never fails.
REPORTS = ('comment-share',)


def write(root, files):
    for path, text in files.items():
        place = os.path.join(root, path)
        if text is None:
            os.unlink(place)
            continue
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(place, 0o755 if text.startswith('#!') else 0o644)


def git(root):
    """The rules see a tree as git does."""
    subprocess.run(['git', '-c', 'init.defaultBranch=main', 'init', '-q', root], check=True)


@functools.lru_cache(maxsize=None)
def program_of(options):
    """The bytes of a linked program, made once for each way to link one."""
    with tempfile.TemporaryDirectory(prefix='pullauth-style-') as place:
        path = os.path.join(place, 'program')
        subprocess.run(['cc', '-x', 'c', '-', '-o', path, '-Wl,--no-as-needed', *options], check=True,
                       input=b'int main(void) { return 0; }')
        with open(path, 'rb') as file:
            return file.read()


def fake_build(root):
    """What meson would leave behind: a program called pullauthd and how the sources are compiled."""
    build = os.path.join(root, 'build')
    os.makedirs(os.path.join(build, 'meson-info'))
    with open(os.path.join(root, 'link-options'), encoding='utf-8') as file:
        options = tuple(file.read().split())
    program = os.path.join(build, 'pullauthd')
    with open(program, 'wb') as file:
        file.write(program_of(options))
    os.chmod(program, 0o755)
    with open(os.path.join(build, 'meson-info', 'intro-targets.json'), 'w', encoding='utf-8') as file:
        json.dump([{'name': 'pullauthd', 'type': 'executable', 'filename': [program]}], file)
    with open(os.path.join(build, 'compile_commands.json'), 'w', encoding='utf-8') as file:
        json.dump([{'directory': build, 'file': f'../{path}', 'command': f'cc -std=gnu17 -I../src -c ../{path}'}
                   for path in Tree(root).matching('src/*.c')], file)
    return build


def findings(rule, changes):
    with tempfile.TemporaryDirectory(prefix='pullauth-style-') as root:
        write(root, {**GOOD})
        write(root, changes)
        git(root)
        return list(RULES[rule](Tree(root, fake_build(root))))


def judge(rule, changes, expected):
    """The complaint about how the rule did, or None."""
    found = findings(rule, changes)
    if expected is None:
        return f'complains about what is right: {found}' if found else None
    path, words = expected
    if not any(problem[0] == path and words in problem[2] for problem in found):
        return f'does not find {words!r} in {path}, but {found}'
    return None


def plan(rule):
    """(title, changes, expected)"""
    yield f'{rule} accepts a tree that is right', {}, None
    for title, changes, path, words in CASES.get(rule, ()):
        yield f'{rule} {"finds" if words else "accepts"} {title}', changes, (path, words) if words else None


def try_rule(rule):
    """One case after the other, for a rule may remember what it saw: (title, complaint, why it could not run)"""
    results = []
    for title, changes, expected in plan(rule):
        try:
            results.append((title, judge(rule, changes, expected), None))
        except CannotRun as why:
            results.append((title, None, why))
    return results


def try_all():
    """Several rules at a time, told in their order. What they remember is of this run alone."""
    with tempfile.TemporaryDirectory(prefix='pullauth-style-') as cache:
        os.environ['PULLAUTH_TEST_CACHE'] = cache
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return [result for results in pool.map(try_rule, sorted(RULES)) for result in results]


def main():
    tests, bad = try_all(), 0
    print(f'1..{len(tests) + 2}')
    for number, (title, complaint, why) in enumerate(tests, 1):
        if why:
            print(f'ok {number} - {title} # SKIP {why}')
            continue
        bad += complaint is not None
        print(f'{"not " if complaint else ""}ok {number} - {title}', flush=True)
        if complaint:
            print(f'# {complaint}')
    untested = sorted(rule for rule in RULES if rule not in CASES and rule not in REPORTS)
    print(f'{"not " if untested else ""}ok {len(tests) + 1} - each rule has an example that it must find')
    if untested:
        print(f'# no example for {" ".join(untested)}')
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'meson.build'), encoding='utf-8') as file:
        listed = file.read()
    unlisted = sorted(rule for rule in RULES if f"'{rule}'" not in listed)
    print(f'{"not " if unlisted else ""}ok {len(tests) + 2} - meson.build runs each rule')
    if unlisted:
        print(f'# not run: {" ".join(unlisted)}')
    sys.exit(1 if bad or untested or unlisted else 0)


if __name__ == '__main__':
    main()
