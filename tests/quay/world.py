# SPDX-License-Identifier: LGPL-2.1-or-later
"""Daemon and worker as they are, on a host whose clock and resolver belong to the test, and the simulated Quay."""

import base64
import contextlib
import os
import re
import shutil
import struct
import sys
import time

import pytest
from activate import Activated

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'bus'))
from client import PROPERTIES  # noqa: E402
from rig import BUILD, DAEMON_UID, ROOT, STRANGER_UID, WRAPPER, Host, as_user, program  # noqa: E402, F401

SYSTEM = 'etc/containers/auth.json'
CA_FILE = 'etc/pullauth/ca.pem'
DAY = 86400
# What timers of the daemon may be late if they are long.
LATE = 61
LONG_WAIT = 20 * 60


def timers(pid, clock):
    """Seconds that are left of each timer that is armed on this clock of the kernel."""
    for number in os.listdir(f'/proc/{pid}/fdinfo'):
        # One may be closed meanwhile.
        with contextlib.suppress(FileNotFoundError), open(f'/proc/{pid}/fdinfo/{number}', encoding='ascii') as file:
            found = re.search(rf'clockid: {clock}\n.*it_value: \((\d+), (\d+)\)', file.read(), re.DOTALL)
            if found and found.groups() != ('0', '0'):
                yield int(found[1])


class Clock:
    """Seconds by which the clocks of a host are ahead of this machine's: see hostshim.c."""

    def __init__(self, path):
        self.real = self.boot = self.monotonic = 0
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.set()

    def set(self):
        numbers = [int(number * 10**9) for number in (self.real, self.boot, self.monotonic)]
        os.pwrite(self.file, struct.pack('=3q', *numbers), 0)

    def step(self, seconds):
        """Somebody sets the clock."""
        self.real += seconds
        self.set()

    def suspend(self, seconds):
        """The host sleeps, and is awake again."""
        self.real += seconds
        self.boot += seconds
        self.set()

    def advance(self, seconds):
        """Time passes."""
        self.monotonic += seconds
        self.suspend(seconds)

    def now(self):
        return time.time() + self.real

    def close(self):
        os.close(self.file)


class World(Host):
    """A host with one job, not started yet."""

    def __init__(self, quay):
        self.clock = None
        super().__init__(worker=False)
        self.quay = quay
        self.passed = 0  # for everybody, registry and issuer included
        self.shim = shutil.copy(os.path.join(BUILD, 'tests', 'quay', 'hostshim.so'), self.directory)
        self.names = self.path('names')
        os.mkdir(self.names)
        self.clock = Clock(os.path.join(self.directory, 'clock'))
        # Another user than the daemon's, as in the services.
        self.activated = Activated(self.path('run/pullauth/worker.sock'),
                                   [*WRAPPER, program(self.directory, 'pullauth-worker'), '--idle=5s'],
                                   env=self.environment(), socket_user=DAEMON_UID if ROOT else None,
                                   user=STRANGER_UID if ROOT else None)
        self.identity()
        self.token(quay.jwt(lifetime=300 * DAY))
        with open(quay.ca, encoding='utf-8') as ca:
            self.write(CA_FILE, ca.read())
        self.job()

    def environment(self, **more):
        shim = {'LD_PRELOAD': self.shim, 'PULLAUTH_TEST_NAMES': self.names,
                'PULLAUTH_TEST_CLOCK': os.path.join(self.directory, 'clock')} if self.clock else {}
        return super().environment(**{**shim, **more})

    def job(self, name='edge', robot=None, registry=None, more=''):
        super().job(name, robot, registry or self.quay.quay, f'CAFile=/{CA_FILE}\n{more}')

    # What time does

    def everywhere(self, seconds):
        """Registry and issuer are that much later."""
        self.passed += seconds
        self.quay.set_clock(self.passed)
        self.quay.call('issuer', clock_offset=self.passed)

    def advance(self, seconds):
        self.everywhere(seconds)
        self.clock.advance(seconds)

    def suspend(self, seconds):
        self.everywhere(seconds)
        self.clock.suspend(seconds)

    def left(self, job, member='NextAttempt'):
        """Seconds of this host's until then."""
        return job[member] / 10**6 - self.clock.now()

    def next_attempt(self, name='edge'):
        """Lets time pass until the job has tried again. Returns its properties, and how long it waited."""
        job = self.client.wait_job(name, State=lambda state: state != 'refreshing')
        left = max(0, self.left(job))
        self.advance(left + (LATE if left > LONG_WAIT - 60 else 0))
        ended = job['AttemptsEnded']
        return self.client.wait_job(name, AttemptsEnded=lambda n: n > ended, State=lambda s: s != 'refreshing'), left

    def told(self, name, since, **wanted):
        """What was said of a job when these properties first had these values (a function: said yes), be they others by
        now. `since`: how many signals had been heard before."""
        path = self.client.path(name)

        def said():
            for where, interface, member, arguments in self.client.signals[since:]:
                changed = arguments[1] if (where, interface, member) == (path, PROPERTIES, 'PropertiesChanged') else {}
                if all(key in changed and (check(changed[key]) if callable(check) else changed[key] == check)
                       for key, check in wanted.items()):
                    return changed
            return None
        return self.client.wait(said, f'job {name} with {wanted}')

    # What stands in the target

    def password(self, scope=None):
        """(user, secret) or None."""
        entry = (self.auths() or {}).get(scope or f'{self.quay.quay}/acme')
        return entry and tuple(base64.b64decode(entry['auth']).decode().split(':', 1))

    def is_good(self):
        """The registry takes what stands there."""
        user, secret = self.password()
        answer = self.quay.request(f'/v2/auth?service={self.quay.quay}&scope=repository:acme/app:pull', user=user,
                                   password=secret)
        return answer.status == 200

    def wait_withdrawn(self, timeout=30):
        self.wait_file(SYSTEM, lambda: self.auths() == {}, timeout)

    # What the test wants

    def fresh(self):
        """Started, and with a credential."""
        self.start()
        return self.client.wait_job('edge', State='fresh')

    def refresh(self):
        """An attempt on demand, five seconds after the last one."""
        job = self.client.job('edge')
        if job['AttemptsStarted']:
            self.advance(5)
        self.client.call('org.pullauth1.Manager', 'RefreshAll')
        return self.client.wait_job('edge', AttemptsEnded=lambda n: n > job['AttemptsEnded'],
                                    State=lambda state: state != 'refreshing')

    def close(self):
        try:
            super().close()
        finally:
            self.activated.close()
            self.clock.close()


@pytest.fixture
def world(rig):
    """It trusts the simulated Quay and is trusted by it."""
    made = World(rig)
    try:
        yield made
    finally:
        made.close()
