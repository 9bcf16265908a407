# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each module of the lower layers has a unit test that runs (S12)."""

import os
import re

from tree import Allowed

TESTED = ('src/base/*.c', 'src/codec/*.c', 'src/io/*.c', 'src/model/*.c')
LISTS = 'tests/unit/meson.build'


def unit_tests(tree):
    """test-foo.c tests src/*/foo.c; a test that no list of tests/unit/meson.build names never runs."""
    allowed, needed = Allowed(tree), set()
    if not tree.matching('src/*.c'):
        return
    listed = set(re.findall(r"'([a-z0-9-]+)'", tree.text(LISTS) if LISTS in tree.files else ''))
    modules = [path for path in tree.matching(*TESTED) if path.count('/') == 2]
    for path in modules:
        name = os.path.basename(path)[:-2]
        if f'tests/unit/test-{name}.c' not in tree.files:
            needed.add(('untested', path))
            if not allowed.limit('untested', path, 0):
                yield path, 1, f'wants tests/unit/test-{name}.c (S12)'
    for path in tree.matching('tests/unit/test-*.c'):
        name = os.path.basename(path)[len('test-'):-2]
        if name not in listed:
            yield path, 1, f'is not listed in {LISTS}'
    yield from allowed.stale(('untested',), needed)


RULES = {'unit-tests': unit_tests}
