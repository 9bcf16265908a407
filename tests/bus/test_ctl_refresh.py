# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauthctl refresh, with and without --wait."""

import json

import pytest
from ctl_rig import CtlRig, broken, fresh, retrying, soon

FAILURE = {key: value for key, value in retrying().items()
           if key in ('State', 'Step', 'Reason', 'Message', 'RegistryWords', 'Hint', 'HTTPStatus')}


@pytest.fixture
def rig():
    made = CtlRig()
    try:
        made.start()
        made.mock.job('edge', **fresh())
        made.mock.job('lab', **fresh(Robot='acme+lab'))
        yield made
    finally:
        made.close()


def asked_for(rig):
    return [call[:2] for call in rig.mock.calls() if call[0].startswith('Refresh')]


def test_all_jobs_are_refreshed_at_once(rig):
    ran = rig.ctl('refresh')
    assert (ran.returncode, ran.stdout) == (0, 'edge: attempt 3 asked for\nlab: attempt 3 asked for\n')
    assert asked_for(rig) == [('RefreshAll', '')]


def test_named_jobs_alone_are_refreshed(rig):
    ran = rig.ctl('refresh', 'lab')
    assert (ran.returncode, ran.stdout) == (0, 'lab: attempt 3 asked for\n')
    assert asked_for(rig) == [('RefreshJob', 'lab')]
    assert json.loads(rig.ctl('refresh', 'lab', '--json').stdout) == [{'name': 'lab', 'attempt': 4}]


def test_a_job_that_does_not_exist_is_not_asked_for(rig):
    ran = rig.ctl('refresh', 'ege', 'lab')
    assert (ran.returncode, ran.stdout) == (4, 'lab: attempt 3 asked for\n')
    assert ran.stderr == "pullauthctl: No job 'ege', did you mean 'edge'?\n"
    assert asked_for(rig) == [('RefreshJob', 'lab')]


def test_jobs_that_cannot_be_tried_are_told_of(rig):
    rig.mock.job('stage', **broken())
    ran = rig.ctl('refresh')
    assert ran.returncode == 3
    assert ran.stderr == ("pullauthctl: Job 'stage' cannot be tried as it is configured, see "
                          "'pullauthctl status stage'\n")


def test_a_refused_job_does_not_keep_the_others_back(rig):
    rig.mock.on('RefreshJob', 'error', 'org.pullauth1.Error.ConfigurationInvalid', "Job 'edge' cannot be refreshed: x")
    ran = rig.ctl('refresh', 'edge', 'lab')
    assert ran.returncode == 3
    assert asked_for(rig) == [('RefreshJob', 'edge'), ('RefreshJob', 'lab')]
    assert "Job 'edge' cannot be refreshed: x" in ran.stderr


def test_who_may_not_refresh_is_told_once(rig):
    rig.mock.on('RefreshJob', 'error', 'org.freedesktop.DBus.Error.AccessDenied', 'no')
    ran = rig.ctl('refresh', 'edge', 'lab')
    assert ran.returncode == 1 and ran.stderr.count('polkit did not grant org.pullauth1.refresh') == 1
    assert asked_for(rig) == [('RefreshJob', 'edge')]


def test_waiting_ends_with_the_attempt(rig):
    rig.mock.then('edge', [{'State': 'refreshing'}, {'State': 'fresh', 'AttemptsEnded': 3, 'NextAttempt': soon(2580)}])
    ran = rig.ctl('refresh', 'edge', '--wait')
    assert (ran.returncode, ran.stderr) == (0, '')
    assert ran.stdout == '● edge: fresh, 43min left of 1h, refresh in 43min\n'


def test_a_failed_attempt_shows_why_and_what_to_do(rig):
    rig.mock.then('lab', [{**FAILURE, 'AttemptsEnded': 3}])
    rig.mock.then('edge', [{'AttemptsEnded': 3}])
    ran = rig.ctl('refresh', '--wait')
    assert (ran.returncode, ran.stderr) == (3, '')
    assert sorted(ran.stdout.split('● ')) == ['', 'edge: fresh, 43min left of 1h, refresh in 17min\n', '''\
lab: retrying, 43min left of 1h, next attempt in 17min
   Failed: exchange: The registry trusts no issuer for robot acme+lab (federation-not-configured, HTTP 400)
 Registry: “Robot does not have federated login configured”
    To do: Add this host's issuer and subject to the robot account's federation in the registry
''']


