# SPDX-License-Identifier: LGPL-2.1-or-later
"""A pytest plugin (-p limits): no test runs longer than PULLAUTH_TEST_LIMIT seconds, 120 by default, and a run that is
told to stop cleans up.

PULLAUTH_TEST_SLOW multiplies it, as it does every limit of the rigs (1 by default, more under valgrind).
The limit is there against hangs; it is never what a test measures.
"""

import os
import signal

import pytest


def slow():
    return float(os.environ.get('PULLAUTH_TEST_SLOW', '1'))


def limit():
    return float(os.environ.get('PULLAUTH_TEST_LIMIT', '120')) * slow()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    marker = item.get_closest_marker('limit')
    seconds = marker.args[0] * slow() if marker else limit()

    def over(number, frame):
        raise TimeoutError(f'not done after {seconds:.0f} s')

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def interrupt(number, frame):
    signal.signal(number, signal.SIG_IGN)  # once is enough, fixtures must get to their ends
    raise KeyboardInterrupt(f'signal {number}')


def pytest_configure(config):
    # Told to stop, pytest would end where it stands, and leave what fixtures started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    config.addinivalue_line('markers', 'limit(seconds): how long this test may take instead of the default')
