# SPDX-License-Identifier: LGPL-2.1-or-later
"""A hundred jobs that are fresh, and nothing that happens: no wakeup of either process in ten minutes. The other tests
run meanwhile; this one is begun first and ended last (conftest.py)."""

import os
import time

import pytest
from benchrig import wakeups
from figures import record

FULL = 600
SECONDS = int(os.environ.get('PULLAUTH_BENCH_IDLE', FULL))


@pytest.mark.limit(FULL + 300)
def test_nobody_wakes_up(idle_host):
    host, since, before, runs = idle_host.host, idle_host.since, idle_host.before, idle_host.runs
    assert host.worker_pid is None, 'the worker is there without anything to do'
    time.sleep(max(0, since + SECONDS - time.monotonic()))  # nothing is what has to happen
    count = wakeups(host.daemon.pid) - before
    assert host.worker_pid is None
    count += host.activated.starts() - runs
    unit = f'in {SECONDS / 60:g} min with 100 jobs'
    record('idle-wakeups', count, unit, '0 in 10 min', count == 0 and SECONDS >= FULL)
    host.token()  # an event, so that it is seen that counting works
    host.client.poll(lambda: wakeups(host.daemon.pid) > before + count, 'a wakeup that is counted')
