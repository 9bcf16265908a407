# SPDX-License-Identifier: LGPL-2.1-or-later
"""ExplainIdentity and TestJob: what the worker says, handed on, and nothing changed by it."""

import base64
import json

import pytest
from client import GLib
from fakeworker import failure
from rig import JWT

MANAGER = 'org.pullauth1.Manager'
ERROR = 'org.pullauth1.Error.'
STEPS = [('token', 'ok', 5, ''), ('claims', 'ok', 0, ''), ('dns', 'ok', 1, ''), ('tcp', 'ok', 2, ''),
         ('tls', 'ok', 3, ''), ('exchange', 'ok', 4, ''), ('verification', 'ok', 6, 'taken')]


def explain(host, name='default'):
    return host.client.call(MANAGER, 'ExplainIdentity', 's', name)


def test_job(host, name='edge'):
    return host.client.call(MANAGER, 'TestJob', 's', name)


test_job.__test__ = False


def refused(call, *arguments):
    with pytest.raises(GLib.Error) as caught:
        call(*arguments)
    return str(caught.value)


def snapshot(host):
    job = host.client.job('edge')
    return {key: value for key, value in job.items()}, host.read('etc/containers/auth.json')


def test_a_test_changes_nothing_and_says_what_would_be_written(host):
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    before = snapshot(host)
    host.worker.answer = lambda request: {'Well': True, 'Trace': STEPS}
    steps, trouble = test_job(host)
    assert [step[0] for step in steps] == ['token', 'claims', 'dns', 'tcp', 'tls', 'exchange', 'verification',
                                           'publication']
    assert steps[-1][1] == 'ok' and '/etc/containers/auth.json' in steps[-1][3] and trouble == {}
    request = host.worker.requests[-1]
    assert request['Kind'] == 'test' and request['Registry'] == 'quay.example.com'
    assert snapshot(host) == before


def test_a_test_that_fails_says_where_and_why(host):
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    before = snapshot(host)
    host.worker.answer = lambda request: failure('robot-unknown')
    steps, trouble = test_job(host)
    assert 'failed' in [step[1] for step in steps] and steps[-1][1] == 'skipped'
    assert trouble['Reason'] == 'robot-unknown' and trouble['Hint'] and trouble['Message']
    assert snapshot(host) == before


def test_a_token_that_is_not_there_is_the_first_step(host):
    host.identity()
    host.job()
    host.start()
    host.client.wait_job('edge', State='expired')
    asked = len(host.worker.requests)
    steps, trouble = test_job(host)
    assert steps[0][:2] == ['token', 'failed'] or tuple(steps[0][:2]) == ('token', 'failed')
    assert trouble['Reason'] == 'token-file-missing' and len(host.worker.requests) == asked


def test_a_target_that_cannot_be_written_fails_the_last_step(host):
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    host.write('etc/containers/auth.json', 'no json', 0o600)
    host.worker.answer = lambda request: {'Well': True, 'Trace': STEPS}
    steps, trouble = test_job(host)
    assert tuple(steps[-1][:2]) == ('publication', 'failed') and trouble['Reason'] == 'target-malformed'


def test_jobs_that_cannot_be_tested(host):
    host.standard()
    host.job('broken', robot='no robot')
    host.job('off', more='Enabled=no\nScopes=acme/off\n')
    host.start()
    host.client.wait_job('edge', State='fresh')
    said = refused(test_job, host, 'off')
    assert f'{ERROR}JobDisabled' in said and 'pullauthctl enable off' in said
    assert f'{ERROR}NoSuchJob' in refused(test_job, host, 'nobody')
    assert f'{ERROR}InvalidName' in refused(test_job, host, '../edge')
    assert f'{ERROR}ConfigurationInvalid' in refused(test_job, host, 'broken')


def test_an_explanation_is_what_the_token_says(host):
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    host.worker.answer = lambda request: {'Well': True, 'Issuer': 'https://issuer.example.com', 'Subject': 'host-1',
                                          'Algorithm': 'RS256', 'IdentityIssued': 1000, 'IdentityExpires': 2000}
    claims = explain(host)
    assert (claims['Issuer'], claims['Subject']) == ('https://issuer.example.com', 'host-1')
    assert (claims['Issued'], claims['Expires']) == (1000 * 1000000, 2000 * 1000000)
    assert (claims['Problem'], claims['Hint']) == ('', '')
    assert host.worker.requests[-1]['Kind'] == 'explain' and 'Registry' not in host.worker.requests[-1]


def test_an_identity_that_is_of_no_use_is_explained_all_the_same(host):
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    host.worker.answer = lambda request: {**failure('token-algorithm'), 'Issuer': 'https://issuer.example.com',
                                          'Algorithm': 'ES256'}
    claims = explain(host)
    assert claims['Algorithm'] == 'ES256' and claims['Problem'] and claims['Hint']


def test_identities_that_cannot_be_explained(host):
    host.standard()
    host.write('etc/pullauth/identities/broken.identity', '[Identity]\nSource=magic\n')
    host.identity('missing', token='/tokens/none')
    host.start()
    host.client.wait_job('edge', State='fresh')
    assert f'{ERROR}NoSuchIdentity' in refused(explain, host, 'nobody')
    assert f'{ERROR}InvalidName' in refused(explain, host, '/etc/passwd')
    said = refused(explain, host, 'broken')
    assert f'{ERROR}ConfigurationInvalid' in said and 'broken.identity:2' in said
    said = refused(explain, host, 'missing')
    assert f'{ERROR}IdentityFailed' in said and '/tokens/none' in said
    host.worker.answer = lambda request: failure('identity-source-failed')
    assert f'{ERROR}IdentityFailed' in refused(explain, host)


def test_no_secret_comes_with_either(host):
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    host.worker.answer = lambda request: {'Well': True, 'Issuer': 'https://issuer.example.com', 'Subject': 'host-1'}
    text = json.dumps([explain(host), test_job(host)], default=str)
    secret = base64.b64encode(f'acme+edge:{host.worker.tokens[-1]}'.encode()).decode()
    assert JWT.split('.')[2] not in text and host.worker.tokens[-1] not in text and secret not in text
