# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small host in a directory: pullauthd below --root=, a private system bus, a worker, a service manager's ear.

As root the daemon runs as the system user `daemon` and callers as `nobody`, for a caller with the daemon's uid,
or root, is never asked for its rights. (dbus-daemon wants users that have names.)
"""

import contextlib
import json
import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from client import Client, Gio, GLib
from activate import listen
from fakeworker import FakeWorker
from polkitd import Polkitd
from privatebus import PrivateBus

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ['PULLAUTH_BUILD']
SLOW = int(os.environ.get('PULLAUTH_TEST_SLOW', '1'))
WRAPPER = shlex.split(os.environ.get('PULLAUTH_TEST_WRAPPER', ''))
ROOT = os.geteuid() == 0
DAEMON_USER = pwd.getpwnam('daemon') if ROOT else pwd.getpwuid(os.geteuid())
DAEMON_UID = DAEMON_USER.pw_uid
# Services whose signals end waits, or that are asked for something; a test may be them.
EVENT_NAMES = ['org.freedesktop.NetworkManager', 'org.freedesktop.network1', 'org.freedesktop.login1',
               'org.freedesktop.systemd1']
STRANGER_UID = pwd.getpwnam('nobody').pw_uid

# As a service manager does: from descriptor 3 on, for this very process, and with names.
PASS_SOCKETS = '''
import os, sys
names, fds, command = sys.argv[1], [os.dup(int(fd)) for fd in sys.argv[2].split()], sys.argv[3:]
high = [os.dup2(fd, 200 + i) for i, fd in enumerate(fds)]
os.closerange(3, 200)
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
os.closerange(3 + len(high), 500)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(high)), LISTEN_FDNAMES=names)
os.execv(command[0], command)
'''

JWT = 'eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJlZGdlLTEifQ.c2lnbmF0dXJl'


def as_user(uid):
    """For subprocess; only root can be somebody else."""
    return {'user': uid, 'group': pwd.getpwuid(uid).pw_gid, 'extra_groups': []} if ROOT else {}


def program(directory, name):
    """Build directories need not be readable to other users."""
    source = {'pullauthd': 'src/daemon', 'pullauth-worker': 'src/worker', 'pullauth-federate': 'src/worker',
              'pullauthctl': 'src/ctl', 'docker-credential-pullauth': 'src/helper',
              'pullauth-credential-provider': 'src/kubelet'}[name]
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        shutil.copy(os.path.join(BUILD, source, name), path)
        os.chmod(path, 0o755)
    return path


def whereabouts(pid):
    """What a process that does not come forward is at: what the kernel knows of it, and how the machine is."""
    told = []
    for path in (f'{pid}/status', f'{pid}/wchan', f'{pid}/syscall', f'{pid}/stack', f'{pid}/schedstat', 'loadavg',
                 'pressure/cpu', 'pressure/io'):
        try:
            with open(f'/proc/{path}', encoding='utf-8', errors='replace') as file:
                text = file.read()
        except OSError as error:
            text = str(error)
        lines = [line for line in text.splitlines() if not path.endswith('status') or line.startswith(('State', 'Sig'))]
        told.append(f'{path}: {" | ".join(lines)}')
    return '\n'.join(told)


class NotifySocket:
    """Collects what the daemon tells the service manager."""

    def __init__(self, path, owner):
        self.path = path
        self.said = []  # lines, as far as they were read
        self.ended = set()  # processes, by id
        self.kept = {}  # descriptors of the daemon, by name (FDSTORE=1)
        self.changed = threading.Condition()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chown(path, owner, owner)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            data, fds, _flags, _address = socket.recv_fds(self.socket, 65536, 8)
            if not data:
                return
            with self.changed:
                lines = data.decode().splitlines()
                self.said += lines
                self.keep(dict(line.split('=', 1) for line in lines), fds)
                self.changed.notify_all()

    def keep(self, message, fds):
        """What systemd does with them, but that it forgets those whose peer has gone by itself."""
        name = message.get('FDNAME', 'stored')
        for fd in fds:
            if message.get('FDSTORE') == '1':
                self.kept[name] = fd
            else:
                os.close(fd)
        if message.get('FDSTOREREMOVE') == '1' and name in self.kept:
            os.close(self.kept.pop(name))

    def close(self):
        """The reader goes first: a descriptor may have another meaning right after it was closed."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
        for fd in self.kept.values():
            os.close(fd)

    def note_end(self, pid):
        with contextlib.suppress(ChildProcessError):  # somebody else was told
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with self.changed:
            self.ended.add(pid)
            self.changed.notify_all()

    def wait(self, wanted, timeout=20, process=None):
        """With a process, also no longer than that lives."""
        if process:
            threading.Thread(target=self.note_end, args=(process.pid,), daemon=True).start()
        with self.changed:
            self.changed.wait_for(lambda: wanted in self.said or process and process.pid in self.ended, timeout * SLOW)
            if wanted in self.said:
                return
            said = list(self.said)
        status = process and process.poll()
        where = 'nobody said it' if not process else f'it ended with status {status}' if status is not None else \
            f'it is there:\n{whereabouts(process.pid)}'
        raise AssertionError(f'{wanted!r} was not among {said} within {timeout * SLOW} s, {where}')

    def catch_up(self):
        """What was said before has been read then: it stood in the queue before a line of ours."""
        mark = f'X_MARK={secrets.token_hex(8)}'
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.sendto(mark.encode(), self.path)
        with self.changed:
            assert self.changed.wait_for(lambda: mark in self.said, 20 * SLOW), 'the ear does not hear us'
            self.said.remove(mark)

    @property
    def lines(self):
        """All that was said since it was forgotten."""
        self.catch_up()
        with self.changed:
            return list(self.said)

    def status(self):
        found = [line for line in self.lines if line.startswith('STATUS=')]
        return found[-1][7:] if found else None

    def forget(self):
        """Also what nobody has read yet: the end of one reload is not that of the next."""
        self.catch_up()
        with self.changed:
            self.said.clear()


