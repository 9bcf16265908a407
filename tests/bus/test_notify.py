# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the service manager is told when it does not listen, or listens somewhere else: nothing waits for it."""

import contextlib
import os
import signal
import socket
import time

import pytest
from edits import create
from rig import DAEMON_UID, SLOW

CHANGES = 30


class Deaf:
    """A notify socket that is read when the test says so."""

    def __init__(self, address):
        self.name = address
        self.address = address.replace('@', '\0', 1) if address.startswith('@') else address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.address)
        if not address.startswith('@'):
            os.chown(address, DAEMON_UID, DAEMON_UID)
        self.socket.settimeout(30 * SLOW)

    def fill(self):
        """With messages of somebody else; each socket of theirs has only so much room of its own."""
        sent = 1
        while sent:
            sent = 0
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other, contextlib.suppress(BlockingIOError):
                other.setblocking(False)
                while True:
                    other.sendto(b'X_OTHER=1', self.address)
                    sent += 1

    def read_to(self, last):
        """All messages up to that one."""
        messages = []
        while last not in messages:
            messages.append(self.socket.recv(65536).decode())
        return messages

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def ready(host):
    host.client.wait(lambda: host.client.owner() and host.client.manager('Ready'), 'readiness on the bus')


def reload(host):
    host.client.call('org.pullauth1.Manager', 'Reload')


def steps(messages):
    return [message.split('\n')[0] for message in messages if message.startswith(('READY=', 'RELOADING='))]


@pytest.mark.parametrize('kind', ['path', 'abstract'])
def test_a_service_manager_that_does_not_read_is_not_waited_for(host, kind):
    with Deaf(f'{host.directory}/deaf' if kind == 'path' else f'@{host.directory}/deaf') as deaf:
        host.standard().start(wait=False, NOTIFY_SOCKET=deaf.name, WATCHDOG_USEC='2000000')
        ready(host)
        deaf.fill()
        for number in range(CHANGES):
            create(host, f'more{number}', Robot=f'acme+more{number}', Scopes=[f'acme/more{number}'])
            host.client.wait_job(f'more{number}', State='fresh')
            begun = time.monotonic_ns() // 1000
            reload(host)
        told = deaf.read_to(f'STATUS={CHANGES + 1} jobs: {CHANGES + 1} fresh')
        assert steps(told) == ['READY=1', *['RELOADING=1', 'READY=1'] * (len(steps(told)) // 2)]
        last = [message for message in told if message.startswith('RELOADING=')][-1]
        assert int(last.split('MONOTONIC_USEC=')[1]) >= begun
        deaf.read_to('WATCHDOG=1')
        deaf.fill()
        reload(host)
        assert host.stop() == 0


def test_a_service_manager_that_does_not_read_yet_hears_of_readiness_first(host):
    with Deaf(f'{host.directory}/deaf') as deaf:
        deaf.fill()
        host.standard().start(wait=False, NOTIFY_SOCKET=deaf.name)
        ready(host)
        reload(host)
        reload(host)
        told = deaf.read_to('STATUS=1 job: 1 fresh')
        assert steps(told) == ['READY=1', 'RELOADING=1', 'READY=1']
        assert told.index('READY=1') > [m.startswith('EXTEND_TIMEOUT_USEC=') for m in told].index(True)


def test_a_socket_that_was_made_anew_is_found(edge):
    edge.notify.close()
    os.unlink(edge.notify.path)
    reload(edge)  # nobody is there
    with Deaf(edge.notify.path) as again:
        edge.daemon.send_signal(signal.SIGHUP)
        assert steps(again.read_to('READY=1')) == ['RELOADING=1', 'READY=1']
        assert edge.stop() == 0
        again.read_to('STOPPING=1\nSTATUS=Shutting down')
    edge.notify = type(edge.notify)(f'{edge.directory}/other', DAEMON_UID)
