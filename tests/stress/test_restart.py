# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon that is killed in each state of a job: the next one goes on from the last thing that was certain."""

import os

import pytest
from fakeworker import failure
from stressrig import FRAGMENTS, KEY, PODMAN, SYSTEM, TARGETS, Gate, auth_of


def lose_answer(host, gate):
    """The worker is asked, and the daemon does not live to hear it."""
    asked = len(host.worker.requests)
    gate.wait()
    host.kill()
    gate.open.set()
    host.worker.wait(lambda: len(host.worker.requests) > asked, 'the answer')


def refuse(host, reason='tls-untrusted'):
    """With a wait of half a minute and more: no attempt comes by itself while we look."""
    host.worker.answer = lambda request: failure(reason)


class FirstAttempt:
    """Nothing stands yet, and the worker has been asked."""
    state, attempts = 'fresh', 1

    def bring_about(self, host):
        gate = Gate(host.worker)
        host.standard().start(wait=False)
        lose_answer(host, gate)
        host.worker.answer = host.worker.credential


class Refreshing:
    """The worker has been asked for the next credential; its answer is lost."""
    state, attempts = 'fresh', 0

    def bring_about(self, host):
        host.adopted()
        gate = Gate(host.worker)
        host.refresh_all()
        lose_answer(host, gate)
        refuse(host)


class Retrying:
    """What stands is good, and the attempts to replace it fail: a restart is no reason for one more of them."""
    state, attempts = 'fresh', 0

    def bring_about(self, host):
        host.adopted()
        refuse(host)
        host.refresh_all()
        host.client.wait_job('edge', State='retrying')
        host.kill()


class Publishing:
    """Fetched, stored in the fragment and one target; the other one cannot take it."""
    state, attempts, reason = 'retrying', 0, 'target-malformed'

    def bring_about(self, host):
        host.standard()
        host.write(SYSTEM, '{"auths": nonsense', 0o600)
        host.start()
        host.client.wait_job('edge', Reason=self.reason)
        host.kill()
        refuse(host)


class Expired:
    """The end has come, and no successor."""
    state, attempts = 'expired', 1

    def bring_about(self, host):
        host.standard()
        host.worker.lifetime = 2
        host.start()
        host.wait_published()
        refuse(host)
        host.client.wait_job('edge', State='expired')
        host.client.poll(lambda: not any(host.auth(path) for path in TARGETS.values()), 'the withdrawal')
        host.kill()


class Failed:
    """The registry said no."""
    state, attempts, reason = 'failed', 1, 'robot-unknown'

    def bring_about(self, host):
        refuse(host, self.reason)
        host.standard().start()
        host.client.wait_job('edge', State='failed')
        host.kill()


@pytest.mark.parametrize('case', [FirstAttempt, Refreshing, Retrying, Publishing, Expired, Failed])
def test_each_state_is_left_for_the_last_that_was_certain(host, case):
    case().bring_about(host)
    before, stood = len(host.worker.requests), host.auth(PODMAN)
    host.start()
    wanted = {'Reason': case.reason} if hasattr(case, 'reason') else {}
    job = host.client.wait_job('edge', State=case.state, **wanted)
    assert len(host.worker.requests) - before == case.attempts
    if case.state == 'fresh':
        token = auth_of('acme+edge', host.worker.tokens[-1 if case is FirstAttempt else 0])
        host.client.poll(lambda: host.auth(SYSTEM) == host.auth(PODMAN) == token, 'what was certain')
        assert os.path.exists(host.path(f'{FRAGMENTS}/edge.json')) and not job['Reason']
    elif case is Publishing:
        assert host.auth(PODMAN) == stood
        host.put_system()
        host.client.poll(lambda: host.auth(SYSTEM) == stood, 'the other target')
        assert len(host.worker.requests) == before
    else:
        assert KEY not in host.auths() and not os.path.exists(host.path(f'{FRAGMENTS}/edge.json'))
    host.check_foreign()
