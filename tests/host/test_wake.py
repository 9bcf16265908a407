# SPDX-License-Identifier: LGPL-2.1-or-later
"""WakeSystem=yes in the sandbox of the service: it says what to do, and the drop-in that is shipped gives it the right
to wake the host. Containers have no real-time clock: what the daemon does with it is in tests/quay/test_wake.py."""

import os
import re

import pytest
from product import DAEMON

DROP_IN = f'/run/systemd/system/{DAEMON}.d/wake.conf'
CAP_WAKE_ALARM = 35


@pytest.fixture
def allow(machine):
    def link():
        machine.run('mkdir', '-p', os.path.dirname(DROP_IN))
        machine.run('ln', '-s', '/usr/share/pullauth/pullauthd.service.d/wake.conf', DROP_IN)
        machine.run('systemctl', 'daemon-reload')
        machine.run('systemctl', 'restart', DAEMON)
    yield link
    machine.remove(DROP_IN)
    machine.run('systemctl', 'daemon-reload')


def may_wake(product):
    with open(f'/proc/{product.main_pid()}/status', encoding='utf-8') as status:
        return bool(int(re.search(r'CapEff:\s+(\w+)', status.read())[1], 16) >> CAP_WAKE_ALARM & 1)


def test_the_drop_in_lets_the_service_wake_the_host(product, machine, allow):
    product.up(more='WakeSystem=yes\n')
    assert any('WakeSystem=yes does not wake this host' in entry['MESSAGE']
               for entry in machine.journal(f'_SYSTEMD_UNIT={DAEMON}'))
    assert not may_wake(product)
    allow()
    product.wait_job(lambda job: job['State'] == 'fresh')
    assert may_wake(product)
