#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rewrites an auth file as container tools do: reads it, changes an entry of its own, renames a new file into place.

    writer.py FILE COUNT

Counts upwards in its entry, and before each write looks whether the last one stands. Prints how many did not.
"""

import json
import os
import sys
import time

KEY = 'writer.example.com'
PATIENCE = 20


def number_in(path):
    with open(path, 'rb') as file:
        return json.load(file)['auths'].get(KEY, {}).get('number')


def main():
    path, count, lost = sys.argv[1], int(sys.argv[2]), 0
    for number in range(1, count + 1):
        with open(path, 'rb') as file:
            content = json.load(file)
        content['auths'][KEY] = {'auth': 'Zm9vOmJhcg==', 'number': number}
        early = f'{path}.writer'
        with open(early, 'w', encoding='utf-8') as file:
            json.dump(content, file)
        os.rename(early, path)
        # Somebody who took the file as it was before us has to give it back with what we wrote.
        deadline = time.monotonic() + PATIENCE
        time.sleep(0.01)
        while number_in(path) != number and time.monotonic() < deadline:
            time.sleep(0.01)
        lost += number_in(path) != number
    print(f'{lost} of {count} writes lost')
    sys.exit(lost > 0)


if __name__ == '__main__':
    main()
