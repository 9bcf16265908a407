# SPDX-License-Identifier: LGPL-2.1-or-later
"""A worker on a host whose clocks belong to the test: what takes its time is over once the test has seen it begin."""

import os

import pytest
from workers import BUILD, Worker
from world import Clock


@pytest.fixture
def sleeper(rig, tmp_path):
    """`clock.suspend(seconds)` lets its host sleep, see hostshim.c."""
    clock = Clock(tmp_path / 'clock')
    env = {**os.environ, 'LD_PRELOAD': os.path.join(BUILD, 'tests', 'quay', 'hostshim.so'),
           'PULLAUTH_TEST_CLOCK': str(tmp_path / 'clock')}
    with Worker(tmp_path, rig, env=env) as running:
        running.clock = clock
        yield running
    clock.close()
