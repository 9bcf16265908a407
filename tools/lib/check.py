# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of tools/check that runs suites, two at a time, and sums them up.

A suite of the tree that cannot run counts as failed. The last line is "N passed, N failed[, N skipped]".
"""

import argparse
import collections
import fcntl
import os
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from results import Tally  # noqa: E402
from suites import PYTESTS, SUITES, UNBUILT, Workshop, failed  # noqa: E402

# Two at a time: one that keeps the processors busy beside one that waits for other programs for much of its time. In
# each lane first what is quick and tells most, then the long ones. Whose lane is empty takes from the other.
CAMPAIGNS = ('campaign', 'memory', 'bench', 'fleet')
LANES = (('unit', 'fuzz', 'valgrind', 'sanitize', 'tidy', 'clang', *CAMPAIGNS),
         ('style', 'host', 'quay', 'bus', 'stress', 'identity'))
SHOWN_FAILURES = 12
SHOWN_LINES = 40


class Report:
    """Prints each suite when it is done, and the table at the end."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tallies = {}

    def done(self, name, tally):
        with self.lock:
            self.tallies[name] = tally
            print(f'{"FAILED" if tally.failed else "ok":6} {name}: {tally.passed} good, {tally.failed} bad, '
                  f'{tally.skipped} not run, {tally.seconds:.0f} s', flush=True)
            for title, text in tally.failures[:SHOWN_FAILURES]:
                print(f'  -- {title}')
                for line in text.strip().splitlines()[-SHOWN_LINES:]:
                    print(f'   | {line[:300]}')
            if len(tally.failures) > SHOWN_FAILURES:
                print(f'  -- and {len(tally.failures) - SHOWN_FAILURES} more, see the logs')
            for note in tally.notes[:SHOWN_FAILURES]:
                print(f'  -- {note}')
            for line in tally.figures:
                print(f'   | {line}')
            sys.stdout.flush()

    def table(self, seconds):
        print(f'\n{"suite":10}{"passed":>8}{"failed":>8}{"skipped":>9}{"seconds":>9}')
        total = Tally()
        for name, tally in self.tallies.items():
            print(f'{name:10}{tally.passed:8}{tally.failed:8}{tally.skipped:9}{tally.seconds:9.0f}')
            total.add(tally)
        print(f'{"all":10}{total.passed:8}{total.failed:8}{total.skipped:9}{seconds:9.0f}')
        return total


def run_suite(workshop, report, name):
    begun = time.monotonic()
    try:
        tally = SUITES[name](workshop)
        if workshop.stopping.is_set():
            return
    except Exception as error:  # a suite that could not run is a failure, whatever the cause
        tally = failed(f'{name}: could not run', f'{type(error).__name__}: {error}')
    tally.seconds = time.monotonic() - begun
    report.done(name, tally)


def take(lanes):
    """The next of the first lane that has any; None at the end."""
    for lane in lanes:
        try:
            return lane.popleft()
        except IndexError:
            pass
    return None


def work(workshop, report, lanes):
    while not workshop.stopping.is_set():
        name = take(lanes)
        if name is None:
            return
        run_suite(workshop, report, name)


def in_tree(workshop, name):
    if name in PYTESTS:
        return workshop.has_pytest(name)
    if name in ('unit', 'style', 'tidy', 'fuzz'):
        return name in workshop.meson_suites()
    return True


def choose(workshop, asked):
    """What was asked for, or every suite of the tree but the long campaigns."""
    if asked:
        return [name for name in SUITES if name in asked]
    chosen = []
    for name in SUITES:
        if name in CAMPAIGNS:
            continue
        if in_tree(workshop, name):
            chosen.append(name)
        else:
            print(f'       {name}: nothing in the tree yet')
    return chosen


def alone(top):
    """Build directories are used by one run at a time. Returns what holds the others off."""
    descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print('check: waiting for another run in this tree', flush=True)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def run(workshop, report, asked, begun):
    trouble = (workshop.configure if asked and set(asked) <= set(UNBUILT) else workshop.build)('check')
    if trouble:
        report.done('build', failed('build-check', trouble))
    else:
        built = Tally(seconds=time.monotonic() - begun)
        report.done('build', built)
    chosen = choose(workshop, asked) if not trouble else []
    lost = set(chosen).difference(*LANES)
    if lost:
        report.done('lanes', failed('check: a suite without a lane', ' '.join(sorted(lost))))
    lanes = [collections.deque(name for name in lane if name in chosen) for lane in LANES]
    threads = [threading.Thread(target=work, args=(workshop, report, order), daemon=True)
               for order in (lanes, lanes[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    parser = argparse.ArgumentParser(
        prog='tools/check', description='Installs what it needs, builds pullauthd and tests it.',
        epilog='Without SUITE: all but ' + ' and '.join(CAMPAIGNS) + '. --no-install as the first argument '
               'leaves the packages of this machine alone.')
    parser.add_argument('suite', nargs='*', metavar='SUITE', help=' '.join(SUITES))
    asked = parser.parse_args().suite
    unknown = [name for name in asked if name not in SUITES]
    if unknown:
        parser.error(f'no suite {unknown[0]!r}, there are: {" ".join(SUITES)}')

    os.umask(0o022)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    begun = time.monotonic()
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    logs = tempfile.mkdtemp(prefix='pullauth-check-')
    os.chmod(logs, 0o755)
    held = alone(top)
    workshop, report = Workshop(top, logs), Report()
    print(f'check: {top}, logs in {logs}', flush=True)

    try:
        run(workshop, report, asked, begun)
    except KeyboardInterrupt:
        print('check: interrupted')
        sys.exit(130)
    finally:
        workshop.end_all()
    os.close(held)
    total = report.table(time.monotonic() - begun)
    if total.ran == 0:
        total.failed = 1
        print('no test ran')
    print(f'{total.passed} passed, {total.failed} failed' + (f', {total.skipped} skipped' if total.skipped else ''))
    sys.exit(1 if total.failed else 0)


if __name__ == '__main__':
    main()
