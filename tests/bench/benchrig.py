# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host of the bus suite with the real worker behind its socket and a registry that costs next to nothing, and how
time, processor time, memory and writes are read."""

import ctypes
import os
import re
import struct
import subprocess
import time

import rig
from activate import Activated
from registry import ROBOT, identity_token
from rig import DAEMON_UID, ROOT, STRANGER_UID, program

MANAGER = 'org.pullauth1.Manager'
SYSTEM, PODMAN = 'etc/containers/auth.json', 'run/containers/0/auth.json'
# Before that, jobs are spread over three seconds, see src/daemon/manager-jobs.c.
BOOT_IS_OVER = 300
IN_MOVED_TO, IN_CLOSE_WRITE = 0x80, 0x8


class BenchHost(rig.Host):
    """As on a host, /run is in memory and the log is no more than that. `idle`: after how long the worker goes."""

    def __init__(self, registry, idle='1s'):
        super().__init__(worker=False)
        self.registry, self.activated = registry, None
        try:
            self.mount_run()
            self.activated = Activated(
                self.path('run/pullauth/worker.sock'), [program(self.directory, 'pullauth-worker'), f'--idle={idle}'],
                env=self.environment(), socket_user=DAEMON_UID if ROOT else None, user=STRANGER_UID if ROOT else None)
            self.identity()
            self.token(identity_token())
            with open(registry.ca, encoding='ascii') as ca:
                self.write('etc/pullauth/ca.pem', ca.read())
        except BaseException:
            self.close()
            raise

    def mount_run(self):
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'mode=755,uid={DAEMON_UID},gid={DAEMON_UID}', 'tmpfs',
                        self.path('run')], check=True)
        for directory in ('run/pullauth', 'run/containers', 'run/containers/0'):
            os.mkdir(self.path(directory), 0o755)
            os.chown(self.path(directory), DAEMON_UID, DAEMON_UID)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def worker_pid(self):
        return self.activated.running

    def start(self, wait=True, **environment):
        return super().start(wait, PULLAUTH_LOG_LEVEL='info', **environment)

    def jobs(self, number):
        """All of the robot that the registry knows, each with a key of its own."""
        for job in range(number):
            self.job(f'r{job}', ROBOT, self.registry.address, f'CAFile=/etc/pullauth/ca.pem\nScopes=acme/r{job}\n')

    def cold_start(self, number, timeout=300):
        """Seconds from the start of the daemon until all jobs are fresh, which they are once they are published."""
        assert time.clock_gettime(time.CLOCK_BOOTTIME) > BOOT_IS_OVER, 'this machine has only just started'
        begun = time.monotonic()
        self.start(wait=False)
        self.notify.wait(f'STATUS={number} job{"s" if number > 1 else ""}: {number} fresh', timeout)
        return time.monotonic() - begun

    def settle(self):
        """Until the worker is gone. If that is idle for longer than the daemon waits, 5 s at most, before it looks at
        a large target that it wrote, and saves its state, that is over as well."""
        self.activated.wait_end(self.activated.starts() or 1, 60)

    def cpu(self):
        """Seconds of processor time of the daemon, and of all workers that are gone."""
        return cpu(self.daemon.pid) + self.activated.cpu()

    def close(self):
        try:
            if self.activated:
                self.activated.close()
        finally:
            subprocess.run(['umount', '--lazy', self.path('run')], check=False)
            super().close()


def cpu(pid):
    """Seconds that all threads of a process ran; to the nanosecond, unlike its `stat`."""
    taken = 0
    for thread in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{thread}/schedstat', encoding='ascii') as file:
            taken += int(file.read().split()[0])
    return taken / 1e9


def memory(pid, what='VmRSS'):
    """MiB."""
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        return int(re.search(rf'^{what}:\s*(\d+) kB', file.read(), re.M).group(1)) / 1024


def asleep(pid):
    """All threads wait for something."""
    states = []
    for thread in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{thread}/stat', encoding='utf-8') as file:
            states.append(file.read().rsplit(')', 1)[1].split()[0])
    return set(states) == {'S'}


def wakeups(pid):
    """How often all threads of a process began to wait: with each wakeup one time more."""
    count = 0
    for thread in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{thread}/status', encoding='utf-8') as file:
            count += sum(map(int, re.findall(r'^\w*voluntary_ctxt_switches:\s*(\d+)', file.read(), re.M)))
    return count


class Writes:
    """How often a file was written or put in its place since this object was made: the kernel's queue is read at the
    end, so that counting costs nothing meanwhile."""

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.name = os.path.basename(path).encode()
        self.fd = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, os.path.dirname(path).encode(),
                                                 IN_MOVED_TO | IN_CLOSE_WRITE) < 0:
            raise OSError(ctypes.get_errno(), 'inotify')

    def count(self):
        found = 0
        while True:
            try:
                data = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                return found
            while data:
                _watch, mask, _cookie, size = struct.unpack_from('iIII', data)
                assert not mask & 0x4000, 'events were lost'
                found += data[16:16 + size].rstrip(b'\0') == self.name
                data = data[16 + size:]

    def close(self):
        os.close(self.fd)
