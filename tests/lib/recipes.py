# SPDX-License-Identifier: LGPL-2.1-or-later
"""The recipes of docs/consumers.md, for the suites that try them.

A block that `<!-- recipe: NAME KIND -->` stands before is a file (`file PATH`) or is typed: by root without a session
as units have it (`run`), by root in a session (`session`), or by a user of that name. One that `<!-- other: NAME … -->`
stands before has a test of its own.
"""

import os
import re

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'docs', 'consumers.md')
BLOCK = r'<!-- {}: ([a-z]+) (\w+)(?: (\S+))? -->\n```\w*\n(.*?)```\n'


def recipes(mark='recipe'):
    """By name: (kind, argument, text) of each block."""
    found = {}
    with open(PAGE, encoding='utf-8') as page:
        for name, kind, argument, text in re.findall(BLOCK.format(mark), page.read(), re.DOTALL):
            found.setdefault(name, []).append((kind, argument, text))
    return found
