# SPDX-License-Identifier: LGPL-2.1-or-later
"""One job from the cradle to the grave, driven by three clients that know nothing of us: busctl, gdbus and
python3-dbus. Each lists and finds jobs, makes one for this boot, has it refreshed, waits for signals and for changed
properties, reads how it stands, and removes it."""

import json
import os
import re
import select
import subprocess
import time

import dbus.bus
import pytest
from client import JOB, MANAGER, NAME, PROPERTIES, ROOT, GLib
from dbus.mainloop.glib import DBusGMainLoop
from fakeworker import Later
from rig import SLOW

SETTINGS = {'Registry': GLib.Variant('s', 'quay.example.com'), 'Robot': GLib.Variant('s', 'acme+made'),
            'Scopes': GLib.Variant('as', ['acme/made'])}
RUNTIME = 1


class Program:
    """A client that is a command line tool: one process for a call, one that listens all the time."""

    def __init__(self, host):
        self.host = host
        self.buffered = b''
        self.listener = subprocess.Popen(self.listen, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, env=host.environment())
        self.line(lambda line: self.ready in line)

    def line(self, is_wanted):
        """The next line for which is_wanted() is true."""
        end = time.monotonic() + 20 * SLOW
        while True:
            line, newline, rest = self.buffered.partition(b'\n')
            if newline:
                self.buffered = rest
                wanted = is_wanted(line.decode())
                if wanted:
                    return wanted
                continue
            ready, _, _ = select.select([self.listener.stdout], [], [], max(0, end - time.monotonic()))
            chunk = os.read(self.listener.stdout.fileno(), 65536) if ready else b''
            assert chunk, f'{self.listen[0]} did not show it within {20 * SLOW} s'
            self.buffered += chunk

    def run(self, *command):
        done = self.host.run_as(os.geteuid(), *command)
        assert done.returncode == 0, f'{command}: {done.stderr}'
        return done.stdout

    def wait(self, is_wanted):
        """Waits for a signal; is_wanted() is told path, member and arguments."""
        self.line(lambda line: (signal := self.signal(line)) and is_wanted(*signal))

    def close(self):
        self.listener.kill()
        self.listener.wait()
        self.listener.stdout.close()


class Busctl(Program):
    listen = ('busctl', '--system', '--json=short', f'--match=type=signal,sender={NAME}', 'monitor')
    ready = 'Monitoring bus message stream'

    @classmethod
    def words(cls, value):
        """How busctl wants a value on its command line; what is in a variant comes with its type."""
        kind = value.get_type_string()
        if kind == 'v':
            inner = value.get_variant()
            return [inner.get_type_string(), *cls.words(inner)]
        if kind[0] in 'a({':
            parts = [value.get_child_value(number) for number in range(value.n_children())]
            count = [str(len(parts))] if kind[0] == 'a' else []
            return count + [word for part in parts for word in cls.words(part)]
        return [str(value.unpack())]

    @classmethod
    def bare(cls, kind, data):
        """busctl shows the type of what is in a variant."""
        if kind == 'a{sv}':
            return {key: value['data'] for key, value in data.items()}
        return data

    def call(self, path, interface, member, arguments=None):
        words = [arguments.get_type_string()[1:-1], *self.words(arguments)] if arguments else []
        text = self.run('busctl', '--system', '--json=short', 'call', NAME, path, interface, member, *words)
        if not text.strip():
            return None
        answer = json.loads(text)
        data = [self.bare(answer['type'], part) for part in answer['data']]
        return data[0] if len(data) == 1 else data

    def signal(self, line):
        if not line.startswith('{'):
            return None
        message = json.loads(line)
        data = message['payload']['data']
        if message['member'] == 'PropertiesChanged':
            data[1] = self.bare('a{sv}', data[1])
        return message['path'], message['member'], data


