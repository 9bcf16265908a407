# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts what test runners report: meson's JSON log with the TAP lines in it, and pytest's JUnit XML.

A run that reported nothing is a failure, and so is a program that ends badly after reporting success.
"""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

TAP_LINE = re.compile(r'^(not )?ok\b\s*(\d+)?\s*-?\s*([^#\n]*)(?:#\s*(SKIP|TODO)\b)?', re.IGNORECASE | re.MULTILINE)
TAP_PLAN = re.compile(r'^1\.\.(\d+)\s*(#.*)?$', re.MULTILINE)


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failures: list = field(default_factory=list)  # (name, text)
    notes: list = field(default_factory=list)
    figures: list = field(default_factory=list)  # lines of a table

    def fail(self, name, text):
        self.failed += 1
        self.failures.append((name, text))

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures
        self.notes += other.notes

    @property
    def ran(self):
        return self.passed + self.failed + self.skipped


def count_tap(name, output, tally):
    """Adds the subtests of one TAP program; returns the number of them that failed."""
    bad = 0
    for line in TAP_LINE.finditer(output):
        title = line.group(3).strip()
        if line.group(4) and line.group(4).upper() == 'SKIP':
            tally.skipped += 1
        elif line.group(1):
            bad += 1
            tally.fail(f'{name}: {title}', output)
        else:
            tally.passed += 1
    return bad


def count_meson_test(record, tally):
    name, result = record['name'], record['result']
    output = '\n'.join(text for text in (record.get('stdout'), record.get('stderr')) if text)
    is_tap = TAP_PLAN.search(record.get('stdout') or '') and TAP_LINE.search(record.get('stdout') or '')

    if result in ('SKIP',):
        tally.skipped += 1
        tally.notes.append(f'{name}: skipped: {output.strip()[:200]}')
        return
    good = result in ('OK', 'EXPECTEDFAIL')
    if is_tap:
        bad = count_tap(name, record['stdout'], tally)
        if not good and bad == 0:
            tally.fail(name, f'{result}, status {record.get("returncode")}\n{output}')
    elif good:
        tally.passed += 1
    else:
        tally.fail(name, f'{result}, status {record.get("returncode")}\n{output}')


def read_meson_log(path):
    tally = Tally()
    with open(path, encoding='utf-8', errors='replace') as log:
        for line in log:
            if line.strip():
                count_meson_test(json.loads(line), tally)
    return tally


def read_junit(path):
    tally = Tally()
    for case in ElementTree.parse(path).getroot().iter('testcase'):
        name = f'{case.get("classname", "")}::{case.get("name", "")}'
        wrong = [child for child in case if child.tag in ('failure', 'error')]
        skipped = case.find('skipped')
        if wrong:
            tally.fail(name, '\n'.join((child.text or child.get('message') or '') for child in wrong))
        elif skipped is not None:
            tally.skipped += 1
            tally.notes.append(f'{name}: skipped: {(skipped.get("message") or "")[:200]}')
        else:
            tally.passed += 1
    return tally
