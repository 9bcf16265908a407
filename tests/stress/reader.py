#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads auth files again and again, as container tools do, until its standard input ends.

    reader.py KEYS FILE…

Each reading must find valid JSON with every KEY (a JSON list) in "auths". The first that does not is told, with what
was wrong but never with what stood there, and its status is 1. At the end it prints how many readings there were.
"""

import json
import select
import sys


def look(path, keys):
    """What is wrong with the file, or None."""
    try:
        with open(path, 'rb') as file:
            auths = json.loads(file.read())['auths']
    except (OSError, ValueError, KeyError) as error:
        return f'{type(error).__name__} at {path}'
    missing = [key for key in keys if not auths.get(key, {}).get('auth')]
    return f'{path} lacks {missing}' if missing else None


def main():
    keys, paths, count = json.loads(sys.argv[1]), sys.argv[2:], 0
    while not select.select([sys.stdin], [], [], 0.0005)[0]:
        for path in paths:
            trouble = look(path, keys)
            if trouble:
                print(f'reading {count}: {trouble}', flush=True)
                sys.exit(1)
            count += 1
    print(count, flush=True)


if __name__ == '__main__':
    main()
