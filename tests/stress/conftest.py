# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures of the stress suite. It reuses the rig of the bus suite."""

import os
import sys
import tempfile

import pytest
from mounts import enter_namespace
from notes import say  # noqa: F401

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'bus'), os.path.join(os.path.dirname(HERE), 'quay')]

from quaysim.client import Rig  # noqa: E402
from stressrig import StressHost  # noqa: E402


def pytest_configure(config):
    """Short reports: long ones print arguments, and there are tokens among them."""
    if config.option.tbstyle == 'auto':
        config.option.tbstyle = 'short'


@pytest.fixture(scope='session')
def mounts():
    """Tests that ask for it may mount."""
    enter_namespace()


@pytest.fixture(scope='session')
def quay():
    """A Quay with robots, without images."""
    with tempfile.TemporaryDirectory(prefix='pullauth-quay-') as directory:
        with Rig.start(os.path.join(directory, 'rig'), '--no-registry', '--robot', 'acme+edge') as rig:
            yield rig


@pytest.fixture
def host():
    made = StressHost()
    try:
        yield made
    finally:
        made.close()
