# SPDX-License-Identifier: LGPL-2.1-or-later
"""The worker's side of the private door: who may come in, what may be said there, and when the worker goes."""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile

import gi
import pytest
from quaysim.client import EXCHANGE
from workers import OBTAIN, PROGRAM, ROBOT, SLOW, WRAPPER, Worker, worker  # noqa: F401

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

pytestmark = pytest.mark.limit(90)
PATH, INTERFACE = '/org/pullauth1/worker', 'org.pullauth1.Worker'


class Door:
    """A D-Bus connection that says anything."""

    def __init__(self, path):
        self.bus = Gio.DBusConnection.new_for_address_sync(
            f'unix:path={path}', Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT, None, None)

    def call(self, method, arguments, path=PATH, interface=INTERFACE, timeout=60):
        return self.bus.call_sync(None, path, interface, method, arguments, None, Gio.DBusCallFlags.NONE,
                                  int(timeout * 1000 * SLOW), None)

    def error(self, *arguments, **parameters):
        """The name of the error that the call ends in."""
        with pytest.raises(GLib.Error) as caught:
            self.call(*arguments, **parameters)
        return Gio.DBusError.get_remote_error(caught.value)

    def close(self):
        self.bus.close_sync(None)


@pytest.fixture
def door(worker):
    opened = Door(worker.path)
    yield opened
    opened.close()


def entries(rig, **changes):
    """A good request as D-Bus variants."""
    values = {'Id': ('t', 1), 'Job': ('s', 'edge'), 'Source': ('s', 'file'), 'Exchange': ('s', 'quay'),
              'Registry': ('s', rig.quay), 'Robot': ('s', ROBOT), 'Timeout': ('t', 30 * 10 ** 6),
              'Token': ('ay', rig.jwt().encode()), **changes}
    return GLib.Variant('(a{sv})', ({key: GLib.Variant(*value) for key, value in values.items() if value},))


# What may be said

WRONG = [('Id', ('s', '1')), ('Job', None), ('Job', ('s', '../x')), ('Job', ('s', 'x' * 65)), ('Source', None),
         ('Source', ('as', ['file'])), ('Exchange', ('s', '')), ('Registry', None), ('Registry', ('s', 'a/b')),
         ('Registry', ('s', 'user@host')), ('Registry', ('s', 'host:99999')), ('Registry', ('s', '127.0.0.1\r\nX: y')),
         ('Robot', ('s', 'edge')), ('Robot', ('s', 'acme+edge:x')), ('Timeout', None), ('Timeout', ('t', 0)),
         ('Timeout', ('t', 2 ** 64 - 1)), ('Timeout', ('x', 5)), ('Token', ('s', 'text')),
         ('Token', ('ay', b'a' * 65537)),
         ('Scopes', ('as', ['elsewhere/acme'])), ('Scopes', ('as', ['x'] * 65)), ('CA', ('ay', b'')),
         ('CA', ('ay', b'a\0b')), ('CA', ('ay', b'a' * (1024 * 1024 + 1))), ('Proxy', ('s', 'http://a b')),
         ('Audience', ('s', 'a' * 5000))]


@pytest.mark.parametrize('key, value', WRONG, ids=lambda value: str(value)[:30])
def test_requests_that_make_no_sense_are_refused_and_reach_nobody(rig, worker, door, key, value):
    assert door.error('Obtain', entries(rig, **{key: value})) == 'org.freedesktop.DBus.Error.InvalidArgs'
    assert rig.requests() == []
    worker.obtain(id=2)


def test_keys_of_a_later_version_are_skipped(rig, worker, door):
    answer = door.call('Obtain', entries(rig, Tomorrow=('a{sas}', {'x': ['y']}), CA=('ay', worker.ca.encode())))
    assert 'Secret' in answer.unpack()[0]


@pytest.mark.parametrize('method, arguments, path, interface', [
    ('Obtain', None, PATH, INTERFACE), ('Obtain', GLib.Variant('(s)', ('x',)), PATH, INTERFACE),
    ('Obtain', GLib.Variant('(a{sv}s)', ({}, 'x')), PATH, INTERFACE),
    ('Obtain', GLib.Variant('(a{sv})', ({},)), PATH, INTERFACE),
    ('Obtain', GLib.Variant('(a{sv})', ({},)), '/', INTERFACE), ('Steal', None, PATH, INTERFACE),
    ('Cancel', GLib.Variant('(s)', ('x',)), PATH, INTERFACE), ('Set', None, PATH, 'org.freedesktop.DBus.Properties'),
    ('Hello', None, '/org/freedesktop/DBus', 'org.freedesktop.DBus')])
