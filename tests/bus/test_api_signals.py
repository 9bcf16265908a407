# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signals of a job: each moment is told once, behind the news of the properties that go with it."""

import pytest
from fakeworker import Later, failure

JOB, PATH = 'org.pullauth1.Job', '/org/pullauth1/job/edge'
MOMENTS = ('Refreshed', 'Failed', 'Expired', 'Withdrawn')


def moments(client):
    return [(signal[2], *signal[3]) for signal in client.signals if signal[0] == PATH and signal[2] in MOMENTS]


def told(client, n=1):
    """The moments, once there are as many: they come some time behind the properties that can be asked for."""
    client.wait(lambda: len(moments(client)) >= n, f'{n} of the signals')
    settle(client)
    return moments(client)


def last_life(client):
    """The moments since the latest refresh: on a slow host a credential of three seconds ends, and another comes."""
    found = moments(client)
    refreshes = [number for number, moment in enumerate(found) if moment[0] == 'Refreshed']
    return found[refreshes[-1]:] if refreshes else found


def withdrawn(told):
    return sorted(target for moment in told if moment[0] == 'Withdrawn' for target in moment[1])


def settle(client):
    """A round trip: what was sent before its answer has arrived."""
    client.owner()
    while client.context.iteration(False):
        pass


def start(host, answer=None):
    """The first attempt ends, in a credential or as said, once the name is there: signals come from it, not before."""
    later = Later()
    host.worker.answer = lambda request: later
    assert host.client.connection
    host.start(wait=False)  # it is ready when all jobs had their first attempt
    host.client.wait(host.client.owner, 'the name')
    host.client.wait_job('edge', State='refreshing')  # whoever answers knows that he has the name
    assert later.asked.wait(60)
    host.worker.answer = host.worker.credential
    later.send(answer or host.worker.credential(host.worker.requests[-1]))


@pytest.fixture
def heard(host):
    """A daemon with one job that is fresh, and nothing left to be told of it."""
    host.standard()
    start(host)
    host.client.wait_job('edge', State='fresh')
    told(host.client)
    host.client.signals.clear()
    return host


def test_each_refresh_is_told_once_with_its_end(host):
    host.standard()
    start(host)
    host.client.wait_job('edge', State='fresh')
    expires = host.client.job('edge', 'Expires')
    assert told(host.client) == [('Refreshed', expires)]
    host.client.signals.clear()
    host.client.call('org.pullauth1.Manager', 'RefreshAll')
    host.client.wait_job('edge', Refreshes=2)
    assert told(host.client) == [('Refreshed', host.client.job('edge', 'Expires'))]
    members = [signal[2] for signal in host.client.signals if signal[0] == PATH]
    assert members[members.index('Refreshed') - 1] == 'PropertiesChanged'


def test_each_attempt_that_fails_is_told_and_counted(heard):
    """One of a kind that is not tried again by itself for minutes."""
    heard.worker.answer = lambda request: failure('robot-unknown', message='Not here')
    heard.client.call('org.pullauth1.Manager', 'RefreshAll')
    heard.client.wait_job('edge', Failures=1)
    assert told(heard.client) == [('Failed', 'robot-unknown', 'exchange', 'Not here')]
    heard.client.signals.clear()
    heard.client.call('org.pullauth1.Manager', 'RefreshAll')
    heard.client.wait_job('edge', Failures=2, State='retrying')
    assert told(heard.client) == [('Failed', 'robot-unknown', 'exchange', 'Not here')], 'also the second of a kind'


def test_an_attempt_whose_target_cannot_be_written_failed(host):
    host.standard()
    host.write('etc/containers/auth.json', '{')
    start(host)
    job = host.client.wait_job('edge', State='retrying')
    assert told(host.client) == [('Failed', 'target-malformed', 'publication', job['Message'])]
    assert (job['Failures'], job['Refreshes']) == (1, 0)
    host.client.signals.clear()
    host.write('etc/containers/auth.json', '{}')
    host.client.wait_job('edge', State='fresh')
    assert [moment[0] for moment in told(host.client)] == ['Refreshed'], 'it was, though not in the attempt'


def test_the_end_of_a_credential_and_its_withdrawal_are_told(host):
    host.standard()
    host.worker.lifetime = 3
    assert host.client.connection
    host.start()
    host.client.wait_job('edge', State='fresh')
    host.worker.answer = lambda request: failure('robot-unknown')
    host.client.wait(lambda: set(withdrawn(last_life(host.client))) == {'system', 'podman'}, 'the withdrawal from both')
    settle(host.client)
    told = last_life(host.client)
    names = [moment[0] for moment in told]
    assert names.count('Expired') == 1 and names.index('Expired') < names.index('Withdrawn')
    assert withdrawn(told) == ['podman', 'system'], 'each target once'


def test_what_is_left_in_place_was_not_withdrawn(host):
    host.standard()
    host.job(more='OnExpiry=retain\n')
    host.worker.lifetime = 3
    assert host.client.connection
    host.start()
    host.client.wait_job('edge', State='fresh')
    host.worker.answer = lambda request: failure('robot-unknown')
    host.client.wait(lambda: 'Expired' in [moment[0] for moment in last_life(host.client)], 'the end')
    assert host.auths()
    # A withdrawal would come a moment later, and be told before what takes its place.
    host.worker.answer = host.worker.credential
    host.client.call('org.pullauth1.Manager', 'RefreshAll')
    host.client.wait(lambda: 'Expired' not in [moment[0] for moment in last_life(host.client)], 'another credential')
    assert 'Withdrawn' not in [moment[0] for moment in moments(host.client)]


def test_nothing_that_never_stood_is_withdrawn(host):
    host.standard()
    start(host, failure('robot-unknown'))
    host.client.wait_job('edge', TargetStates=lambda rows: {row[2] for row in rows} == {'withdrawn'})
    assert [moment[0] for moment in told(host.client)] == ['Failed']


def test_another_robot_withdraws_what_the_first_one_had(heard):
    heard.worker.answer = lambda request: failure('robot-unknown')
    heard.job(robot='acme+other')
    heard.reload()
    heard.client.wait(lambda: withdrawn(moments(heard.client)) == ['podman', 'system'], 'the withdrawal')


def test_the_identity_is_shown_as_properties(heard):
    job = heard.client.job('edge')
    assert (job['IdentityAlgorithm'], job['IdentityKeyID'], job['IdentityIssued']) == ('RS256', 'k', 0)
    answer = heard.worker.answer
    heard.worker.answer = lambda request: answer(request, IdentityIssued=1700000000, KeyId='other')
    heard.client.call('org.pullauth1.Manager', 'RefreshAll')
    heard.client.wait_job('edge', IdentityIssued=1700000000 * 1000000, IdentityKeyID='other')
    heard.client.wait_job('edge', State='fresh')
    told(heard.client)
    changed = [signal[3][1] for signal in heard.client.signals if signal[2] == 'PropertiesChanged' and
               'IdentityIssued' in signal[3][1]]
    assert changed and changed[-1]['IdentityKeyID'] == 'other'


def test_counters_begin_anew_with_the_daemon(edge):
    edge.worker.answer = lambda request: failure('timeout')
    edge.client.call('org.pullauth1.Manager', 'RefreshAll')
    edge.client.wait_job('edge', Failures=lambda n: n >= 1)
    edge.restart()
    assert edge.client.job('edge', 'Failures') == 0
