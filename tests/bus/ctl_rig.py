# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of pullauthctl have in common: a bus, a stand-in for the daemon, the tool, and jobs to show."""

import fcntl
import os
import pty
import re
import select
import shlex
import shutil
import struct
import subprocess
import tempfile
import termios
import time

import pytest
from mock_daemon import NAME, MockDaemon
from privatebus import PrivateBus

SLOW = float(os.environ.get('PULLAUTH_TEST_SLOW', '1'))
WRAPPER = shlex.split(os.environ.get('PULLAUTH_TEST_WRAPPER', ''))
needs_spawn_errors = pytest.mark.skipif(any('valgrind' in word for word in WRAPPER),
                                        reason='posix_spawn() under valgrind does not tell why exec() failed')
PROGRAM = os.path.join(os.environ.get('PULLAUTH_BUILD', 'build'), 'src', 'ctl', 'pullauthctl')
US = 1000000
HOUR = 3600


def soon(seconds):
    """µs of the real clock. Half a minute more than asked for: what is printed in whole minutes holds that long."""
    return (int(time.time()) + seconds + 30) * US


def lived(left, whole=HOUR):
    expires = soon(left)
    return {'Expires': expires, 'Issued': expires - whole * US}


def fresh(**more):
    return {'Registry': 'quay.example.com', 'Robot': 'acme+edge', 'Identity': 'default',
            'Scopes': ['quay.example.com/acme'], 'Targets': ['system', 'podman'], 'State': 'fresh',
            **lived(43 * 60), 'NextAttempt': soon(17 * 60), 'AttemptsStarted': 2, 'AttemptsEnded': 2, 'Refreshes': 2,
            'IdentityIssuer': 'https://oidc.example.com', 'IdentitySubject': 'edge-1', 'IdentityAudience': ['quay'],
            'TargetStates': [('system', '/etc/containers/auth.json', 'published', '')],
            'ConfigurationFiles': ['/etc/pullauth/jobs/edge.job'], **more}


def retrying(**more):
    return {**fresh(), **lived(13 * 60), 'Robot': 'acme+lab', 'State': 'retrying', 'NextAttempt': soon(11 * 60),
            'Step': 'exchange', 'Reason': 'federation-not-configured', 'HTTPStatus': 400,
            'Message': 'The registry trusts no issuer for robot acme+lab',
            'RegistryWords': 'Robot does not have federated login configured',
            'Hint': "Add this host's issuer and subject to the robot account's federation in the registry",
            'FailuresInARow': 3, 'ConfigurationFiles': ['/etc/pullauth/jobs/lab.job'], **more}


def broken(**more):
    return {'State': 'failed', 'Step': 'configuration', 'Reason': 'configuration-invalid',
            'Message': 'Robot= is missing',
            'ConfigurationMessages': [('error', 3, '/etc/pullauth/jobs/stage.job', 'Robot= is missing')], **more}


class CtlRig:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix='pullauth-ctl-')
        self.bus = PrivateBus(self.directory, open_names=[NAME], log=subprocess.DEVNULL)
        self.mock = None

    def start(self):
        self.mock = MockDaemon(self.bus.address)
        return self.mock

    def environment(self, more):
        base = {key: value for key, value in os.environ.items()
                if key not in ('NO_COLOR', 'COLUMNS', 'LANG', 'LANGUAGE', 'PAGER', 'LESS', 'SUDO_UID', 'PKEXEC_UID')
                and not key.startswith(('LC_', 'SYSTEMD_'))}
        return {**base, 'TZ': 'UTC', 'LC_ALL': 'C.UTF-8', 'TERM': 'xterm', 'PAGER': '',
                'DBUS_SYSTEM_BUS_ADDRESS': self.bus.address, **more}

    def ctl(self, *arguments, **environment):
        """Runs the tool without a terminal. Returns the finished process."""
        return subprocess.run([*WRAPPER, PROGRAM, *arguments], env=self.environment(environment), encoding='utf-8',
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60 * SLOW)

    def shell(self, script, **environment):
        """Runs a script in which `pullauthctl` is the tool. Returns what came out on standard error."""
        wrapper = ' '.join(shlex.quote(word) for word in [*WRAPPER, PROGRAM])
        ran = subprocess.run(['sh', '-c', f'pullauthctl() {{ {wrapper} "$@"; }}\n{script}'], encoding='utf-8',
                             env=self.environment(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, timeout=60 * SLOW)
        return ran.stderr

    def on_terminal(self, *arguments, columns=80, answer='', **environment):
        """Runs the tool on a terminal of its own, where somebody typed `answer` already. Returns its status and all
        that it wrote."""
        pid, terminal = pty.fork()
        if pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
            os.execvpe([*WRAPPER, PROGRAM][0], [*WRAPPER, PROGRAM, *arguments], self.environment(environment))
        os.write(terminal, answer.encode())
        written = b''
        while select.select([terminal], [], [], 60 * SLOW)[0]:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            written += piece
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), written.decode().replace('\r\n', '\n')

    def close(self):
        if self.mock:
            self.mock.close()
        self.bus.close()
        shutil.rmtree(self.directory)


def without_dates(text):
    return re.sub(r'\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC', 'DATE', text)