def test_calls_that_make_no_sense_get_an_error(rig, worker, door, method, arguments, path, interface):
    assert door.error(method, arguments, path, interface).startswith('org.freedesktop.DBus.Error.')
    worker.obtain()


def test_cancelling_what_is_not_there_is_no_error(worker, door):
    assert door.call('Cancel', GLib.Variant('(t)', (77,))).unpack() == ()


def test_what_is_told_of_the_door_has_names(worker, door):
    xml = door.call('Introspect', None, interface='org.freedesktop.DBus.Introspectable').unpack()[0]
    assert 'name="request"' in xml and 'name="answer"' in xml and 'name="id"' in xml


def test_more_requests_at_a_time_than_the_limit_are_refused(rig, worker):
    rig.misbehave('hang', EXCHANGE)
    token = rig.jwt()
    question = worker.question(*[worker.request(id=number, token=token) for number in range(257)])
    assert question.answer()['error'] == 'org.freedesktop.DBus.Error.LimitsExceeded'
    question.vanish()
    rig.behave()
    worker.obtain()


# Bytes on the wire

def cancel_message():
    """A call of Cancel(77), as bytes (D-Bus specification, "Message Format")."""
    def field(code, signature, value):
        size = bytes([len(value)]) if signature == 'g' else struct.pack('<I', len(value))
        return bytes([code, 1]) + signature.encode() + b'\0' + size + value.encode() + b'\0'

    fields = b''
    for code, signature, value in ((1, 'o', PATH), (2, 's', INTERFACE), (3, 's', 'Cancel'), (8, 'g', 't')):
        fields += b'\0' * (-len(fields) % 8) + field(code, signature, value)
    head = b'l\1\0\1' + struct.pack('<III', 8, 1, len(fields)) + fields
    return head + b'\0' * (-len(head) % 8) + struct.pack('<Q', 77)


@pytest.mark.parametrize('pieces', [1, 2, 'every byte'])
def test_what_comes_right_behind_the_authentication_is_heard(worker, pieces):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(worker.path)
        peer.settimeout(30 * SLOW)
        peer.sendall(b'\0AUTH EXTERNAL\r\nDATA\r\n')
        heard = b''
        while b'OK ' not in heard or not heard.endswith(b'\r\n'):
            heard += peer.recv(100)
        data = b'BEGIN\r\n' + cancel_message()
        step = {1: len(data), 2: 50}.get(pieces, 1)
        for start in range(0, len(data), step):
            peer.sendall(data[start:start + step])
        assert peer.recv(4) == b'l\2\1\1'  # a reply that wants none


# Bytes that are no D-Bus

GARBAGE = [b'', b'\0', b'\0AUTH\r\n', b'\0AUTH EXTERNAL zz\r\nBEGIN\r\n', b'GET / HTTP/1.1\r\n\r\n',
           b'\0' + b'A' * 100000,
           b'\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n' + b'\xff' * 4096,
           b'\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\nl\1\0\1\xff\xff\xff\x7f\1\0\0\0\xff\xff\xff\x7f',
           b'\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\nl\1\0\1\0\0\0\0\1\0\0\0\0\0\0\0']


