# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures of the bus suite: a host in a directory for each test."""

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
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    return host
