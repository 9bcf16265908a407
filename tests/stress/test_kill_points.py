# SPDX-License-Identifier: LGPL-2.1-or-later
"""The write path, cut at every system call, and failing at every one.

A kill comes before the call that it is named after is carried out, an error in its place. Runs go on for each kind of
call until one goes to its end untouched, so the last point is always behind us.
"""

import collections
import os

import pytest
from kill_lab import First, Lab, Withdrawal
from stressrig import LONG, TARGETS

# Calls that only look, say or wait: a kill there finds files as between two that write, so the long run has them.
LOOKING = ['close', 'fstat', 'newfstatat', 'read', 'getrandom', 'fgetxattr', 'flistxattr', 'openat2', 'sendmsg',
           'recvmsg', 'epoll_wait', 'timerfd_settime', 'munmap', 'mmap', 'brk', 'fchown', 'fsetxattr', 'mkdirat']


@pytest.fixture(scope='module', params=[Lab, First, Withdrawal], ids=['refresh', 'first', 'withdrawal'])
def lab(request):
    made = request.param()
    try:
        made.calls = made.count()
        yield made
    finally:
        made.close()


@pytest.mark.limit(3600 if LONG else 300)
def test_a_kill_at_any_system_call_tears_nothing_and_the_next_start_mends_the_rest(lab, say):
    """spiffe/spire#1033 and #417: what was issued and not yet stored was lost by a crash."""
    tried = collections.Counter()
    for call in dict.fromkeys(lab.kill_calls + (Lab.kill_calls + LOOKING if LONG else [])):
        number = 1
        while lab.calls[call] and lab.kill_at(call, number):
            lab.check_files()
            lab.check_next_start()
            tried[call] += 1
            number += 1
    say(f'{type(lab).__name__}: killed at {sum(tried.values())} points: {dict(tried)}')
    assert sum(tried.values()) >= lab.floors[0]


def survives(lab, call, number, error):
    """True if the call failed there, and nothing came of it that should not."""
    host = lab.host
    job = lab.fail_at(call, number, error)
    if not job:
        return False
    lab.check_files()
    if lab.attempts and job['State'] != 'fresh':
        assert (job['State'] in ('retrying', 'failed', 'expired'), job['Step']) == (True, 'publication') and job['Hint']
        assert job['Reason'] == ('target-full' if error == 'ENOSPC' else 'target-unwritable')
        for path in TARGETS.values():
            if os.path.exists(host.path(path)):
                os.utime(host.path(path))  # somebody looks after it: no waiting for the pace
    host.dies_or(lab.settled, 'recovery')
    lab.check_files()
    assert len(host.worker.requests) == lab.exchanges, 'a failed write caused an exchange'
    # What could not be removed goes at the next start; what is there for an instant belongs to a write that goes on.
    if call != 'unlinkat':
        host.wait_clean()
    host.kill()
    lab.check_next_start(('new',))
    return True


@pytest.mark.limit(3600 if LONG else 300)
def test_an_error_at_any_system_call_leaves_the_old_file_whole_and_costs_no_exchange(lab, say):
    """hashicorp/vault#31801 and #31802 among others: the error path of one call out of many is the one not tried."""
    tried = collections.Counter()
    for call in dict.fromkeys(lab.error_calls + (Lab.error_calls + lab.more_error_calls if LONG else [])):
        for number in range(1, lab.calls[call] + 1):
            for error in ('ENOSPC', 'EIO') if LONG else (('ENOSPC', 'EIO')[number % 2],):
                tried[f'{call} {error}'] += survives(lab, call, number, error)
    say(f'{type(lab).__name__}: failed at {sum(tried.values())} points: {dict(tried)}')
    assert sum(tried.values()) >= lab.floors[1]