class Gdbus(Program):
    listen = ('gdbus', 'monitor', '--system', '--dest', NAME)
    ready = f'The name {NAME} is owned by'

    def call(self, path, interface, member, arguments=None):
        parts = [arguments.get_child_value(number) for number in range(arguments.n_children())] if arguments else []
        text = self.run('gdbus', 'call', '--system', '--dest', NAME, '--object-path', path, '--method',
                        f'{interface}.{member}', *[part.print_(True) for part in parts])
        data = GLib.Variant.parse(None, text.strip(), None, None).unpack()
        return data[0] if len(data) == 1 else data or None

    def signal(self, line):
        parts = re.fullmatch(r'(/\S+): \S+\.(\w+) (\(.*\))', line)
        return parts and (parts[1], parts[2], GLib.Variant.parse(None, parts[3], None, None).unpack())


class Python:
    """python3-dbus, with signals through the main loop of GLib."""

    def __init__(self, host):
        self.bus = dbus.bus.BusConnection(host.address, mainloop=DBusGMainLoop())
        self.signals = []
        self.bus.add_signal_receiver(self.on_signal, bus_name=NAME, path_keyword='path', member_keyword='member')

    def on_signal(self, *arguments, path, member):
        self.signals.append((path, member, arguments))

    def call(self, path, interface, member, arguments=None):
        proxy = self.bus.get_object(NAME, path)
        return proxy.get_dbus_method(member, interface)(*(arguments.unpack() if arguments else []))

    def wait(self, is_wanted):
        late = []
        source = GLib.timeout_add(20000 * SLOW, lambda: late.append(True) or True)
        while not any(is_wanted(*self.signals.pop(0)) for _ in list(self.signals)):
            assert not late, f'no such signal within {20 * SLOW} s'
            GLib.MainContext.default().iteration(True)
        GLib.source_remove(source)

    def close(self):
        self.bus.close()


def changed(path, **wanted):
    """What a client waits for that follows the properties of a job."""
    return lambda at, member, arguments: at == path and member == 'PropertiesChanged' and \
        all(arguments[1].get(key) == value for key, value in wanted.items())


@pytest.fixture(params=[Busctl, Gdbus, Python], ids=lambda kind: kind.__name__.lower())
def client(request, edge):
    made = request.param(edge)
    try:
        yield made
    finally:
        made.close()


def test_a_job_is_made_followed_and_removed(edge, client):
    row, = client.call(ROOT, MANAGER, 'ListJobs')
    assert list(row[:6]) == ['edge', f'{ROOT}/job/edge', 'quay.example.com', 'acme+edge', 'fresh', '']
    assert client.call(ROOT, MANAGER, 'GetJob', GLib.Variant('(s)', ('edge',))) == row[1]
    image = GLib.Variant('(s)', ('quay.example.com/acme/app:1.0',))
    assert list(client.call(ROOT, MANAGER, 'FindJobForImage', image)) == ['edge', row[1], 'quay.example.com/acme']

    later = Later()
    edge.worker.answer = lambda request: later
    path = client.call(ROOT, MANAGER, 'CreateJob', GLib.Variant('(sa{sv}t)', ('made', SETTINGS, RUNTIME)))
    client.wait(lambda _, member, arguments: member == 'JobAdded' and list(arguments) == ['made', path])
    assert later.asked.wait(20 * SLOW)
    attempt = client.call(path, JOB, 'Refresh')
    assert attempt == 1, 'the attempt under way'
    later.send(edge.worker.credential(edge.worker.requests[-1]))
    client.wait(changed(path, State='fresh', AttemptsEnded=attempt))
    client.wait(lambda at, member, _: (at, member) == (path, 'Refreshed'))

    job = client.call(path, PROPERTIES, 'GetAll', GLib.Variant('(s)', (JOB,)))
    assert (job['State'], job['Runtime'], job['Refreshes']) == ('fresh', True, 1)
    assert list(job['Scopes']) == ['quay.example.com/acme/made'] and job['Scopes'][0] in edge.auths()

    client.call(ROOT, MANAGER, 'RemoveJob', GLib.Variant('(s)', ('made',)))
    client.wait(lambda _, member, arguments: member == 'JobRemoved' and list(arguments) == ['made', path])
    assert [row[0] for row in client.call(ROOT, MANAGER, 'ListJobs')] == ['edge']
