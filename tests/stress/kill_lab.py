# SPDX-License-Identifier: LGPL-2.1-or-later
"""Situations in which the daemon writes, each brought about again and again, with strace beside the daemon.

What is traced begins with the event that makes it write, and goes to its end, where it saves its state.
"""

import collections
import os
import re
import shutil
import signal
import stat

from rig import SLOW
from stressrig import FRAGMENTS, PODMAN, SYSTEM, Gate, StressHost, Strace, auth_of, protection

ROBOT = 'acme+edge'
FRAGMENT = f'{FRAGMENTS}/edge.json'
PLACES = (SYSTEM, PODMAN, FRAGMENT)


class Lab:
    """A refresh: a credential stands everywhere, and the worker's answer brings the next one."""

    attempts = True      # what is traced is an attempt
    floors = 30, 14      # points at which a quick run must have killed, and failed, at least
    kill_calls = ['openat', 'write', 'fchown', 'fchmod', 'fsetxattr', 'fsync', 'renameat', 'renameat2', 'unlinkat']
    error_calls = ['write', 'fchown', 'fchmod', 'fsetxattr', 'fsync', 'renameat', 'renameat2']
    # For the long run.
    more_error_calls = ['openat', 'openat2', 'close', 'getrandom', 'fstat', 'newfstatat', 'flistxattr', 'fgetxattr',
                        'unlinkat']

    def __init__(self):
        self.host = StressHost()
        self.host.standard()
        self.host.worker.lifetime = 86400  # nothing comes due by itself in hundreds of runs from what is saved here
        self.prepare()
        self.host.save()
        self.protections = {path: protection(self.host.path(path)) for path in (SYSTEM, PODMAN)
                            if os.path.exists(self.host.path(path))}
        self.tokens = len(self.host.worker.tokens)

    def prepare(self):
        self.host.start()
        self.host.wait_published()
        self.host.stop()

    def begin(self, *options):
        """Up to the event, with strace there before it."""
        host = self.host
        host.load()
        host.start()
        host.wait_published()
        gate = Gate(host.worker)
        host.refresh_all()
        self.answer(gate, options)

    def answer(self, gate, options):
        host = self.host
        before = len(host.worker.requests)
        gate.wait()
        self.trace = Strace(host.daemon.pid, *options)
        gate.open.set()
        host.worker.wait(lambda: len(host.worker.requests) > before, 'the answer')
        self.exchanges = len(host.worker.requests)

    def is_over(self):
        """What the event began has come to an end, good or bad: the job. Is asked for at each signal."""
        job = self.host.client.job('edge')
        return job['AttemptsEnded'] >= 1 and job

    def settled(self):
        """All is as it should be in the end."""
        return self.host.published()

    def standing(self, path):
        """Which credential stands there: none, 'old', 'new', or 'other'. Never shows it."""
        names = {None: 'none', auth_of(ROBOT, self.host.worker.tokens[-1]): 'new',
                 auth_of(ROBOT, self.host.worker.tokens[0]): 'old'}
        return names.get(self.host.auth(path), 'other')

    def may_stand(self, path):
        return {'old', 'new', 'none'} if path == FRAGMENT else {'old', 'new'}

    def check_files(self):
        """Whatever happened: nothing of others is lost or open to them, nothing is torn."""
        host = self.host
        host.check_foreign()
        for path in PLACES:
            assert self.standing(path) in self.may_stand(path), (path, self.standing(path))
        for path in (SYSTEM, PODMAN):
            if path in self.protections:
                assert protection(host.path(path)) == self.protections[path]
            elif os.path.exists(host.path(path)):
                assert stat.S_IMODE(os.lstat(host.path(path)).st_mode) == 0o600
        for path in host.leftovers():
            try:
                mode = os.lstat(host.path(path)).st_mode
            except FileNotFoundError:  # of a write that went on
                continue
            target = f'{os.path.dirname(path)}/auth.json'
            assert stat.S_IMODE(mode) & 0o077 == 0 or protection(host.path(path)) == self.protections[target], \
                f'{path} has mode {mode:o}'

    def check_next_start(self, wanted=('old', 'new')):
        """The next run brings everything in line, without an exchange, for a good credential stands."""
        host = self.host
        host.start()
        host.wait_published()
        self.check_files()
        assert len({self.standing(path) for path in PLACES}) == 1, 'targets and fragment differ'
        assert self.standing(SYSTEM) in wanted, f'{self.standing(SYSTEM)} came back'
        host.wait_clean()
        assert len(host.worker.requests) == self.exchanges, 'a good credential was fetched again'
        host.kill()

    def count(self):
        """How often each call stands on the path."""
        self.begin('-e', 'trace=all')
        assert self.host.dies_or(self.settled, 'the end')
        assert self.host.stop() == 0
        lines = ''.join(self.trace.end())
        return collections.Counter(re.findall(r'^(?:\[pid +\d+\] )?([a-z_0-9]+)\(', lines, re.M))

    def kill_at(self, call, number):
        """True if the daemon was killed there, False if it went its way."""
        self.begin('-e', f'trace={call}', '-e', f'inject={call}:signal=KILL:when={number}')
        host = self.host
        if host.dies_or(self.is_over, 'the end of it'):
            host.daemon.terminate()
        status = host.daemon.wait(20 * SLOW)
        host.daemon = None
        self.trace.end()
        assert status in (0, -9)
        return status == -9

    def fail_at(self, call, number, error):
        """The job as it was after that call failed; False if it did not."""
        self.begin('-e', f'trace={call}', '-e', f'inject={call}:error={error}:when={number}')
        job = self.host.dies_or(self.is_over, 'the end of it')
        assert job, 'the daemon did not survive'
        if 'INJECTED' in ''.join(self.trace.end()):
            return job
        self.host.kill()
        return False

    def close(self):
        if self.host.daemon:
            self.host.kill()
        self.host.close()


