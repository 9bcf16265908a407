# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauthd on the machine, as an administrator handles it, and the registry that it talks to."""

import base64
import contextlib
import dataclasses
import json
import os
import re
import shutil
import subprocess
import time

from gi.repository import GLib
from quaysim.client import EXCHANGE

NAME, ROOT = 'org.pullauth1', '/org/pullauth1'
MANAGER, JOB = 'org.pullauth1.Manager', 'org.pullauth1.Job'
SYSTEM, PODMAN = '/etc/containers/auth.json', '/run/containers/0/auth.json'
SESSION = '/root/.config/containers/auth.json'  # where podman of root looks second
TOKEN_FILE = '/etc/pullauth/host.jwt'
DAEMON, WORKER, SOCKET = 'pullauthd.service', 'pullauth-worker.service', 'pullauth-worker.socket'
CREDENTIAL_SOCKET = 'pullauth-credential.socket'


@dataclasses.dataclass(frozen=True)
class Entry:
    user: str
    secret: str = dataclasses.field(repr=False)


class Product:
    def __init__(self, machine, quay):
        self.machine = machine
        self.quay = quay
        self.scope = f'{quay.quay}/acme'

    # --- configuration ------------------------------------------------------------------------------

    def clean(self):
        """As on the first day: installed, nothing configured, nothing running, nothing pulled."""
        self.machine.run('systemctl', 'stop', CREDENTIAL_SOCKET, DAEMON, WORKER, SOCKET)
        self.machine.run('systemctl', 'disable', DAEMON)
        self.machine.run('systemctl', 'reset-failed')
        for directory in ('/run/pullauth', '/var/lib/pullauth', '/run/containers/0', '/etc/pullauth/identities',
                          '/etc/pullauth/jobs', '/etc/pullauth/targets'):
            shutil.rmtree(self.machine.path(directory), ignore_errors=True)
        for file in (SYSTEM, PODMAN, SESSION, TOKEN_FILE):
            self.machine.remove(file)
        self.machine.run('systemd-tmpfiles', '--create', 'pullauth.conf')
        self.trust_registry()
        self.quay.reset()

    def trust_registry(self):
        """For podman and skopeo; pullauthd is told by CAFile=."""
        with open(self.quay.ca, encoding='ascii') as certificate:
            self.machine.write(f'/etc/containers/certs.d/{self.quay.quay}/ca.crt', certificate.read())

    def write_token(self, path=TOKEN_FILE, mode=0o600, **parameters):
        """Where the identity agent of this host puts its JWT."""
        self.machine.write(path, self.quay.jwt(**parameters), mode)

    def configure(self, job='edge', identity='default', token_file=TOKEN_FILE, robot='acme+edge', more=''):
        self.machine.write(f'/etc/pullauth/identities/{identity}.identity',
                           f'[Identity]\nSource=file\nTokenFile={token_file}\nAudience={self.quay.audience}\n')
        self.machine.write(f'/etc/pullauth/jobs/{job}.job',
                           f'[Job]\nRegistry={self.quay.quay}\nRobot={robot}\nIdentity={identity}\n'
                           f'CAFile=/etc/containers/certs.d/{self.quay.quay}/ca.crt\n{more}')

    # --- the daemon ---------------------------------------------------------------------------------

    def enable(self):
        """Returns when it says that it is ready."""
        self.machine.run('systemctl', 'enable', '--now', DAEMON)

    def start(self):
        self.machine.run('systemctl', 'start', DAEMON)

    def stop(self):
        self.machine.run('systemctl', 'stop', DAEMON)

    def up(self, **configuration):
        """The usual beginning: one job, and its credential in place."""
        self.write_token()
        self.configure(**configuration)
        self.enable()
        return self.wait_job(lambda job: job['State'] == 'fresh', seconds=20)

    def call(self, member, *arguments, signature='', seconds=60):
        return self.machine.bus.call(NAME, ROOT, MANAGER, member,
                                     GLib.Variant(f'({signature})', arguments) if signature else None, seconds)

    def job_path(self, name='edge'):
        return self.call('GetJob', name, signature='s')

    def job(self, name='edge'):
        return self.machine.bus.get_all(NAME, self.job_path(name), JOB)

    def wait_job(self, is_reached, name='edge', seconds=60):
        return self.machine.bus.wait(NAME, self.job_path(name), JOB, is_reached, seconds)

    def refresh(self, name='edge'):
        """By an attempt that begins from here on: one that is under way knows of what was before."""
        begun = self.job(name)['AttemptsStarted']
        attempt = self.call('RefreshJob', name, signature='s')
        if attempt <= begun:
            self.wait_job(lambda job: job['AttemptsEnded'] >= attempt, name)
            attempt = self.call('RefreshJob', name, signature='s')
        return self.wait_job(lambda job: job['AttemptsEnded'] >= attempt, name)

    @contextlib.contextmanager
    def refreshing(self, name='edge'):
        """For the time of a with block the registry lets the worker wait, which otherwise ends when it has nothing to
        do."""
        begun = self.exchanges()
        held = self.quay.misbehave('delay', path=EXCHANGE, count=1, hold=True, seconds=0)
        try:
            attempt = self.call('RefreshJob', name, signature='s')
            self.quay.exchanges(at_least=begun + 1)
            yield
        finally:
            self.quay.behave(held)
        self.wait_job(lambda job: job['AttemptsEnded'] >= attempt, name)

    def states(self):
        return {row[0]: row[4] for row in self.call('ListJobs')}

    def exchanges(self):
        """How often a credential was asked for, as the registry counts."""
        return len(self.quay.exchanges())

    def main_pid(self, unit=DAEMON):
        """As seen from outside the machine."""
        inside = self.machine.units.service(unit)['MainPID']
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/status', encoding='utf-8') as status:
                    numbers = dict(line.split(':', 1) for line in status)['NSpid'].split()
                same = os.readlink(f'/proc/{pid}/ns/pid') == os.readlink(f'/proc/{self.machine.leader}/ns/pid')
            except OSError:
                continue
            if same and int(numbers[-1]) == inside:
                return int(pid)
        raise AssertionError(f'{unit} has no process')

    # --- container tools ----------------------------------------------------------------------------

    def pull(self, image=None, env=None):
        """What podman says in a system service, which has no HOME and no XDG_RUNTIME_DIR. Nothing is pulled
        already."""
        self.machine.run('podman', 'rmi', '--all', '--force')
        return self.machine.run('podman', 'pull', '--quiet', image or self.quay.image, env=env, check=False,
                                seconds=100)

    def assert_pulls(self, image=None, env=None):
        done = self.pull(image, env)
        assert done.returncode == 0, done.stdout
        assert self.machine.run('podman', 'image', 'exists', image or self.quay.image, check=False).returncode == 0

    def assert_refused(self, image=None, env=None):
        """An expired robot token is what Quay answers with a 500."""
        done = self.pull(image, env)
        assert done.returncode != 0
        assert re.search('unauthorized|denied|invalid status code from registry 500', done.stdout), done.stdout

    def entry(self, path):
        """Our entry of a target, or None."""
        auths = json.loads(self.machine.read(path)).get('auths', {}) if self.machine.exists(path) else {}
        found = auths.get(self.scope)
        return Entry(*base64.b64decode(found['auth']).decode().split(':', 1)) if found else None

    def wait_end_of_life(self, path):
        """Waits until the end of the credential in a target, which is a moment and no event."""
        claims = self.entry(path).secret.split('.')[1]
        end = json.loads(base64.urlsafe_b64decode(claims + '=' * (-len(claims) % 4)))['exp']
        time.sleep(max(0, end - time.time()) + 1)


def needed(program):
    """The libraries that a program names itself."""
    lines = subprocess.run(['readelf', '--dynamic', '--wide', program], check=True, text=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout.splitlines()
    return [line.split('[')[1].rstrip(']') for line in lines if '(NEEDED)' in line]
