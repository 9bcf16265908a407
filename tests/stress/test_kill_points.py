# SPDX-License-Identifier: LGPL-2.1-or-later
"""The write path, cut at every system call, and failing at every one.

The daemon has adopted a credential; a refresh is asked for, and the worker's answer held until strace stands beside
the daemon. So what is traced is the path from the answer to the files, and the end of the daemon, which saves its
state. The first run counts the calls; then there is a run for each of them.
"""

import collections
import json
import os
import re
import stat

import pytest
from rig import SLOW
from stressrig import FRAGMENTS, KEY, LONG, PODMAN, SYSTEM, TARGETS, Gate, StressHost, Strace, auth_of, protection

ROBOT = 'acme+edge'
# Calls that change files: between two of them a kill finds the same files, whatever else is called there.
CHANGING = ['openat', 'write', 'fchown', 'fchmod', 'fsetxattr', 'fsync', 'renameat', 'unlinkat']
# Those that only look, say or wait; what happens there is also what memory looks like at a kill.
LOOKING = ['close', 'fstat', 'newfstatat', 'read', 'getrandom', 'fgetxattr', 'flistxattr', 'openat2', 'sendmsg',
           'recvmsg', 'epoll_wait', 'timerfd_settime', 'munmap', 'mmap', 'brk']
FAILING = ['openat', 'openat2', 'write', 'fchown', 'fchmod', 'fsetxattr', 'fsync', 'renameat', 'close', 'getrandom',
           'fstat', 'newfstatat', 'flistxattr', 'fgetxattr']
KILL_FLOOR, ERROR_FLOOR = (150, 150) if LONG else (30, 30)


class Lab:
    """One host, put back to the same state before each run."""

    def __init__(self):
        self.host = StressHost()
        self.host.standard().start()
        self.host.wait_published()
        self.host.stop()
        self.host.save()
        self.protections = {path: protection(self.host.path(path)) for path in (SYSTEM, PODMAN)}
        self.old = self.host.worker.tokens[-1]

    def begin(self, *options):
        """A running daemon whose answer is under way, with strace beside it."""
        host = self.host
        host.load()
        host.start()
        host.wait_published()
        self.gate = Gate(host.worker)
        before = len(host.worker.requests)
        host.refresh_all()
        self.gate.wait()
        self.trace = Strace(host.daemon.pid, *options)
        self.gate.open.set()
        host.worker.wait(lambda: len(host.worker.requests) > before, 'the answer')
        self.exchanges = len(host.worker.requests)

    def attempted(self):
        """The attempt has ended, well or not."""
        job = self.host.client.job('edge')
        return job['AttemptsEnded'] >= 1 and job

    def new(self):
        return self.host.worker.tokens[-1]

    def check_files(self):
        """Whatever happened: nothing of others is lost or open to them, nothing is torn."""
        host = self.host
        good = {auth_of(ROBOT, self.old), auth_of(ROBOT, self.new())}
        host.check_foreign()
        for path in (SYSTEM, PODMAN):
            assert json.loads(host.read(path))['auths'][KEY]['auth'] in good
            assert protection(host.path(path)) == self.protections[path]
        fragment = f'{FRAGMENTS}/edge.json'
        if os.path.exists(host.path(fragment)):
            assert json.loads(host.read(fragment))['auths'][KEY]['auth'] in good
        for path in host.leftovers():
            mode = os.lstat(host.path(path)).st_mode
            target = f'{os.path.dirname(path)}/auth.json'
            assert stat.S_IMODE(mode) & 0o077 == 0 or protection(host.path(path)) == self.protections[target], \
                f'{path} has mode {mode:o}'

    def check_next_start(self):
        """The next run brings everything in line, and without an exchange: a good credential stands."""
        host = self.host
        host.start()
        host.wait_published()
        self.check_files()
        entries = {host.auth(path) for path in (SYSTEM, PODMAN, f'{FRAGMENTS}/edge.json')}
        assert len(entries) == 1, 'targets and fragment differ'
        assert host.leftovers() == []
        assert len(host.worker.requests) == self.exchanges, 'a good credential was fetched again'
        host.kill()

    def count(self):
        """How often each call stands on the path."""
        self.begin('-e', 'trace=all')
        assert self.host.dies_or(self.host.published, 'the publication')
        assert self.host.stop() == 0
        calls = collections.Counter(re.findall(r'^(?:\[pid +\d+\] )?([a-z_0-9]+)\(', ''.join(self.trace.end()), re.M))
        assert calls['renameat'] >= 5 and calls['fsync'] >= 4, calls
        return calls

    def close(self):
        if self.host.daemon:
            self.host.kill()
        self.host.close()


