# SPDX-License-Identifier: LGPL-2.1-or-later
"""Policy=own: files that hold what jobs want and nothing else, and how they come to be and to end."""

import json
import os

import pytest

KEY = 'quay.example.com/acme'
FILE = 'etc/ci/auth.json'
FOREIGN = json.dumps({'auths': {'docker.io': {'auth': 'Zm9vOmJhcg=='}}})


def target(host, policy='own', more=''):
    host.write('etc/pullauth/targets/ci.target', f'[Target]\nPath=/{FILE}\nPolicy={policy}\n{more}')


def keys(host):
    return sorted(host.auths(FILE) or {})


@pytest.fixture
def ci(ci):
    target(ci)
    return ci


def test_what_others_write_is_taken_out_again(ci):
    before = ci.begin().read(FILE)
    assert keys(ci) == [KEY]
    content = json.loads(before)
    content['auths']['docker.io'] = {'auth': 'Zm9vOmJhcg=='}
    ci.write(FILE, json.dumps(content))
    ci.wait_file(FILE, lambda: ci.read(FILE) == before)
    assert len(ci.worker.requests) == 1


def test_a_file_that_would_lose_something_is_refused(ci):
    ci.write(FILE, FOREIGN)
    ci.start()
    job = ci.client.wait_job('edge', Reason='target-conflict')
    assert "'docker.io'" in job['Message'] and FILE in job['Message'] and 'Policy=merge' in job['Hint']
    assert ci.read(FILE).decode() == FOREIGN
    os.unlink(ci.path(FILE))
    ci.client.wait_job('edge', State='fresh')
    assert keys(ci) == [KEY] and len(ci.worker.requests) == 1


@pytest.mark.parametrize('text', ['', '{}', '{"auths": {}}'])
def test_a_file_that_says_nothing_becomes_ours(ci, text):
    ci.write(FILE, text)
    assert keys(ci.begin()) == [KEY]


@pytest.mark.parametrize('running', [True, False], ids=['reload', 'restart'])
def test_a_shared_file_becomes_one_of_its_own(ci, running):
    target(ci, 'merge')
    ci.write(FILE, FOREIGN)
    assert keys(ci.begin()) == ['docker.io', KEY]
    target(ci)
    if running:
        ci.reload()
    else:
        ci.restart()
    ci.client.wait_job('edge', Reason='target-conflict')
    assert keys(ci) == ['docker.io', KEY], 'what pulls go on with'
    target(ci, 'merge')
    ci.reload()
    ci.client.wait_job('edge', State='fresh', Reason='')
    alone = json.dumps({'auths': {KEY: ci.auths(FILE)[KEY]}}).encode()
    ci.write(FILE, alone)
    target(ci)
    ci.reload()
    ci.wait_file(FILE, lambda: ci.read(FILE) != alone)  # as we write it: from now on it is ours
    ci.write(FILE, FOREIGN)
    ci.wait_file(FILE, lambda: keys(ci) == [KEY])


def test_without_a_credential_it_is_an_empty_object(ci):
    ci.begin()
    ci.job(more='Targets=ci\nEnabled=no\n')
    ci.reload()
    ci.wait_file(FILE, lambda: ci.read(FILE) == b'{}')
    ci.write(FILE, FOREIGN)
    ci.wait_file(FILE, lambda: ci.read(FILE) == b'{}')


@pytest.mark.parametrize('more', ['', 'OnRemove=retain\n'], ids=['withdraw', 'retain'])
@pytest.mark.parametrize('running', [True, False], ids=['reload', 'restart'])
def test_it_goes_with_the_last_job(ci, running, more):
    ci.job(more=f'Targets=ci\n{more}')
    ci.begin()
    os.unlink(ci.path('etc/pullauth/jobs/edge.job'))
    if running:
        ci.reload()
    else:
        ci.restart()
    ci.client.poll(lambda: not os.path.exists(ci.path(FILE)), 'the removal')


def test_bootc_with_a_file_of_its_own_takes_nothing_along(host):
    host.write('etc/ostree/auth.json', FOREIGN)
    host.write('etc/pullauth/targets/bootc.target', '[Target]\nPolicy=own\n')
    host.standard()
    host.job(more='Targets=bootc\n')
    host.start()
    host.client.wait_job('edge', State='fresh')
    assert list(host.auths('run/ostree/auth.json')) == [KEY]
    os.unlink(host.path('etc/pullauth/targets/bootc.target'))
    host.reload()
    host.wait_file('run/ostree/auth.json', lambda: sorted(host.auths('run/ostree/auth.json')) == ['docker.io', KEY])


def test_a_template_has_no_room_for_others(ci):
    target(ci, 'merge', 'Template=auth.json\n')
    ci.start()
    job = ci.client.wait_job('edge', Reason='configuration-invalid')
    assert 'no room for others' in job['Message']


def test_what_it_would_be_is_shown(ci):
    ci.begin()
    shown = json.loads(ci.client.call('org.pullauth1.Manager', 'RenderTarget', 's', 'ci'))
    assert list(shown['auths']) == [KEY]
