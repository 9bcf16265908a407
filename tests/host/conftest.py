# SPDX-License-Identifier: LGPL-2.1-or-later
"""One machine for the whole suite, with pullauthd installed as "meson install" does it."""

import base64
import os
import subprocess
import sys

import pytest
from notes import say  # noqa: F401

# What containers run until they are told to end; it wants no library.
HELLO = '''#include <signal.h>
int main(void) {
        sigset_t set;
        int number;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, 0);
        return sigwait(&set, &number);
}
'''
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get('PULLAUTH_TEST_CACHE', '/var/cache/pullauth-tests')
sys.path.insert(0, os.path.join(TOP, 'tests', 'quay'))

import tree  # noqa: E402
from machine import Machine  # noqa: E402
from product import Product  # noqa: E402
from quaysim.client import Rig  # noqa: E402


@pytest.fixture(scope='session')
def top():
    return TOP


@pytest.fixture(scope='session')
def build():
    return os.environ['PULLAUTH_BUILD']


@pytest.fixture(scope='session')
def cache():
    return CACHE


@pytest.fixture(scope='session')
def programs(build):
    """What is installed and runs there, as it was built."""
    wanted = ('pullauthd', 'pullauth-worker', 'pullauthctl')
    return [os.path.join(directory, name) for directory, _, files in os.walk(build) for name in files
            if name in wanted and os.access(os.path.join(directory, name), os.X_OK)]


@pytest.fixture(scope='session')
def booted(programs):
    if os.geteuid() != 0:
        pytest.fail('the host suite boots a machine and needs root: run it as tools/check does')
    place, held = tree.get(CACHE, programs)
    machine = Machine(place, CACHE)
    try:
        yield machine.boot()
    finally:
        machine.close()
        os.close(held)


@pytest.fixture(scope='session')
def machine(booted, build, top):
    booted.install(build, os.path.join(top, 'units', 'after-install.sh'))
    return booted


@pytest.fixture(scope='session')
def quay(tmp_path_factory):
    with Rig.start(tmp_path_factory.mktemp('quay'), '--robot', 'acme+edge', '--robot', 'other+edge',
                   '--jwt-lifetime', 7200) as rig:
        yield rig


@pytest.fixture(scope='session')
def hello(tmp_path_factory):
    """A program for images, in base64."""
    path = tmp_path_factory.mktemp('hello') / 'hello'
    subprocess.run(['cc', '-static', '-Os', '-s', '-x', 'c', '-o', path, '-'], input=HELLO, text=True, check=True)
    return base64.b64encode(path.read_bytes()).decode()


@pytest.fixture
def product(machine, quay):
    product = Product(machine, quay)
    product.clean()
    return product


def pytest_configure(config):
    """Short reports: long ones print arguments, and there are secrets among them."""
    if config.option.tbstyle == 'auto':
        config.option.tbstyle = 'short'


def pytest_collection_modifyitems(items):
    """Whichever comes first may have to wait until the tree is made."""
    if items:
        items[0].add_marker(pytest.mark.limit(900))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure comes with what the machine's journal says of us. There is no secret in it, which is tested."""
    report = (yield).get_result()
    machine = item.funcargs.get('machine')
    if report.failed and machine and machine.leader:
        try:
            text = machine.journal_text('-u', 'pullauth*', '-u', 'dbus.service', '-u', 'polkit.service')
        except (OSError, subprocess.SubprocessError) as error:
            text = str(error)
        report.sections.append(('journal', text))
