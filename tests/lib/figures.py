# SPDX-License-Identifier: LGPL-2.1-or-later
"""Figures that are shown and fail nothing: kept in bench.json of the build directory, merged by name.

A suite that records some imports pytest_terminal_summary into its conftest.py, which prints the table.
"""

import fcntl
import json
import os

FILE = 'bench.json'
recorded = []


def place():
    return os.path.join(os.environ['PULLAUTH_BUILD'], FILE)


def read(path):
    """What earlier runs left; nothing if there is nothing that can be read."""
    try:
        with open(path, encoding='utf-8') as text:
            found = json.load(text)
    except (OSError, ValueError):
        return []
    return [entry for entry in found if isinstance(entry, dict) and 'name' in entry] if isinstance(found, list) else []


def record(name, value, unit, goal, met):
    """Notes one figure. `goal` is the number or sentence to reach, '' for none, `met` whether it was."""
    entry = {'name': name, 'value': value, 'unit': unit, 'goal': goal, 'met': bool(met)}
    recorded.append(entry)
    path = place()
    with open(f'{path}.lock', 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = [old for old in read(path) if old['name'] != name] + [entry]
        entries.sort(key=lambda each: each['name'])
        with open(f'{path}.new', 'w', encoding='utf-8') as text:
            json.dump(entries, text, indent=1)
            text.write('\n')
        os.replace(f'{path}.new', path)


def table(entries):
    """Lines: name, value with unit, goal, met."""
    rows = [('figure', 'value', 'goal', '')]
    rows += [(e['name'], f'{e["value"]} {e["unit"]}'.rstrip(), str(e['goal']),
              '' if e['goal'] == '' else 'met' if e['met'] else 'MISSED') for e in entries]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def pytest_terminal_summary(terminalreporter):
    if recorded:
        terminalreporter.section('figures')
        for line in table(recorded):
            terminalreporter.write_line(line)