@pytest.mark.parametrize('data', GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.parametrize('end', ['close', 'wait'])
def test_garbage_ends_its_own_connection_and_nothing_else(rig, worker, data, end):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(worker.path)
        try:
            peer.sendall(data)
            if end == 'close':
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(4096):
                    pass
        except OSError:
            pass  # shut at us already
        worker.obtain()
    worker.obtain()
    assert worker.running and worker.starts() == 1


def test_silent_connections_lock_nobody_out(rig, worker):
    silent = [socket.socket(socket.AF_UNIX) for _ in range(31)]
    for peer in silent:
        peer.connect(worker.path)
    worker.obtain()
    for peer in silent:
        peer.close()


def test_beyond_a_limit_connections_are_closed(rig, worker):
    peers = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    for peer in peers:
        peer.connect(worker.path)
        peer.settimeout(30 * SLOW)
    assert peers[-1].recv(1) == b''
    for peer in peers:  # each is gone once its other end is
        with contextlib.suppress(OSError), peer:
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(4096):
                pass
    worker.obtain()


# Who may come in

def ask_as(uid, path, request):
    script = 'import os,sys; os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1])); ' \
             'os.execv(sys.argv[2], sys.argv[2:])'
    return subprocess.run([sys.executable, '-c', script, str(uid), OBTAIN, path], input=json.dumps(request) + '\n',
                          text=True, stdout=subprocess.PIPE).stdout


@pytest.fixture
def open_worker(rig):
    """A socket that everybody may connect to, which is a mistake, owned by uid 1; the worker is uid 2."""
    if os.geteuid() != 0:
        pytest.skip('needs root for other users')
    with tempfile.TemporaryDirectory(prefix='pullauth-open-') as directory:
        os.chmod(directory, 0o755)
        with Worker(directory, rig, mode=0o666, socket_user=1, user=2) as running:
            yield running


@pytest.mark.parametrize('uid, welcome', [(0, True), (1, True), (2, True), (3, False), (65534, False)])
def test_root_the_worker_itself_and_the_owner_of_the_socket_may_enter(rig, open_worker, uid, welcome):
    answer = ask_as(uid, open_worker.path, open_worker.request())
    assert ('"credential"' in answer) == welcome, answer
    assert ('Refusing a connection' in open_worker.said()) != welcome


# When it goes

def test_it_goes_when_there_is_nothing_to_do_and_comes_back(rig):
    with tempfile.TemporaryDirectory(prefix='pullauth-idle-') as directory:
        with Worker(directory, rig, idle='100ms') as running:
            for number in range(1, 4):
                running.obtain()
                assert running.wait_end(number) == 0
            assert running.starts() == 3


def test_it_does_not_go_while_somebody_is_connected_or_waits(rig):
    with tempfile.TemporaryDirectory(prefix='pullauth-idle-') as directory:
        with Worker(directory, rig, idle='100ms') as running:
            rig.misbehave('delay', EXCHANGE, seconds=1)
            running.obtain()
            assert running.wait_start() and running.starts() == 1
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(30 * SLOW)
                peer.connect(running.path)
                # A worker that was going already may have gone; who serves this connection stays.
                peer.send(b'\0AUTH EXTERNAL %s\r\n' % str(os.geteuid()).encode().hex().encode())
                assert peer.recv(100).startswith(b'OK ') and running.running
                assert not select.select([peer], [], [], 1)[0] and running.running


def test_connections_at_the_last_moment_are_served_or_stay_in_the_queue(rig):
    """Whenever they come, somebody answers: this worker or the next one."""
    with tempfile.TemporaryDirectory(prefix='pullauth-idle-') as directory:
        with Worker(directory, rig, idle='1ms') as running:
            for _ in range(40):
                running.obtain()


def test_a_signal_ends_it_in_order(rig, worker):
    rig.misbehave('hang', EXCHANGE)
    question = worker.question(worker.request())
    rig.exchanges(at_least=1)
    os.kill(worker.running, signal.SIGTERM)
    assert worker.wait_end() == 0
    assert 'error' in question.answer()
    question.close()


def test_a_signal_ends_it_beside_a_peer_that_stops_amid_the_greeting(worker):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(30 * SLOW)
        peer.connect(worker.path)
        peer.send(b'\0AUTH EXTERNAL %s\r\n' % str(os.geteuid()).encode().hex().encode())
        assert peer.recv(100).startswith(b'OK ') and worker.wait_start()
        os.kill(worker.running, signal.SIGTERM)
        assert worker.wait_end() == 0


def run(*arguments, **parameters):
    return subprocess.run([*WRAPPER, PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **parameters)


def test_started_by_hand_it_says_how_it_wants_to_be_started():
    done = run()
    assert done.returncode == 1 and 'pullauth-worker.socket' in done.stderr and done.stdout == ''


@pytest.mark.parametrize('arguments', [['--idle=soon'], ['--idle=0'], ['--idle=-5'], ['--unknown'], ['argument']])
def test_wrong_arguments_are_refused(arguments):
    done = run(*arguments)
    assert done.returncode == 1 and arguments[0].split('=')[0].strip('-') in done.stderr + arguments[0]


def test_help_and_version():
    shown = run('--help')
    assert shown.returncode == 0 and '--idle=SPAN' in shown.stdout and shown.stderr == ''
    assert run('--version').stdout.startswith('pullauth-worker ')
