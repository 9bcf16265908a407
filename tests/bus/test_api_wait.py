# SPDX-License-Identifier: LGPL-2.1-or-later
"""WaitJobs: who waits is told when it is over, and can neither wait for ever nor keep others from waiting."""

import os
import threading

import pytest
from fakeworker import failure
from rig import ROOT, STRANGER_UID, SLOW

MANAGER = 'org.pullauth1.Manager'
ERROR = 'org.pullauth1.Error.'
LIMITS = 'org.freedesktop.DBus.Error.LimitsExceeded'
MINUTE = 60 * 1000000
needs_root = pytest.mark.skipif(not ROOT, reason='calls as several users can be made by root alone')


def wait_jobs(host, *names, timeout=MINUTE):
    return host.client.begin(MANAGER, 'WaitJobs', 'ast', list(names), timeout)


def pause(host):
    """An answer to a question that was asked later: whoever was to be answered before has been."""
    for _ in range(3):
        host.client.jobs()


def test_who_has_what_he_waits_for_is_answered_at_once(edge):
    planned = edge.client.job('edge', 'NextAttempt')
    for names in (['edge'], [], ['edge', 'edge']):
        rows = wait_jobs(edge, *names).finish()
        assert rows == [('edge', 'fresh', '')] * max(1, len(names))
    assert edge.client.job('edge', 'NextAttempt') == planned, 'waiting causes no attempt'
    assert len(edge.worker.requests) == 1


def test_who_waits_is_answered_when_the_credential_stands(host):
    host.standard()
    gate = threading.Event()
    host.worker.answer = lambda request: gate.wait(60) and host.worker.credential(request)
    host.start(wait=False)
    host.client.wait(host.client.owner, 'the daemon')
    calls = [wait_jobs(host, 'edge'), wait_jobs(host)]
    host.client.wait_job('edge', State='refreshing')
    pause(host)
    assert not [call for call in calls if call.done] and not host.auths()
    gate.set()
    for call in calls:
        assert call.finish() == [('edge', 'fresh', '')]
    assert host.auths()


@pytest.mark.parametrize('reason, state', [('robot-unknown', 'failed'), ('timeout', None)])
def test_what_waiting_cannot_mend_is_told_and_the_rest_is_waited_for(host, reason, state):
    host.standard()
    host.worker.answer = lambda request: failure(reason)
    host.start()
    call = wait_jobs(host, 'edge')
    if state:
        assert call.finish() == [('edge', state, reason)]
        return
    host.client.wait_job('edge', Failures=lambda n: n >= 1)  # it is tried again all the time
    pause(host)
    assert not call.done
    host.worker.answer = host.worker.credential
    host.client.call(MANAGER, 'RefreshAll')
    assert call.finish(60) == [('edge', 'fresh', '')]


def test_broken_and_disabled_jobs_keep_nobody_waiting(edge):
    edge.job('broken', registry='https://x')
    edge.job('off', robot='other+off', more='Enabled=no\n')
    edge.reload()
    assert wait_jobs(edge, 'broken', 'off').finish() == [('broken', 'failed', 'configuration-invalid'),
                                                         ('off', 'inactive', '')]
    assert [row[0] for row in wait_jobs(edge).finish()] == ['broken', 'edge']


def test_no_longer_than_asked(host):
    host.standard()
    host.worker.answer = lambda request: failure('timeout')
    host.start()
    for timeout in (0, 100000):
        rows = wait_jobs(host, timeout=timeout).finish()
        assert len(rows) == 1 and rows[0][0] == 'edge' and rows[0][1] in ('expired', 'refreshing')


def test_names_are_checked(edge):
    assert wait_jobs(edge, '../x').failure()[0] == ERROR + 'InvalidName'
    assert wait_jobs(edge, 'edge', 'nobody').failure() == (ERROR + 'NoSuchJob', wait_jobs(edge, 'nobody').failure()[1])
    assert wait_jobs(edge, *['edge'] * 256).finish()
    assert wait_jobs(edge, *['edge'] * 257).failure()[0] == ERROR + 'InvalidArgument'


def test_a_job_that_is_removed_meanwhile(edge):
    edge.job('other', robot='other+robot')
    edge.worker.answer = lambda request: failure('timeout')
    edge.reload()
    named, every = wait_jobs(edge, 'other'), wait_jobs(edge)
    edge.client.wait_job('other', Failures=lambda n: n >= 1)
    pause(edge)
    assert not named.done and not every.done
    os.unlink(edge.path('etc/pullauth/jobs/other.job'))
    edge.reload()
    assert named.failure()[0] == ERROR + 'NoSuchJob'
    assert [row[0] for row in every.finish()] == ['edge']


def test_a_new_configuration_ends_the_wait(host):
    host.standard()
    host.worker.answer = lambda request: failure('timeout')
    host.start()
    call = wait_jobs(host, 'edge')
    pause(host)
    assert not call.done
    host.job(more='Enabled=no\n')
    host.reload()
    assert call.finish() == [('edge', 'inactive', '')]


def test_who_waits_learns_of_the_end_of_the_daemon(host):
    host.standard()
    host.worker.answer = lambda request: failure('timeout')
    host.start()
    call = wait_jobs(host, 'edge')
    pause(host)
    host.stop()
    assert call.failure()[0] == 'org.freedesktop.DBus.Error.NoReply'


@needs_root
def test_one_user_can_wait_so_often_and_others_still_can(host):
    host.standard()
    host.worker.answer = lambda request: failure('timeout')
    host.start()
    command = ('busctl', '--system', '--timeout=600', 'call', 'org.pullauth1', '/org/pullauth1', MANAGER, 'WaitJobs',
               'ast', '0', str(10 * MINUTE))
    callers = [host.popen_as(STRANGER_UID, *command) for _ in range(10)]
    try:
        host.client.poll(lambda: sum(caller.poll() is not None for caller in callers) == 2, 'two refusals')
        refused = [caller for caller in callers if caller.poll() is not None]
        assert all('too many' in caller.stderr.read().lower() for caller in refused)
        rows = host.run_as(STRANGER_UID, 'busctl', '--system', 'call', 'org.pullauth1', '/org/pullauth1', MANAGER,
                           'WaitJobs', 'ast', '0', '0')
        assert rows.returncode != 0 and 'too many' in rows.stderr.lower()
        assert wait_jobs(host, timeout=0).finish(), 'root is another'
        left = next(caller for caller in callers if caller.poll() is None)
        left.kill()
        left.wait()

        def there_is_room():
            result = host.run_as(STRANGER_UID, 'busctl', '--system', 'call', 'org.pullauth1', '/org/pullauth1',
                                 MANAGER, 'WaitJobs', 'ast', '0', '0')
            return result.returncode == 0
        host.client.poll(there_is_room, 'the place of the one that left')
    finally:
        for caller in callers:
            caller.kill()
            caller.wait()
            caller.stderr.close()


@needs_root
def test_root_is_held_to_the_limit_of_all(host):
    host.standard()
    host.worker.answer = lambda request: failure('timeout')
    host.start()
    calls = [wait_jobs(host, timeout=10 * MINUTE) for _ in range(64)]
    pause(host)
    assert not [call for call in calls if call.done]
    assert wait_jobs(host).failure(20 * SLOW)[0] == LIMITS
    host.worker.answer = host.worker.credential
    host.client.call(MANAGER, 'RefreshAll')
    assert all(call.finish(60) for call in calls)
    assert wait_jobs(host).finish()
