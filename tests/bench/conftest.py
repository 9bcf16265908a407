# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures of the bench suite: registries that cost next to nothing, and a host that is left alone."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time

import pytest
from figures import pytest_terminal_summary  # noqa: F401  (prints what was recorded)
from mounts import enter_namespace

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'bus'), os.path.join(os.path.dirname(HERE), 'quay')]

from benchrig import BenchHost, asleep, wakeups  # noqa: E402
from registry import Registry  # noqa: E402

QUIET = '/mnt'
# Directories on the way to a host's files are watched: a compiler beside us that works in /tmp would be a part of what
# a refresh costs.
PLACE = '/var/tmp'


def pytest_configure(config):
    """Short reports: long ones print arguments, and there are tokens among them."""
    if config.option.tbstyle == 'auto':
        config.option.tbstyle = 'short'
    tempfile.tempdir = PLACE


def pytest_collection_modifyitems(items):
    """What waits goes last, for it waits while the others run."""
    items.sort(key=lambda item: 'idle_host' in item.fixturenames)


@pytest.fixture(scope='session', autouse=True)
def namespace():
    """Hosts have their /run in memory, and one is where nobody else changes anything."""
    enter_namespace()
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', QUIET], check=True)


@pytest.fixture(scope='session')
def registries():
    """registry(http2=True): each kind once."""
    with contextlib.ExitStack() as stack:
        made = {}

        def registry(http2=True):
            if http2 not in made:
                directory = stack.enter_context(tempfile.TemporaryDirectory(prefix='pullauth-bench-'))
                made[http2] = Registry(directory, http2)
                stack.callback(made[http2].close)
            return made[http2]
        yield registry


@pytest.fixture(scope='session')
def registry(registries):
    return registries()


class Idle:
    """A host without anything to do from `since` on. Directories on the way to its files are watched, also those that
    others use: hence a place of its own."""

    def __init__(self, registry):
        before, tempfile.tempdir = tempfile.tempdir, QUIET
        try:
            self.host = BenchHost(registry)
        finally:
            tempfile.tempdir = before
        self.host.jobs(100)
        self.host.cold_start(100)
        self.host.settle()
        assert self.host.client.manager('NFresh') == 100
        self.host.client.poll(lambda: asleep(self.host.daemon.pid), 'sleep')
        self.since, self.before = time.monotonic(), wakeups(self.host.daemon.pid)
        self.runs = self.host.activated.starts()


@pytest.fixture(scope='session')
def idle_host(registry):
    idle = Idle(registry)
    try:
        yield idle
    finally:
        idle.host.close()


@pytest.fixture(scope='session', autouse=True)
def begin_what_waits(request, namespace):
    if any('idle_host' in item.fixturenames for item in request.session.items):
        request.getfixturevalue('idle_host')
