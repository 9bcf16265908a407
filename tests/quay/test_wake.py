# SPDX-License-Identifier: LGPL-2.1-or-later
"""WakeSystem=yes where there is a real-time clock: the next refresh is set on the kernel's clock that wakes the host,
if the daemon may."""

import re

import pytest
from world import DAEMON_UID, ROOT, WRAPPER, timers, world  # noqa: F401

CLOCK_BOOTTIME_ALARM = 9
ALLOWED = ['setpriv', f'--reuid={DAEMON_UID}', f'--regid={DAEMON_UID}', '--clear-groups', '--inh-caps=+wake_alarm',
           '--ambient-caps=+wake_alarm']


def waking_timers(world):
    return len(list(timers(world.daemon.pid, CLOCK_BOOTTIME_ALARM)))


@pytest.mark.skipif(not ROOT, reason='only root can give the right')
@pytest.mark.skipif(bool(WRAPPER), reason='needs the process itself')
def test_a_refresh_is_set_on_the_clock_that_wakes_the_host(world):
    world.launcher = [*ALLOWED, 'env', f'LD_PRELOAD={world.shim}']  # which setpriv would not bear
    world.job(more='WakeSystem=yes\n')
    world.start(PULLAUTH_TEST_RTC='1', LD_PRELOAD='')
    world.client.wait_job('edge', State='fresh')
    assert waking_timers(world) == 1
    job, _ = world.next_attempt()
    assert job['State'] == 'fresh' and job['Refreshes'] == 2
    assert waking_timers(world) == 1 and 'does not wake this host' not in world.log()


def test_a_daemon_without_the_right_says_how_it_gets_it(world):
    world.job(more='WakeSystem=yes\n')
    world.start(PULLAUTH_TEST_RTC='1')
    world.client.wait_job('edge', State='fresh')
    assert re.search(r'WakeSystem=yes does not wake this host, the service lacks CAP_WAKE_ALARM.*wake\.conf',
                     world.log())
    assert not waking_timers(world)
    job, _ = world.next_attempt()
    assert job['State'] == 'fresh' and job['Refreshes'] == 2
