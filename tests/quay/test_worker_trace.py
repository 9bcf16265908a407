# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests that explain an identity, and requests that test every step and keep nothing."""

import json
import socket

import pytest
from workers import worker  # noqa: F401

pytestmark = pytest.mark.limit(120)
STEPS = ['token', 'claims', 'dns', 'tcp', 'tls', 'exchange', 'verification']


def results(answer):
    assert [entry['step'] for entry in answer['trace']] == STEPS
    return {entry['step']: entry['result'] for entry in answer['trace']}


def detail(answer, step):
    return next(entry['detail'] for entry in answer['trace'] if entry['step'] == step)


def test_an_explanation_asks_nobody(rig, worker):
    answer = worker.ask(kind='explain', registry=None, robot=None, job=None, exchange=None, scopes=None)
    assert answer.get('well'), answer
    assert answer['claims']['subject'] == rig.subject and 'credential' not in answer
    assert rig.requests(server='quay') == [] and rig.audit()['exchanges'] == 0


def test_an_explanation_says_what_the_registry_would_not_take(rig, worker):
    answer = worker.ask(kind='explain', token=rig.jwt(alg='ES256'))
    assert not answer['well'] and answer['failure']['reason'] == 'token-algorithm'
    assert answer['claims']['algorithm'] == 'ES256' and rig.requests(server='quay') == []


def test_a_test_goes_all_the_way_and_keeps_nothing(rig, worker):
    answer = worker.ask(kind='test')
    assert answer['well'] and 'credential' not in answer and 'failure' not in answer
    assert set(results(answer).values()) == {'ok'}
    assert all(entry['usec'] > 0 for entry in answer['trace'] if entry['step'] in ('tcp', 'tls', 'exchange'))
    assert '1h' in detail(answer, 'exchange') and rig.subject in detail(answer, 'claims')
    assert rig.audit()['exchanges'] == 1


def test_a_test_connects_also_where_a_connection_is_kept(rig, worker):
    worker.obtain()
    for _ in range(2):
        answer = worker.ask(kind='test')
        assert set(results(answer).values()) == {'ok'}
        assert all(entry['usec'] > 0 for entry in answer['trace'] if entry['step'] in ('tcp', 'tls'))
    assert len(rig.connections()) == 3


def test_a_request_for_a_credential_has_no_trace(worker):
    assert worker.obtain()['trace'] == []


@pytest.fixture(scope='module')
def deaf():
    """A port that is taken, so that nobody else comes to listen there, and refuses connections."""
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        yield f'localhost:{taken.getsockname()[1]}'


@pytest.mark.parametrize('changes, failed, reason', [
    (lambda *_: {'token': 'no token'}, 'claims', 'token-malformed'),
    (lambda *_: {'registry': 'no-such-host.invalid', 'scopes': None}, 'dns', 'name-resolution'),
    (lambda rig, deaf: {'registry': deaf, 'scopes': None}, 'tcp', 'connection-failed'),
    (lambda *_: {'ca': None}, 'tls', 'tls-untrusted'),
    (lambda *_: {'robot': 'acme+nobody'}, 'exchange', 'robot-unknown'),
])
def test_the_step_that_failed_is_the_last_that_was_tried(rig, worker, deaf, changes, failed, reason):
    answer = worker.ask(kind='test', **changes(rig, deaf))
    found = results(answer)
    assert answer['failure']['reason'] == reason and not answer['well']
    number = STEPS.index(failed)
    assert found[failed] == 'failed', answer['trace']
    assert all(found[step] == 'ok' for step in STEPS[:number])
    assert all(found[step] == 'skipped' for step in STEPS[number + 1:])


def test_a_credential_that_is_of_no_use_fails_in_its_last_step(rig, worker):
    rig.settings(robots_disallow=True)
    answer = worker.ask(kind='test')
    assert answer['failure']['reason'] == 'credential-refused' and results(answer)['verification'] == 'failed'
    assert results(answer)['exchange'] == 'ok'


def test_no_secret_is_in_a_trace(rig, worker):
    token = rig.jwt()
    text = json.dumps(worker.ask(kind='test', token=token))
    assert token not in text and token.split('.')[2] not in text
