# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host of the bus suite, with root's files in it and a daemon that has the rights of the service.

The system target belongs to root and another group, has an ACL, and is full of what others wrote in their own way.
"""

import base64
import grp
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import threading

import rig
from client import GLib
from rig import DAEMON_UID, ROOT, SLOW, WRAPPER, program

HERE = os.path.dirname(os.path.abspath(__file__))
LONG = os.environ.get('PULLAUTH_STRESS') == 'long'
SYSTEM, PODMAN = 'etc/containers/auth.json', 'run/containers/0/auth.json'
TARGETS = {'system': SYSTEM, 'podman': PODMAN}
STATE, FRAGMENTS = 'var/lib/pullauth', 'run/pullauth/fragments'
REGISTRY = 'quay.example.com'
KEY = f'{REGISTRY}/acme'
OTHERS = grp.getgrnam('mail').gr_gid
CAPABILITIES = '+chown,+dac_override,+fowner'
MANAGER = 'org.pullauth1.Manager'

# As others wrote it: to be found again byte for byte.
FOREIGN = ('"docker.io" :{ "auth":"Zm9vOmJhcg==", "email": "a\\u00e4\\/b" }',
           '"ghcr.io/org": {"auth": "Zm9vOmJhcg==", "number": 1.50e+3, "deep": [[], {}, null]}',
           '"quay.example.com/others":{"auth":"Zm9vOmJhcg=="}')
REST = ('"credHelpers": {"example.org": "secretservice"}', '"unknown":[1, 2,3]')
SYSTEM_TEXT = '{\n  "auths": {\n\t%s\n  },\n  %s\n}\n' % (',\n\t'.join(FOREIGN), ', '.join(REST))
ACL, ACL_UNDEFINED = 'system.posix_acl_access', 0xffffffff


def acl(user):
    """rw for the owner and `user`, r for the group, nothing for others."""
    entries = [(0x01, 6, ACL_UNDEFINED), (0x02, 4, user), (0x04, 4, ACL_UNDEFINED), (0x10, 4, ACL_UNDEFINED),
               (0x20, 0, ACL_UNDEFINED)]
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *entry) for entry in entries)


def protection(path):
    """Everything that keeps others out of a file."""
    st = os.lstat(path)
    return st.st_uid, st.st_gid, st.st_mode, tuple((name, os.getxattr(path, name)) for name in os.listxattr(path))


def auth_of(robot, token):
    return base64.b64encode(f'{robot}:{token}'.encode()).decode()


class Gate:
    """Holds the answers of a fake worker until they are wanted."""

    def __init__(self, worker):
        self.worker, self.asked, self.open = worker, threading.Semaphore(0), threading.Event()
        worker.answer = self.answer

    def answer(self, request):
        self.asked.release()
        assert self.open.wait(30 * SLOW)
        return self.worker.credential(request)

    def wait(self):
        assert self.asked.acquire(timeout=30 * SLOW), 'nobody asked the worker'


class Strace:
    """Attached to a process; `lines` is what it said, once it is over."""

    def __init__(self, pid, *options):
        self.lines = []
        self.process = subprocess.Popen(['strace', '-f', '-p', str(pid), *options], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        start_new_session=True)
        for line in self.process.stderr:
            if 'attached' in line:
                break
            self.lines.append(line)
        else:
            raise AssertionError(f'strace does not attach: {self.lines}')
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def count(self, text):
        """Of the lines that were read, those in which this stands."""
        return sum(text in line for line in list(self.lines))

    def end(self):
        """Lets the process go, if it lives."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(20 * SLOW)
        self.reader.join(20 * SLOW)
        self.process.stderr.close()
        return self.lines


