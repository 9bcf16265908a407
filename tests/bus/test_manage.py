# SPDX-License-Identifier: LGPL-2.1-or-later
"""Looking jobs up, refreshing several, and forgetting what failed."""

import pytest
from edits import MANAGER, called, error
from fakeworker import Later, failure
from rig import SLOW, STRANGER_UID
from test_bus import needs_root

@pytest.fixture
def two(host):
    """Two registries, and two jobs at one of them, of which one has a deeper scope."""
    host.standard()
    host.job('deep', robot='acme+deep', more='Scopes=acme/team acme/team/app\n')
    host.job('other', registry='registry.example.org:5000', robot='acme+other', more='Scopes=*\n')
    host.job('off', robot='acme+off', more='Scopes=acme/team/app/x *\nEnabled=no\n')
    host.job('lost', robot='acme+lost', more='Scopes=acme acme/else\n')
    host.start()
    for name in ('edge', 'deep', 'other'):
        host.client.wait_job(name, State='fresh')
    return host


def test_jobs_of_one_registry(two):
    def names(registry):
        return [row[0] for row in called(two, 'ListJobsByRegistry', 's', registry)]
    assert names('quay.example.com') == ['deep', 'edge', 'lost', 'off']
    assert names('registry.example.org:5000') == ['other']
    assert names('registry.example.org') == names('nowhere.example.com') == []
    assert called(two, 'ListJobsByRegistry', 's', 'registry.example.org:5000')[0] == two.client.jobs()['other']
    for wrong in ('', 'Quay.example.com', 'https://quay.example.com', 'a/b', 'a' * 50000):
        assert error(two, 'ListJobsByRegistry', 's', wrong)[0] == 'InvalidName'


# Who serves it: the longest scope, whole components, no disabled job. `lost` cannot work, since edge has one of its
# scopes; it is the answer where it is the only one.
IMAGES = [
    ('quay.example.com/acme/team/app:v1', 'deep', 'quay.example.com/acme/team/app'),
    ('quay.example.com/acme/team/app/x', 'deep', 'quay.example.com/acme/team/app'),
    ('quay.example.com/acme/team/apple', 'deep', 'quay.example.com/acme/team'),
    ('quay.example.com/acme/else@sha256:' + 64 * '0', 'lost', 'quay.example.com/acme/else'),
    ('docker://registry.example.org:5000/x', 'other', 'registry.example.org:5000'),
]


@pytest.mark.parametrize('image, name, scope', IMAGES)
def test_the_job_of_an_image(two, image, name, scope):
    assert called(two, 'FindJobForImage', 's', image) == (name, f'/org/pullauth1/job/{name}', scope)


def test_of_two_jobs_for_one_scope_the_one_that_can_work_serves(host):
    host.standard()
    host.job('a', robot='acme+a', more='Identity=missing\n')
    host.start()
    host.client.wait_job('edge', State='fresh')
    assert host.client.job('a', 'State') == 'failed'
    assert called(host, 'FindJobForImage', 's', 'quay.example.com/acme/app')[0] == 'edge'
    host.job('edge', more='Enabled=no\n')
    host.reload()
    assert called(host, 'FindJobForImage', 's', 'quay.example.com/acme/app')[0] == 'a'


def test_images_that_no_job_serves_and_words_that_are_none(edge):
    for image in ('quay.example.com/acmeorg/app', 'quay.example.com/other', 'busybox', 'quay.example.com:8443/acme/x'):
        name, text = error(edge, 'FindJobForImage', 's', image)
        assert name == 'NoSuchJob' and 'Scopes=' in text
    assert "'docker.io/library/busybox'" in error(edge, 'FindJobForImage', 's', 'busybox:1')[1]
    for wrong in ('', 'Acme/app', 'quay.example.com//x', 'quay.example.com/acme:', 'a' * 50000):
        assert error(edge, 'FindJobForImage', 's', wrong)[0] == 'InvalidName'


