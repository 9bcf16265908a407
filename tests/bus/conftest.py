# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures of the bus suite: a host in a directory for each test."""

import collections
import os
import sys

import pytest

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]

from rig import Host  # noqa: E402


@pytest.fixture
def host():
    made = Host()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def edge(host):
    """A running daemon with one job that is fresh."""
    return host.standard().begin()


@pytest.fixture
def ci(host):
    """A job that names one target, `ci`, whose directory alone is there yet. What the target is the test writes."""
    os.mkdir(host.path('etc/ci'), 0o755)
    os.chown(host.path('etc/ci'), *[os.stat(host.path('etc')).st_uid] * 2)
    host.standard()
    host.job(more='Targets=ci\n')
    return host


def pytest_collection_modifyitems(items):
    """Files with most tests come first: processes share the files, and none should begin a long one at the end."""
    tests = collections.Counter(item.nodeid.partition('::')[0] for item in items)
    items.sort(key=lambda item: -tests[item.nodeid.partition('::')[0]])