@pytest.fixture(scope='module')
def lab():
    made = Lab()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope='module')
def calls(lab):
    return lab.count()


def killed_at(lab, call, number):
    """True if the daemon was killed there, False if it went its way."""
    lab.begin('-e', f'trace={call}', '-e', f'inject={call}:signal=KILL:when={number}')
    host = lab.host
    if host.dies_or(lab.attempted, 'the end of the attempt'):
        host.daemon.terminate()
    status = host.daemon.wait(20 * SLOW)
    host.daemon = None
    lab.trace.end()
    assert status in (0, -9)
    return status == -9


@pytest.mark.limit(3600 if LONG else 120)
def test_a_kill_at_any_system_call_tears_nothing_and_the_next_start_mends_the_rest(lab, calls, say):
    """spiffe/spire#1033 and #417: a crash between what was issued and what was stored lost it."""
    tried = collections.Counter()
    for call in CHANGING + (LOOKING if LONG else []):
        number = 1
        while calls[call] and killed_at(lab, call, number):
            lab.check_files()
            lab.check_next_start()
            tried[call] += 1
            number += 1
    say(f'killed at {sum(tried.values())} points: {dict(tried)}')
    assert sum(tried.values()) >= KILL_FLOOR


def fails_at(lab, call, number, error):
    """True if the call failed there."""
    host = lab.host
    lab.begin('-e', f'trace={call}', '-e', f'inject={call}:error={error}:when={number}')
    job = host.dies_or(lab.attempted, 'the end of the attempt')
    assert job, 'the daemon did not survive'
    injected = 'INJECTED' in ''.join(lab.trace.end())
    lab.check_files()
    if not injected:
        host.kill()
        return False
    if job['State'] != 'fresh':
        assert (job['State'], job['Step']) == ('retrying', 'publication') and job['Hint']
        assert job['Reason'] == ('target-full' if error == 'ENOSPC' else 'target-unwritable')
        for path in TARGETS.values():
            os.utime(host.path(path))  # somebody made room there
    host.wait_published()
    assert {host.auth(path) for path in TARGETS.values()} == {auth_of(ROBOT, lab.new())}
    assert len(host.worker.requests) == lab.exchanges, 'a failed write caused an exchange'
    assert host.leftovers() == []
    lab.check_files()
    host.kill()
    lab.check_next_start()
    assert {host.auth(path) for path in TARGETS.values()} == {auth_of(ROBOT, lab.new())}, 'an older one came back'
    return True


@pytest.mark.limit(3600 if LONG else 120)
def test_an_error_at_any_system_call_leaves_the_old_file_whole_and_costs_no_exchange(lab, calls, say):
    tried = collections.Counter()
    for call in FAILING if LONG else ['openat', 'write', 'fchown', 'fchmod', 'fsetxattr', 'fsync', 'renameat']:
        for number in range(1, calls[call] + 1):
            for error in ('ENOSPC', 'EIO') if LONG else (('ENOSPC', 'EIO')[number % 2],):
                tried[call, error] += fails_at(lab, call, number, error)
    say(f'failed at {sum(tried.values())} points: { {" ".join(key): n for key, n in tried.items()} }')
    assert sum(tried.values()) >= ERROR_FLOOR
