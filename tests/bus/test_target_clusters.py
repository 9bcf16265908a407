# SPDX-License-Identifier: LGPL-2.1-or-later
"""Targets in a cluster with a worker that lies, dies or takes its time. What a cluster does is in tests/identity."""

import json

import pytest
from fakeworker import Later, failure
from rig import SLOW
from unitmanager import UnitManager

KEY = 'quay.example.com/acme'


class FakeCluster:
    """One Secret, as a worker tells of it. `spoil` may give another answer than the right one."""

    def __init__(self, worker):
        self.worker, self.data, self.asked = worker, None, []
        self.spoil = lambda request: None
        worker.answer = self.answer

    def answer(self, request):
        if request.get('Kind') != 'cluster':
            return self.worker.credential(request)
        self.asked.append(request['Action'])
        return self.spoil(request) or self.right(request)

    def right(self, request):
        if request['Action'] != 'read':
            self.data = {key: request[key] for key in ('Labels', 'Annotations', 'Data') if key in request} \
                if request['Action'] != 'remove' else None
            return {'Well': True}
        found = self.data and {**self.data, 'SecretName': 'quay-pull', 'SecretType': 'kubernetes.io/dockerconfigjson',
                               'UID': 'u-1', 'ResourceVersion': '7'}
        return {'Well': True, **(found or {})}

    def token(self):
        return json.loads(bytes(self.data['Data']))['auths'][KEY]['auth']

    def exchanges(self):
        return len(self.worker.tokens)


@pytest.fixture
def cluster(host):
    host.standard()
    host.write('tokens/cluster', 'asker', 0o600)
    host.write('etc/pullauth/targets/pods.target', '[Kubernetes]\nSecret=quay-pull\nServer=https://api.example.com\n'
               'TokenFile=/tokens/cluster\n')
    host.job(more='Targets=pods\n')
    made = FakeCluster(host.worker)
    made.host = host
    return made


def fragment(host):
    return json.loads(host.read('run/pullauth/fragments/edge.json'))['auths'][KEY]['auth']


@pytest.mark.parametrize('answer', [
    {'Well': True, 'UID': 'u-1'}, {'Well': True, 'UID': 'u 1', 'ResourceVersion': '7'},
    {'UID': 'u', 'ResourceVersion': '7'},
    {'User': 'acme+edge', 'Secret': b'x', 'Issued': 1, 'Expires': 2}, ConnectionError(),
    failure('registry-error', message='Not of this step'), failure('target-unreachable', 'publication')], ids=str)
def test_a_lying_worker_is_a_target_that_is_not_reached(cluster, answer):
    cluster.spoil = lambda request: answer
    cluster.host.start()
    job = cluster.host.client.wait_job('edge', Reason='target-unreachable')
    assert job['Step'] == 'publication' and job['Hint'] and cluster.data is None
    cluster.spoil = lambda request: None
    cluster.host.client.call('org.pullauth1.Manager', 'ResetFailedJob', 's', 'edge')
    cluster.host.client.wait_job('edge', State='fresh')
    assert cluster.token() == fragment(cluster.host) and cluster.exchanges() == 1


def test_a_secret_of_another_kind_is_not_believed(cluster):
    cluster.data = {'Labels': {'app.kubernetes.io/managed-by': 'pullauthd\n'}, 'Data': b'\0' * 100}
    cluster.host.start()
    cluster.host.client.wait_job('edge', Reason='target-conflict')
    assert set(cluster.asked) == {'read'}


def test_keys_that_mean_nothing_are_told_with_their_line_and_do_no_harm(cluster):
    host, file = cluster.host, 'etc/pullauth/targets/pods.target'
    host.write(file, host.read(file).decode() + 'Colour=blue\nServiceAccount=quay\nMode=0640\n')
    host.start()
    host.client.wait_job('edge', State='fresh')
    assert cluster.token() == fragment(host)
    for line, key in (5, 'Colour'), (6, 'ServiceAccount'), (7, 'Mode'):
        told = [row for row in host.log().splitlines() if f'{key}' in row]
        assert len(told) == 1 and f'pods.target:{line}: ' in told[0], told