def test_an_earlier_attempt_that_ends_is_not_the_one(rig):
    rig.mock.job('edge', AttemptsStarted=5, AttemptsEnded=4)
    rig.mock.then('edge', [{'AttemptsEnded': 5, **FAILURE},
                           {'AttemptsEnded': 6, 'State': 'fresh', 'Reason': '', 'Step': '', 'Message': '',
                            'RegistryWords': '', 'Hint': ''}])
    ran = rig.ctl('refresh', 'edge', '--wait')
    assert (ran.returncode, ran.stdout) == (0, '● edge: fresh, 43min left of 1h, refresh in 17min\n')


def test_an_attempt_that_ended_before_the_answer_is_seen(rig):
    rig.mock.job('edge', AttemptsEnded=9)
    assert rig.ctl('refresh', 'edge', '--wait').returncode == 0


def test_json_of_a_wait_is_the_jobs_as_they_ended(rig):
    rig.mock.then('edge', [{**FAILURE, 'AttemptsEnded': 3}])
    ran = rig.ctl('refresh', 'edge', '--wait', '--json')
    assert ran.returncode == 3
    job, = json.loads(ran.stdout)
    assert (job['name'], job['reason'], job['attempts_ended']) == ('edge', 'federation-not-configured', 3)


def test_a_job_that_is_removed_ends_the_wait(rig):
    rig.mock.then('edge', ['remove'])
    ran = rig.ctl('refresh', 'edge', '--wait')
    assert (ran.returncode, ran.stdout) == (4, '')
    assert ran.stderr == "pullauthctl: Job 'edge' was removed before the attempt ended\n"


def test_an_attempt_that_configuration_prevents_is_not_waited_for(rig):
    rig.mock.then('edge', [{'State': 'failed', 'Step': 'configuration', 'Reason': 'identity-missing',
                            'NextAttempt': 0, 'Message': "There is no identity 'x'"}])
    ran = rig.ctl('refresh', 'edge', '--wait')
    assert (ran.returncode, ran.stderr) == (3, '')
    assert "Failed: configuration: There is no identity 'x' (identity-missing)\n" in ran.stdout


def test_the_failure_of_an_earlier_attempt_is_not_the_outcome(rig):
    rig.mock.job('edge', State='failed', Step='configuration', Reason='ca-unreadable', Message='The CA file is away',
                 NextAttempt=soon(1))
    rig.mock.then('edge', [{'NextAttempt': soon(0)}, {'State': 'refreshing', 'NextAttempt': 0},
                           {'AttemptsEnded': 3, 'State': 'fresh', 'Reason': '', 'Step': '', 'Message': '',
                            'NextAttempt': soon(1020)}])
    ran = rig.ctl('refresh', 'edge', '--wait')
    assert (ran.returncode, ran.stdout) == (0, '● edge: fresh, 43min left of 1h, refresh in 17min\n')


@pytest.mark.parametrize('steps', [['die'], [{'State': 'refreshing'}, 'die']])
def test_a_daemon_that_ends_is_not_waited_for(rig, steps):
    rig.mock.then('edge', steps)
    ran = rig.ctl('refresh', 'edge', '--wait')
    assert (ran.returncode, ran.stdout) == (1, '')
    assert 'pullauthd ' in ran.stderr and 'systemctl status pullauthd.service' in ran.stderr


def test_the_time_to_wait_is_bounded(rig):
    rig.mock.then('edge', [{'State': 'refreshing'}])
    ran = rig.ctl('refresh', 'edge', '--wait', '--timeout=100ms')
    assert (ran.returncode, ran.stdout) == (1, '')
    assert ran.stderr == "pullauthctl: The attempt of job 'edge' has not ended in time, it goes on\n"


def test_waiting_needs_no_time_limit(rig):
    rig.mock.then('edge', [{'AttemptsEnded': 3}])
    assert rig.ctl('refresh', 'edge', '--wait', '--timeout=infinity').returncode == 0


def test_many_jobs_are_waited_for_together(rig):
    for number in range(200):
        rig.mock.job(f'job-{number:03}', **fresh())
        rig.mock.then(f'job-{number:03}', [{'State': 'refreshing'}, {'State': 'fresh', 'AttemptsEnded': 3}])
    for name in ('edge', 'lab'):
        rig.mock.then(name, [{'AttemptsEnded': 3}])
    ran = rig.ctl('refresh', '--wait')
    assert ran.returncode == 0 and len(ran.stdout.splitlines()) == 202
