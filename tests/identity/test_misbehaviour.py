# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each source × each thing that can go wrong at what gives its tokens (stands.py): the failure is of its class, comes
in its time, and leaves neither a process nor a descriptor behind, and all is well when the trouble is over."""

import collections
import os
import time

import pytest
from stands import TABLE, TROUBLES, Exec, Signed
from workers import SLOW, wait_gone, worker  # noqa: F401

pytestmark = pytest.mark.limit(120)


def held(pid):
    """How many descriptors of each kind a process has, how many children and threads."""
    kinds = collections.Counter()
    for name in os.listdir(f'/proc/{pid}/fd'):
        try:
            link = os.readlink(f'/proc/{pid}/fd/{name}')
        except FileNotFoundError:
            continue
        kinds[link.split(':[')[0]] += 1
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as file:
        kinds['children'] = len(file.read().split())
    kinds['threads'] = len(os.listdir(f'/proc/{pid}/task'))
    return kinds


def wait_held(pid, expected):
    """No more of anything. A connection outlives its last user by a second, and nobody tells of its end."""
    deadline = time.monotonic() + 20 * SLOW
    while (found := held(pid)) - expected and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not found - expected, f'{found - expected} too much'


def settled(pid):
    """What the worker holds when it has nothing to do: of sockets the one it listens on alone."""
    deadline = time.monotonic() + 20 * SLOW
    while (found := held(pid))['socket'] > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert found['socket'] == 1 and found['children'] == 0, found
    return found


def test_each_trouble_has_a_reason_and_each_stand_what_the_table_says():
    for kind, reasons in TABLE.items():
        assert [hasattr(kind, trouble) for trouble in TROUBLES] == [reason is not None for reason in reasons], kind


@pytest.fixture
def stand(request, rig, tmp_path):
    made = request.param(rig, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize('stand', TABLE, indirect=True, ids=[kind.__name__ for kind in TABLE])
def test_every_trouble_ends_in_its_class_in_its_time_and_leaves_nothing(rig, worker, stand):
    worker.obtain(**stand.ask())
    if isinstance(stand, Signed):
        # Modules of PKCS#11 are loaded with the first key on a token, and may have threads of their own.
        stand.absent()
        worker.fail(**stand.ask())
        stand.well()
    pid, before = worker.running, settled(worker.running)
    for trouble, reason in zip(TROUBLES, TABLE[type(stand)], strict=True):
        if not reason:
            continue
        exchanges = len(rig.exchanges())
        getattr(stand, trouble)()
        # Only what has no end of its own meets the end of a request that is short.
        short = {'timeout': int(1500 * SLOW)} if reason == 'timeout' else {}
        failure = worker.fail(**short, **stand.ask())
        assert (failure['step'], failure['reason']) == ('identity', reason), (trouble, failure)
        assert len(rig.exchanges()) == exchanges, trouble
        if isinstance(stand, Exec) and trouble == 'silent':
            pids = (stand.place / 'pids').read_text().split()
            assert len(pids) == 2
            wait_gone(pids)
        stand.well()
        worker.obtain(**stand.ask())
    wait_held(pid, before)
    assert worker.running == pid