@pytest.mark.parametrize('action', ['read', 'apply'])
def test_what_changes_while_the_cluster_is_asked_is_not_forgotten(cluster, action):
    host, later, held = cluster.host, Later(), []
    host.start()
    host.client.wait_job('edge', State='fresh')

    def hold(request):
        if request['Action'] != action or held:
            return None
        held.append(request)
        return later
    cluster.spoil = hold
    host.client.call('org.pullauth1.Manager', 'RefreshAll')
    assert later.asked.wait(20 * SLOW)
    host.job('other', more='Targets=pods\nScopes=acme/other\n')
    host.reload()
    host.client.poll(lambda: cluster.exchanges() == 3, 'the third exchange')
    later.send(cluster.right(held[0]))
    host.client.wait_job('other', State='fresh')
    host.client.wait_job('edge', State='fresh')
    assert cluster.token() == fragment(host)
    assert sorted(json.loads(bytes(cluster.data['Data']))['auths']) == [KEY, f'{KEY}/other']


def test_what_was_written_is_old_news_if_there_is_something_newer(cluster):
    host, later = cluster.host, Later()
    host.start()
    host.client.wait_job('edge', State='fresh')
    cluster.spoil = lambda request: later if request['Action'] == 'apply' and not later.asked.is_set() else None
    host.client.call('org.pullauth1.Manager', 'RefreshAll')
    assert later.asked.wait(20 * SLOW)
    host.job(robot='acme+other', more='Targets=pods\n')
    host.reload()
    host.client.poll(lambda: cluster.exchanges() == 3, 'the exchange for the other robot')
    later.send({'Well': True})
    host.client.wait_job('edge', State='fresh')
    assert cluster.token() == fragment(host)


def test_a_round_is_cancelled_with_its_target(cluster):
    later = Later()
    cluster.spoil = lambda request: later
    host = cluster.host
    host.start(wait=False)
    assert later.asked.wait(20 * SLOW)
    host.write('etc/pullauth/targets/pods.target',
               host.read('etc/pullauth/targets/pods.target').decode() + 'Label=team=edge\n')
    cluster.spoil = lambda request: None
    host.client.poll(lambda: host.client.owner(), 'the daemon')
    host.reload()
    host.client.wait_job('edge', State='fresh')
    assert len(host.worker.cancelled) == 1 and cluster.data['Labels']['team'] == 'edge'


def reloading(cluster, more=''):
    """The target, with a unit that wants to know of it, on a host with a service manager."""
    host, file = cluster.host, 'etc/pullauth/targets/pods.target'
    text = host.read(file).decode().split('[Target]')[0]
    host.write(file, f'{text}{more}[Target]\nReloadUnit=app.service\n')
    if not host.stubs:
        host.stubs.append(UnitManager(host.address, slow=SLOW))
    return host.stubs[0]


def told(host):
    """The unit's manager answers that this failed, and that was heard."""
    host.client.wait_job('edge', TargetStates=lambda rows: 'was not reloaded' in rows[0][3])


def test_a_unit_is_told_when_the_secret_says_something_else(cluster):
    host, units = cluster.host, reloading(cluster)
    units.answer = lambda unit: 'failed'
    host.start()
    told(host)
    host.restart()
    reloading(cluster, 'Label=team=edge\n')
    host.reload()
    host.client.poll(lambda: 'team' in cluster.data['Labels'], 'the label')
    host.client.call('org.pullauth1.Manager', 'RefreshJob', 's', 'edge')
    told(host)
    assert cluster.token() == fragment(host) and cluster.exchanges() == 2
    assert host.stop() == 0
    assert b'"reload"' not in host.read('var/lib/pullauth/state.json') and len(units.asked) == 2, \
        'neither for the restart nor for the label'


def test_a_unit_is_told_when_the_secret_goes(cluster):
    host, units = cluster.host, reloading(cluster)
    host.start()
    units.wait_asked()
    host.job(more='Targets=pods\nEnabled=no\n')
    host.reload()
    units.wait_asked(2)
    assert cluster.data is None and [row[:2] for row in units.asked] == [('app.service', 'replace')] * 2


def test_a_unit_that_is_not_reloaded_is_told_of_at_the_secret(cluster):
    units = reloading(cluster)
    units.answer = lambda unit: 'failed'
    cluster.host.start()
    job = cluster.host.client.wait_job('edge', TargetStates=lambda rows: 'was not reloaded' in rows[0][3])
    assert job['State'] == 'fresh' and job['TargetStates'][0][2] == 'published'