def test_refreshing_one_registry_touches_no_other(two):
    before = {name: two.client.job(name, 'AttemptsEnded') for name in ('edge', 'deep', 'other')}
    assert called(two, 'RefreshRegistry', 's', 'registry.example.org:5000') == [('other', before['other'] + 1)]
    two.client.wait_job('other', AttemptsEnded=before['other'] + 1)
    assert two.client.job('deep', 'AttemptsEnded') == before['deep']
    assert error(two, 'RefreshRegistry', 's', 'nowhere.example.com')[0] == 'NoSuchJob'
    assert error(two, 'RefreshRegistry', 's', 'No Where')[0] == 'InvalidName'


def test_a_failed_job_that_is_reset_is_tried_at_its_first_pace(edge):
    edge.worker.answer = lambda request: failure('robot-unknown', HTTPStatus=400)
    called(edge, 'RefreshJob', 's', 'edge')
    job = edge.client.wait_job('edge', State='retrying', FailuresInARow=1)
    held = Later()
    edge.worker.answer = lambda request: held  # who comes late to look finds the attempt under way
    called(edge, 'ResetFailedJob', 's', 'edge')
    reset = edge.client.wait_job('edge', FailuresInARow=0)
    assert reset['Reason'] == 'robot-unknown' and reset['NextAttempt'] < job['NextAttempt']
    edge.worker.wait(held.asked.is_set, 'the attempt')
    held.send(failure('robot-unknown', HTTPStatus=400))
    edge.client.wait_job('edge', AttemptsEnded=3, FailuresInARow=1)
    edge.worker.answer = edge.worker.credential
    called(edge, 'ResetFailed')
    edge.client.wait_job('edge', State='fresh', FailuresInARow=0)


def test_resetting_a_job_that_did_not_fail_changes_nothing(edge):
    before = edge.client.job('edge')
    called(edge, 'ResetFailedJob', 's', 'edge')
    called(edge, 'ResetFailed')
    assert edge.client.job('edge') == before
    assert error(edge, 'ResetFailedJob', 's', 'nobody')[0] == 'NoSuchJob'
    assert error(edge, 'ResetFailedJob', 's', '../x')[0] == 'InvalidName'


@needs_root
@pytest.mark.parametrize('method, arguments, action, details', [
    ('RefreshJob', ('s', 'edge'), 'refresh', {'job': 'edge', 'registry': 'quay.example.com'}),
    ('RefreshJob', ('s', 'nobody'), 'refresh', {'job': 'nobody', 'registry': ''}),
    ('RefreshAll', (), 'refresh', {}),
    ('RefreshRegistry', ('s', 'quay.example.com'), 'refresh', {'registry': 'quay.example.com'}),
    ('ResetFailedJob', ('s', 'edge'), 'refresh', {'job': 'edge', 'registry': 'quay.example.com'}),
    ('ResetFailed', (), 'refresh', {}),
    ('Reload', (), 'reload', {}),
])
def test_polkit_is_told_what_is_asked_for(edge, method, arguments, action, details):
    polkit = edge.polkitd()
    command = ('call', 'org.pullauth1', '/org/pullauth1', MANAGER, method, *arguments)
    assert 'Access denied' in edge.busctl(*command).stderr
    assert polkit.questions == [(f'org.pullauth1.{action}', details)]
    assert len(edge.worker.requests) == 1


@needs_root
def test_a_job_that_moves_to_another_registry_meanwhile_is_asked_about_anew(edge):
    polkit = edge.polkitd(lambda action, details: polkit.HOLD if details['registry'] == 'quay.example.com' else False)
    caller = edge.popen_as(STRANGER_UID, 'busctl', '--system', 'call', 'org.pullauth1', '/org/pullauth1/job/edge',
                           'org.pullauth1.Job', 'Refresh')
    polkit.wait_asked()
    edge.job(registry='prod.example.com')
    edge.reload()
    polkit.release(True)  # soon: neither the daemon waits for polkit for ever nor the caller for the daemon
    assert 'Access denied' in caller.communicate(timeout=60 * SLOW)[1]
    edge.client.wait_job('edge', State='fresh', Registry='prod.example.com')
    assert [details['registry'] for _, details in polkit.questions] == ['quay.example.com', 'prod.example.com']
    assert len(edge.worker.requests) == 2