class Host:
    def __init__(self, worker=True):
        self.directory = tempfile.mkdtemp(prefix='pullauth-bus-')
        os.chmod(self.directory, 0o755)
        self.root = os.path.join(self.directory, 'root')
        for path in ('etc/pullauth/jobs', 'etc/pullauth/identities', 'etc/containers', 'run/pullauth',
                     'run/containers', 'var/lib', 'tokens'):
            os.makedirs(os.path.join(self.root, path))
        for base, names, _files in os.walk(self.root):
            for path in [base] + [os.path.join(base, name) for name in names]:
                os.chmod(path, 0o755)
                os.chown(path, DAEMON_UID, DAEMON_UID)
        policy = os.path.join(TOP, 'dbus', 'org.pullauth1.conf')
        self.bus_arguments = {'policies': [self.policy(policy)],
                              'open_names': ['org.freedesktop.PolicyKit1', *EVENT_NAMES],
                              'monitors': [os.geteuid()]}
        self.bus = PrivateBus(os.path.join(self.directory, 'bus'), **self.bus_arguments)
        self.worker = FakeWorker(self.path('run/pullauth/worker.sock'), DAEMON_UID) if worker else None
        self.notify = NotifySocket(os.path.join(self.directory, 'notify'), DAEMON_UID)
        self.logs = os.path.join(self.directory, 'log')
        self.daemon = None
        self.launcher = []  # a program that starts the daemon as its user, in place of us
        self.units_socket = None  # what a service manager holds for the daemon
        self.others = []
        self.stubs = []
        self._client = None

    def policy(self, path):
        """The policy that is installed, with the user of this rig in the place of `pullauth`."""
        with open(path, encoding='utf-8') as file:
            text = file.read()
        changed = text.replace('user="pullauth"', f'user="{DAEMON_USER.pw_name}"')
        assert changed != text
        copy = os.path.join(self.directory, 'policy.conf')
        with open(copy, 'w', encoding='utf-8') as file:
            file.write(changed)
        return copy

    def path(self, path):
        return os.path.join(self.root, path.lstrip('/'))

    def write(self, path, text, mode=0o644):
        full = self.path(path)
        parent, made = os.path.dirname(full), []
        while not os.path.exists(parent):
            made.append(parent)
            parent = os.path.dirname(parent)
        for directory in reversed(made):
            os.mkdir(directory, 0o755)
            os.chown(directory, DAEMON_UID, DAEMON_UID)
        data = text if isinstance(text, bytes) else text.encode()
        early = f'{full}.new'
        with open(early, 'wb') as file:
            file.write(data)
        os.chmod(early, mode)
        os.chown(early, DAEMON_UID, DAEMON_UID)
        os.rename(early, full)
        return full

    def read(self, path):
        with open(self.path(path), 'rb') as file:
            return file.read()

    def auths(self, path='etc/containers/auth.json'):
        try:
            return json.loads(self.read(path))['auths']
        except FileNotFoundError:
            return None

    def identity(self, name='default', token='/tokens/token', more=''):
        self.write(f'etc/pullauth/identities/{name}.identity',
                   f'[Identity]\nSource=file\nTokenFile={token}\nAudience=quay\n{more}')

    def token(self, text=JWT, path='tokens/token', mode=0o600):
        return self.write(path, text, mode)

    def job(self, name='edge', robot=None, registry='quay.example.com', more=''):
        robot = robot or f'acme+{name}'
        self.write(f'etc/pullauth/jobs/{name}.job', f'[Job]\nRegistry={registry}\nRobot={robot}\n{more}')

    def standard(self):
        self.identity()
        self.token()
        self.job()
        return self

    def environment(self, **more):
        return {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC',
                'DBUS_SYSTEM_BUS_ADDRESS': self.address,
                **{key: value for key, value in os.environ.items() if key.endswith('SAN_OPTIONS')}, **more}

    @property
    def address(self):
        """Without the bus's guid, for the one after it will have another."""
        return self.bus.address.split(',')[0]

    def listen_for_units(self):
        """From the next start on the daemon is given the socket for credentials of units."""
        self.units_socket = listen(self.path('run/pullauth/credential.sock'), user=DAEMON_UID)
        return self

    def start(self, wait=True, **environment):
        """A variable that is None is not set."""
        variables = {'NOTIFY_SOCKET': self.notify.path, 'PULLAUTH_LOG_LEVEL': 'debug', **environment}
        self.notify.forget()
        log = open(self.logs, 'ab')
        command = [*WRAPPER, program(self.directory, 'pullauthd'), f'--root={self.root}']
        passed = []
        if self.units_socket:
            with self.notify.changed:
                kept = dict(self.notify.kept)
            passed = [self.units_socket.fileno(), *kept.values()]
            command = ['/usr/bin/python3', '-Sc', PASS_SOCKETS, ':'.join(['credential', *kept]),
                       ' '.join(map(str, passed)), *command]
        self.daemon = subprocess.Popen([*self.launcher, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       cwd=self.directory, start_new_session=True, pass_fds=passed,
                                       env=self.environment(**{key: value for key, value in variables.items()
                                                               if value is not None}),
                                       **({} if self.launcher else as_user(DAEMON_UID)))
        log.close()
        if wait:
            self.notify.wait('READY=1', 90, self.daemon)
        return self

    def begin(self):
        """Returns when the job of a standard host has its credential."""
        self.start()
        self.client.wait_job('edge', State='fresh')
        return self

    def stop(self, number=signal.SIGTERM):
        """Ends the daemon and returns its status."""
        if not self.daemon:
            return None
        self.daemon.send_signal(number)
        try:
            return self.daemon.wait(20 * SLOW)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            raise
        finally:
            self.daemon = None

    def restart(self, number=signal.SIGTERM, **environment):
        self.stop(number)
        return self.start(**environment)

    def reboot(self):
        """The daemon does not run. What is in /run is gone, and the boot is another one."""
        shutil.rmtree(self.path('run/pullauth/fragments'))
        shutil.rmtree(self.path('run/containers/0'), ignore_errors=True)
        state = re.sub(r'"boot_id": "[0-9a-f]{32}"', f'"boot_id": "{os.urandom(16).hex()}"',
                       self.read('var/lib/pullauth/state.json').decode())
        self.write('var/lib/pullauth/state.json', state, 0o600)

    def reload(self):
        """As `systemctl reload` does; returns when it is over."""
        self.notify.forget()
        self.daemon.send_signal(signal.SIGHUP)
        self.notify.wait('READY=1', process=self.daemon)

    @property
    def client(self):
        if not self._client:
            self._client = Client(self.address, SLOW)
        return self._client

    def forget_client(self):
        if self._client:
            self._client.close()
        self._client = None

    def log(self):
        with open(self.logs, encoding='utf-8', errors='replace') as file:
            return file.read()

    def run_as(self, uid, *command, **more):
        """Runs a program to its end as another user."""
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env=self.environment(), timeout=60 * SLOW, cwd=self.directory,
                              **as_user(uid), **more)

    def popen_as(self, uid, *command):
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                text=True, env=self.environment(), cwd=self.directory, **as_user(uid))

    def wait_file(self, path, condition, timeout=30):
        """Looks again each time something changes in the file's directory."""
        full = self.path(path)
        context = GLib.MainContext.default()
        events = []
        monitor = Gio.File.new_for_path(os.path.dirname(full)).monitor_directory(Gio.FileMonitorFlags.WATCH_MOVES)
        monitor.connect('changed', lambda *_: events.append(True))
        source = GLib.timeout_add_seconds(timeout * SLOW, lambda: events.append(None) or True)
        try:
            while not condition():
                assert None not in events, f'{path} did not change as expected within {timeout * SLOW} s'
                events.clear()
                while not events:
                    context.iteration(True)
        finally:
            GLib.source_remove(source)
            monitor.cancel()

    def busctl(self, *arguments, uid=STRANGER_UID):
        return self.run_as(uid, 'busctl', '--system', *arguments)

    def ctl(self, *arguments, uid=STRANGER_UID):
        return self.run_as(uid, program(self.directory, 'pullauthctl'), *arguments)

    def polkit(self):
        """A polkit that says no to everything until told otherwise (python-dbusmock's)."""
        process = subprocess.Popen(['/usr/bin/python3', '-m', 'dbusmock', '--system', '--template', 'polkitd'],
                                   env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        self.others.append(process)

        def there():
            return self.client.call('org.freedesktop.DBus', 'NameHasOwner', 's', 'org.freedesktop.PolicyKit1',
                                    path='/org/freedesktop/DBus', name='org.freedesktop.DBus')
        self.client.wait(there, 'polkit')
        return Polkit(self.client, process)

    def polkitd(self, rule=lambda action, details: False):
        """A polkit with one rule, which remembers its questions."""
        made = Polkitd(self.address, rule, SLOW)
        self.stubs.append(made)
        return made

    def close(self):
        try:
            status = self.stop()
        finally:
            for stub in self.stubs:
                stub.stop()
            for process in self.others:
                process.kill()
                process.wait()
            if self.worker:
                self.worker.stop()
            if self.units_socket:
                self.units_socket.close()
            self.notify.close()
            self.forget_client()
            self.bus.close()
            self.print_log()
            shutil.rmtree(self.directory, ignore_errors=True)
        assert status in (None, 0), f'pullauthd ended with status {status}'

    def print_log(self):
        """For the report of a failed test."""
        if os.path.exists(self.logs):
            print(f'--- log of pullauthd ({time.ctime()})')
            print(self.log()[-6000:])


class Polkit:
    def __init__(self, client, process):
        self.client = client
        self.process = process

    def tell(self, method, signature, *arguments):
        self.client.call('org.freedesktop.DBus.Mock', method, signature, *arguments,
                         path='/org/freedesktop/PolicyKit1/Authority', name='org.freedesktop.PolicyKit1')

    def allow(self, *actions):
        self.tell('SetAllowed', 'as', list(actions))
