# SPDX-License-Identifier: LGPL-2.1-or-later
"""The scratch world of tools/demo: starts programs, shows commands, waits for what the daemon tells, cleans up.

Everything lives in one directory: the build, the simulated Quay with a real registry behind it, a bus of its own,
the files that pullauthd reads and writes (below root/). Programs are ended by their process ids. No secret is
printed; in files that are shown its length stands in its place.
"""

import http.client
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, 'tests', 'lib'), os.path.join(TOP, 'tests', 'quay')]

import activate  # noqa: E402
from privatebus import PrivateBus  # noqa: E402

PATIENCE = 60
STOP = """#!/bin/bash
# Ends what `tools/demo --keep` left running and removes its directory. Only processes that were started from
# that directory are touched, should the numbers have been given to others.
cd /
for pid in {pids}; do
        grep -qszF {directory} "/proc/$pid/cmdline" || continue
        kill "$pid"
        for ((i = 0; i < 100; i++)); do
                kill -0 "$pid" 2>/dev/null || break
                sleep 0.1
        done
done
rm -rf {directory}
echo 'demo: stopped, {directory} is gone'
"""


class Trouble(Exception):
    """The demonstration cannot go on; the text says why."""


class Demo:
    def __init__(self, keep, lifetime, plain):
        self.keep, self.lifetime = keep, lifetime
        self.directory = tempfile.mkdtemp(prefix='pullauth-demo-')
        self.root = os.path.join(self.directory, 'root')
        self.build = os.path.join(self.directory, 'build')
        self.bold, self.dim, self.off = ('', '', '') if plain else ('\033[1m', '\033[2m', '\033[0m')
        self.started = []  # (what, process) in the order of their start
        self.environment = dict(os.environ)
        for name in ('REGISTRY_AUTH_FILE', 'DBUS_SYSTEM_BUS_ADDRESS', 'NOTIFY_SOCKET', 'http_proxy', 'https_proxy',
                     'HTTPS_PROXY', 'ALL_PROXY', 'all_proxy'):
            self.environment.pop(name, None)
        # A home of its own: skopeo reads credentials of the user from there.
        self.environment.update(HOME=os.path.join(self.directory, 'home'), XDG_RUNTIME_DIR=self.path('home/run'),
                                XDG_CONFIG_HOME=self.path('home/.config'), PYTHONDONTWRITEBYTECODE='1',
                                LC_ALL='C.UTF-8')
        os.makedirs(self.environment['XDG_RUNTIME_DIR'], mode=0o700)
        self.system = os.path.join(self.root, 'etc/containers/auth.json')
        self.quay = self.notify = self.pulls = None
        self.number = 0

    def path(self, path):
        return os.path.join(self.directory, path)

    def say(self, text=''):
        print(text, flush=True)

    def headline(self, text):
        self.number += 1
        self.say(f'\n{self.bold}{self.number}. {text}{self.off}')

    def indented(self, text):
        for line in text.rstrip('\n').split('\n') if text.strip() else ():
            self.say(f'   {line}'.rstrip())

    def log(self, name):
        return open(self.path(f'{name}.log'), 'ab')

    def start(self, what, command, **options):
        """Starts a program in a session of its own, so that Ctrl-C reaches this one alone."""
        with self.log(what) as log:
            options.setdefault('stdout', log)
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True,
                                       cwd=self.directory, **{'env': self.environment, **options})
        self.started.append((what, process))
        return process

    def started_line(self, what, process, expected):
        """Waits for the line that a program prints once it is there."""
        deadline, data = time.monotonic() + PATIENCE, b''
        while b'\n' not in data:
            ready = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))[0]
            piece = os.read(process.stdout.fileno(), 4096) if ready else b''
            if not piece:
                raise Trouble(f'{what} did not start:\n{self.tail(what)}')
            data += piece
        if expected not in data.decode():
            raise Trouble(f'{what} said {data!r}:\n{self.tail(what)}')

    def tail(self, name, lines=15):
        try:
            with open(self.path(f'{name}.log'), encoding='utf-8', errors='replace') as log:
                return ''.join(log.readlines()[-lines:])
        except FileNotFoundError:
            return ''

    def quietly(self, what, command, timeout=900):
        with self.log(what) as log:
            result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                                    cwd=TOP, timeout=timeout)
        if result.returncode != 0:
            raise Trouble(f'{what} failed:\n{self.tail(what)}')

    def show(self, command, expected=0, shown=None, env=None):
        """Runs a command in sight. Returns its output; another status than the expected one ends everything.
        `expected` None: any status but 0."""
        self.say(f'   {self.dim}$ {shown or " ".join(command)}{self.off}')
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env={**self.environment, **(env or {})}, cwd=self.directory, text=True,
                                errors='replace', timeout=PATIENCE)
        self.indented(result.stdout)
        if (result.returncode == 0) if expected is None else (result.returncode != expected):
            raise Trouble(f'that ended with status {result.returncode}')
        return result.stdout

    def program(self, name):
        places = {'pullauthd': 'daemon', 'pullauth-worker': 'worker', 'pullauthctl': 'ctl'}
        return os.path.join(self.build, 'src', places[name], name)

    def ctl(self, *arguments, expected=0):
        return self.show([self.program('pullauthctl'), *arguments], expected, ' '.join(['pullauthctl', *arguments]))

    def write(self, path, text, mode=0o644):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(full, mode)
        return full

    def start_bus(self):
        policy = os.path.join(TOP, 'dbus', 'org.pullauth1.conf')
        with self.log('bus') as log:
            bus = PrivateBus(self.path('bus'), [policy], log, owners=[('org.pullauth1', os.geteuid())])
        self.started.append(('bus', bus.process))
        self.environment.update(bus.environment)
        return bus.address

    def start_worker(self):
        """The socket; the worker itself comes when the daemon connects."""
        path = os.path.join(self.root, 'run/pullauth/worker.sock')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        listener = activate.listen(path)
        launcher = os.path.join(TOP, 'tests', 'lib', 'activate.py')
        self.start('worker', [sys.executable, '-B', launcher, '--socket', path, '--fd', str(listener.fileno()), '--',
                              self.program('pullauth-worker')], pass_fds=[listener.fileno()])
        listener.close()

    def start_daemon(self):
        """Returns when the daemon says, as it would to systemd, that it is ready."""
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.path('notify'))
        daemon = self.start('pullauthd', [self.program('pullauthd'), f'--root={self.root}'],
                            env={**self.environment, 'NOTIFY_SOCKET': self.path('notify')})
        deadline = time.monotonic() + PATIENCE
        while True:
            if select.select([self.notify], [], [], 0.2)[0]:
                if b'READY=1' in self.notify.recv(65536).split(b'\n'):
                    break
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise Trouble(f'pullauthd did not become ready:\n{self.tail("pullauthd")}')
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        """Goes on reading, as systemd would."""
        while self.notify.recv(65536):
            pass

    def wait_for_refresh(self, lifetime):
        """Until the job's property Refreshes has grown, as its PropertiesChanged signal tells."""
        from gi.repository import Gio, GLib
        bus = Gio.DBusConnection.new_for_address_sync(
            self.environment['DBUS_SYSTEM_BUS_ADDRESS'], Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
            Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        job = Gio.DBusProxy.new_sync(bus, Gio.DBusProxyFlags.NONE, None, 'org.pullauth1', '/org/pullauth1/job/edge',
                                     'org.pullauth1.Job', None)
        begun, loop, seen = job.get_cached_property('Refreshes').unpack(), GLib.MainLoop(), []

        def changed(_proxy, properties, _invalidated):
            if properties.unpack().get('Refreshes', begun) > begun:
                seen.append(True)
                loop.quit()

        job.connect('g-properties-changed', changed)
        GLib.timeout_add_seconds(lifetime + PATIENCE, loop.quit)
        GLib.timeout_add(200, lambda: True)  # lets Python look at signals
        loop.run()
        bus.close_sync()
        if not seen:
            raise Trouble(f'no refresh took place:\n{self.tail("pullauthd")}')

    def control(self, operation, **parameters):
        """Tells the simulated Quay to change something."""
        address = urllib.parse.urlsplit(self.quay['control']).netloc
        connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        connection.request('POST', f'/{operation}', json.dumps(parameters))
        answer = connection.getresponse()
        if answer.status != 200:
            raise Trouble(f'the simulated Quay refused: {answer.read().decode()}')
        connection.close()

    def stop(self):
        """Ends what was started, last one first, and removes the directory."""
        for _, process in reversed(self.started):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def leave(self):
        """Everything stays; says how to look around and how to end it."""
        stop = self.path('stop')
        with open(stop, 'w', encoding='utf-8') as file:
            file.write(STOP.format(pids=' '.join(str(p.pid) for _, p in reversed(self.started)),
                                   directory=self.directory))
        os.chmod(stop, 0o755)
        address = self.environment['DBUS_SYSTEM_BUS_ADDRESS']
        self.headline('Look around')
        self.indented('\n'.join([
            f'export DBUS_SYSTEM_BUS_ADDRESS={address}',
            f'export PATH={os.path.join(self.build, "src/ctl")}:$PATH', '',
            'pullauthctl list', 'pullauthctl status edge', 'pullauthctl refresh edge --wait',
            f'busctl --address="{address}" tree org.pullauth1',
            f'busctl --address="{address}" introspect org.pullauth1 /org/pullauth1/job/edge', '',
            f'Configuration, credentials: {self.root}',
            f'Logs: {self.directory}/*.log', '', f'To end it: {stop}']))


def masked(value):
    """JSON with secrets replaced by what can be told about them."""
    if isinstance(value, dict):
        return {key: f'<{len(text)} characters>' if key == 'auth' and isinstance(text, str) else masked(text)
                for key, text in value.items()}
    return value


def show_file(demo, path):
    with open(path, encoding='utf-8') as file:
        content = json.load(file)
    demo.say(f'   {demo.dim}{os.path.relpath(path, demo.root)}, secrets left out:{demo.off}')
    demo.indented(json.dumps(masked(content), indent=4))
    return content
