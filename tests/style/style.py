#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs one style rule over a tree: style.py RULE [--root DIR] [--build DIR].

Each failure is a line "file:line: rule: what to do". Status 0: nothing found; 1: something; 77: the rule
cannot run here, with the reason. Every rule is a meson test of its own in suite `style`; the numbers S1 to S12
in messages are those of HACKING.md.
"""

import argparse
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib')]

from rules import cxx, docs, graph, proof, sizes, tidy, tools, words  # noqa: E402
from tree import CannotRun, Tree  # noqa: E402

RULES = {**graph.RULES, **sizes.RULES, **words.RULES, **cxx.RULES, **docs.RULES, **proof.RULES, **tools.RULES,
         **tidy.RULES}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('rule', choices=sorted(RULES))
    parser.add_argument('--root', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
    parser.add_argument('--build', default=os.environ.get('PULLAUTH_BUILD'))
    options = parser.parse_args()

    tree = Tree(os.path.realpath(options.root), options.build)
    try:
        problems = sorted(RULES[options.rule](tree))
    except CannotRun as why:
        print(f'{options.rule}: {why}')
        sys.exit(77)
    for path, line, text in problems:
        print(f'{path}:{line}: {options.rule}: {text}')
    sys.exit(1 if problems else 0)


if __name__ == '__main__':
    main()