class First(Lab):
    """The first credential of all joins what others have."""

    floors = 10, 4
    kill_calls = ['fsync', 'renameat', 'renameat2']
    error_calls = ['renameat', 'renameat2']

    def prepare(self):
        host = self.host
        os.makedirs(host.path(FRAGMENTS), 0o700)
        os.makedirs(host.path('var/lib/pullauth'), 0o700)
        os.makedirs(host.path(os.path.dirname(PODMAN)), 0o700)
        for path in (FRAGMENTS, 'var/lib/pullauth'):
            shutil.chown(host.path(path), 'daemon', 'daemon')

    def begin(self, *options):
        host = self.host
        host.load()
        os.rmdir(host.path(os.path.dirname(PODMAN)))
        gate = Gate(host.worker)
        host.start(wait=False)
        host.client.wait(host.client.owner, 'the daemon on the bus', 90)
        self.answer(gate, options)

    def may_stand(self, path):
        return {'none', 'new', 'old', 'other'}

    def check_next_start(self, wanted=('new', 'other')):
        """What was killed before it was stored anywhere has to be fetched once more, nothing else."""
        stored = any(self.standing(path) == 'new' for path in PLACES)
        if not stored:
            self.exchanges += 1
        super().check_next_start(('new',))


class Withdrawal(Lab):
    """A job that is no more: its entries go, everything else stays."""

    attempts = False
    floors = 6, 3
    kill_calls = ['renameat', 'renameat2', 'unlinkat', 'fsync']
    error_calls = ['renameat', 'renameat2', 'unlinkat']
    # Not those that read the configuration as well: one that cannot be read changes nothing.
    more_error_calls = ['getrandom', 'flistxattr', 'fgetxattr']

    def begin(self, *options):
        host = self.host
        host.load()
        host.job()
        host.start()
        host.wait_published()
        self.exchanges = len(host.worker.requests)
        self.trace = Strace(host.daemon.pid, *options)
        os.unlink(host.path('etc/pullauth/jobs/edge.job'))
        host.daemon.send_signal(signal.SIGHUP)

    def is_over(self):
        return self.settled()

    def settled(self):
        host = self.host
        host.client.poll(lambda: host.daemon.poll() is not None or self.is_gone(), 'the withdrawal')
        return True

    def is_gone(self):
        return all(self.standing(path) == 'none' for path in PLACES)

    def may_stand(self, path):
        return {'none', 'old'}

    def check_next_start(self, wanted=()):
        host = self.host
        host.start()
        host.client.poll(self.is_gone, 'the withdrawal by the next run')
        host.wait_clean()
        self.check_files()
        host.kill()