class StressHost(rig.Host):
    def __init__(self, worker=True):
        super().__init__(worker)
        self.launch = []  # what the daemon is started by
        self.capabilities, self.umask = CAPABILITIES, 0o077
        for path in ('etc', 'etc/containers', 'run', 'run/containers'):
            os.chown(self.path(path), 0 if ROOT else -1, 0 if ROOT else -1)

    def start(self, wait=True, **environment):
        """As the service does: its own user, the few capabilities, its umask."""
        self.notify.forget()
        user = ['setpriv', f'--reuid={DAEMON_UID}', f'--regid={DAEMON_UID}', '--clear-groups',
                *(f'--{kind}-caps={self.capabilities}' for kind in ('inh', 'ambient') if self.capabilities)] \
            if ROOT else []
        with open(self.logs, 'ab') as log:
            self.daemon = subprocess.Popen(
                [*self.launch, *user, *WRAPPER, program(self.directory, 'pullauthd'), f'--root={self.root}'],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory, start_new_session=True,
                umask=self.umask, env=self.environment(NOTIFY_SOCKET=self.notify.path, PULLAUTH_LOG_LEVEL='debug',
                                                  **environment))
        if wait:
            self.notify.wait('READY=1', 90, self.daemon)
        return self

    def standard(self):
        super().standard()
        self.put_system()
        return self

    def put_system(self, text=SYSTEM_TEXT):
        """The system target as an administrator made it, put there by rename."""
        path = self.write(SYSTEM + '.made', text, 0o640)
        if ROOT:
            os.chown(path, 0, OTHERS)
        os.setxattr(path, ACL, acl(rig.STRANGER_UID))
        os.rename(path, self.path(SYSTEM))

    def adopted(self):
        """Running with a credential of the run before: a refresh that is asked for need not wait for its interval."""
        self.standard().start()
        self.wait_published()
        self.restart()
        self.wait_published()
        return self

    def refresh_all(self):
        return self.client.call(MANAGER, 'RefreshAll')

    def kill(self):
        self.stop(signal.SIGKILL)

    def published(self, name='edge'):
        """Fresh, and in every target. False once the daemon is gone, for others to notice."""
        job = self.client.job(name)
        return job['State'] == 'fresh' and all(row[2] == 'published' for row in job['TargetStates']) and job

    def wait_published(self, name='edge', timeout=90):
        """After a failure it may take the longest pace of publication, a minute."""
        return self.client.wait(lambda: self.published(name), f'job {name} in its targets', timeout)

    def dies_or(self, condition, what, timeout=30):
        """What `condition` says, or None if the daemon went away meanwhile."""
        try:
            return self.client.wait(condition, what, timeout)
        except GLib.Error:
            self.daemon.wait(20 * SLOW)
            return None

    def auth(self, path, key=KEY):
        """What stands under the key, or None."""
        try:
            return json.loads(self.read(path)).get('auths', {}).get(key, {}).get('auth')
        except FileNotFoundError:
            return None

    def leftovers(self):
        """Temporary files, wherever we write."""
        found = []
        for directory in (os.path.dirname(SYSTEM), os.path.dirname(PODMAN), STATE, FRAGMENTS):
            if os.path.isdir(self.path(directory)):
                found += [f'{directory}/{name}' for name in os.listdir(self.path(directory))
                          if name.startswith('.pullauth')]
        return found

    def wait_clean(self):
        """A write that goes on, of the state for example, has one for an instant; what was left behind stays."""
        self.client.poll(lambda: not self.leftovers(), 'the end of all temporary files')

    def check_foreign(self):
        """Each foreign piece stands there as it was written."""
        text = self.read(SYSTEM).decode()
        missing = [piece for piece in FOREIGN + REST if piece not in text]
        assert not missing, f'lost: {missing}'

    def save(self):
        """Remembers all files that we write; load() brings them back. The daemon must not run."""
        for number, directory in enumerate(self.written()):
            subprocess.run(['cp', '-a', self.path(directory), f'{self.directory}/saved{number}'], check=True)

    def load(self):
        for number, directory in enumerate(self.written()):
            shutil.rmtree(self.path(directory), ignore_errors=True)
            subprocess.run(['cp', '-a', f'{self.directory}/saved{number}', self.path(directory)], check=True)

    @staticmethod
    def written():
        return os.path.dirname(SYSTEM), os.path.dirname(PODMAN), STATE, FRAGMENTS


def figures(pid):
    """Open descriptors and resident KiB of a process."""
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        status = file.read()
    return len(os.listdir(f'/proc/{pid}/fd')), int(re.search(r'^VmRSS:\s*(\d+)', status, re.M).group(1))
