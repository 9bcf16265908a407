# SPDX-License-Identifier: LGPL-2.1-or-later
"""A worker that is not there, dies, hangs or lies: the part that may fall."""

import os

import pytest
from fakeworker import failure


def test_a_worker_that_dies_once_is_asked_again_at_once(host):
    host.standard()
    answers = [ConnectionError()]
    host.worker.answer = lambda request: answers.pop() if answers else host.worker.credential(request)
    host.start()
    job = host.client.wait_job('edge', State='fresh')
    assert job['AttemptsStarted'] == 1 and len(host.worker.requests) == 2


def test_a_worker_that_keeps_dying_is_a_failure_with_a_pace(host):
    host.standard()
    host.worker.answer = lambda request: ConnectionError()
    host.start()

    def between_attempts():
        """The job as it is while the worker is asked nothing."""
        asked, job = len(host.worker.requests), host.client.job('edge')
        return job if job['State'] == 'expired' and len(host.worker.requests) == asked else None
    job = host.client.wait(between_attempts, 'a failure')
    assert job['Reason'] == 'worker-unavailable' and job['Hint'] and job['NextAttempt'] > job['LastAttempt']
    assert len(host.worker.requests) == 2 * job['AttemptsEnded']


def test_no_worker_at_all(host):
    host.worker.stop()
    host.standard().start()
    job = host.client.wait_job('edge', Reason='worker-unavailable', State='expired')
    assert 'pullauth-worker' in job['Hint']


@pytest.mark.parametrize('change', [
    {'User': 'acme+other'}, {'Secret': b''}, {'Expires': 0}, {'Issued': 2**62, 'Expires': 2**62 + 1},
    {'ObtainedBoot': 1}, {'ObtainedBoot': 2**63}, {'Reason': 'registry-error', 'Step': 'exchange', 'Message': 'both'},
], ids=str)
def test_a_lying_worker_gets_nothing_published(host, change):
    host.standard()
    host.worker.answer = lambda request: {**host.worker.credential(request), **change}
    host.start()
    job = host.client.wait_job('edge', State='expired')
    assert job['Reason'] in ('answer-malformed', 'worker-unavailable', 'token-not-usable')
    assert host.auths() is None


def test_failures_are_told_whole(host):
    host.standard()
    host.worker.answer = lambda request: failure('robot-unknown', message='The registry knows no such robot',
                                                 HTTPStatus=400, Words='Could not find \x1b[31mrobot', Hint='Make it')
    host.start()
    job = host.client.wait_job('edge', State='failed')
    assert (job['Reason'], job['Step'], job['HTTPStatus'], job['Hint']) == ('robot-unknown', 'exchange', 400, 'Make it')
    assert job['RegistryWords'].startswith('Could not find') and '\x1b' not in job['RegistryWords']
    assert job['Message'] == 'The registry knows no such robot' and job['FailuresInARow'] == 1
    assert 'robot-unknown' in host.log()


def test_an_idle_connection_is_closed_so_that_the_worker_can_go(edge):
    edge.worker.wait(lambda: not edge.worker.is_connected(), 'the end of the connection')


def test_a_removed_job_cancels_its_request(host):
    host.standard()
    host.job('good', more='Scopes=acme/good\n')
    host.worker.answer = lambda request: None if request['Job'] == 'edge' else host.worker.credential(request)
    host.start(wait=False)
    host.client.wait(lambda: host.client.owner() and host.client.jobs().get('good', [0] * 5)[4] == 'fresh', 'good')
    host.worker.wait(lambda: 'edge' in [request['Job'] for request in host.worker.requests], 'the other request')
    assert host.client.jobs()['edge'][4] == 'refreshing'
    os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    host.client.call('org.pullauth1.Manager', 'Reload')
    host.client.wait(lambda: list(host.client.jobs()) == ['good'], 'the removal')
    host.notify.wait('READY=1')
    asked = [request['Id'] for request in host.worker.requests if request['Job'] == 'edge']
    host.worker.wait(lambda: host.worker.cancelled == asked, 'the cancellation')
