# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exchange=token: registries that take the JWT as a password, by a token endpoint or by basic authentication."""

import base64
import json
import re

import jwt
import pytest
from quaysim.answers import Answer, to_json
from service import Service
from workers import SLOW, worker  # noqa: F401
from world import world  # noqa: F401

pytestmark = pytest.mark.limit(120)
USER = 'serviceaccount'


class Registry(Service):
    """Takes one user with any JWT of the rig's subject."""

    def __init__(self, rig):
        super().__init__(rig)
        self.scheme, self.host = 'bearer', None

    def decide(self, request):
        if (request.method, request.path) == ('GET', '/v2/'):
            if self.scheme == 'basic' and request.header('Authorization'):
                return self.enter(request, Answer(200, '{}', 'application/json', []))
            return self.challenge()
        if (request.method, request.path) == ('GET', '/openshift/token') and self.scheme == 'bearer':
            if dict(request.query) != {'service': 'registry'}:
                return self.complain(f'another question than at a login: {request.target}')
            return self.enter(request, to_json(200, {'access_token': 'opaque', 'expires_in': 300}))
        return self.complain(f'{request.method} {request.target}')

    def challenge(self):
        value = {'basic': 'Basic realm="registry"', 'none': 'Negotiate',
                 'bearer': f'Bearer realm="https://{self.host or self.address}/openshift/token",service="registry"'}
        return Answer(401, '', 'text/plain', [('WWW-Authenticate', value[self.scheme])])

    def enter(self, request, welcome):
        credential = base64.b64decode(request.header('Authorization').removeprefix('Basic ')).decode()
        user, _, password = credential.partition(':')
        claims = jwt.decode(password, options={'verify_signature': False})
        if user != USER or claims['sub'] != self.rig.subject:
            return to_json(401, {'errors': [{'code': 'UNAUTHORIZED', 'message': 'authentication required'}]})
        return welcome


@pytest.fixture
def registry(rig):
    made = Registry(rig)
    yield made
    made.close()
    assert made.complaints == []


def ask(registry, **changes):
    return {'exchange': 'token', 'registry': registry.address, 'robot': USER, 'scopes': [registry.address], **changes}


@pytest.mark.parametrize('scheme', ['bearer', 'basic'])
def test_the_token_is_the_credential(worker, registry, rig, scheme):
    registry.scheme, token = scheme, rig.jwt()
    answer = worker.obtain(**ask(registry, token=token))
    claims = jwt.decode(token, options={'verify_signature': False})
    assert answer['credential']['user'] == USER and answer['credential']['secret_size'] == len(token)
    assert answer['credential']['expires'] == claims['exp'] and answer['notices'] == []
    assert [request.header('Authorization') is not None for request in registry.asked] == [False, True]
    assert rig.exchanges() == [] and token not in worker.said()


@pytest.mark.parametrize('token', [
    {'alg': 'ES256'}, {'remove_header': ['kid']}, {'claims': {'iss': 'http://kubernetes'}}, {'remove': ['iat']},
    {'claims': {'iss': 'https://kubernetes.default.svc'}}], ids=str)
def test_what_quay_would_not_take_is_taken(worker, registry, rig, token):
    assert worker.obtain(**ask(registry, token=rig.jwt(**token)))['notices'] == []


def check(failure, step, reason, *words):
    assert (failure['step'], failure['reason']) == (step, reason), failure
    said = ' '.join(filter(None, (failure['message'], failure['hint'], failure['words'])))
    assert all(word in said for word in words), failure
    assert 'Quay' not in said and 'obot' not in said, failure


@pytest.mark.parametrize('token, reason, word', [
    ({'offset': -7200}, 'token-expired', 'exp'), ({'remove': ['exp']}, 'token-claim-missing', 'exp'),
    ({'claims': {'aud': 'other'}}, 'token-audience', 'other')], ids=str)
def test_a_token_that_cannot_be_a_password_is_not_sent(worker, registry, rig, token, reason, word):
    check(worker.fail(**ask(registry, token=rig.jwt(**token))), 'identity', reason, word)
    assert registry.asked == []


@pytest.mark.parametrize('scheme', ['bearer', 'basic'])
def test_a_registry_that_does_not_take_it(worker, registry, rig, scheme):
    registry.scheme = scheme
    failure = worker.fail(**ask(registry, token=rig.jwt({'sub': 'stranger'})))
    check(failure, 'verification', 'credential-refused', 'Username=', 'authentication required')


def test_where_nothing_can_be_tried_that_is_said(worker, registry):
    registry.scheme = 'none'
    notice, = worker.obtain(**ask(registry))['notices']
    assert 'could not be tried' in notice
    registry.scheme, registry.host = 'bearer', 'issuer.example.com'
    notice, = worker.obtain(**ask(registry))['notices']
    assert 'another host' in notice
    assert all(request.header('Authorization') is None for request in registry.asked)


@pytest.mark.parametrize('action, parameters, reason', [
    ('answer', {'status': 500}, 'registry-error'), ('answer', {'status': 404}, 'not-found'),
    ('answer', {'status': 429, 'headers': {'Retry-After': '1'}}, 'rate-limited'),
    ('answer', {'status': 307, 'headers': {'Location': '/elsewhere'}}, 'registry-redirected'),
    ('oversize-body', {'size': 10 << 20}, 'answer-too-large'), ('reset', {}, 'registry-closed'),
    ('oversize-body', {'size': 10 << 20, 'length': 'none'}, 'answer-too-large')], ids=str)
def test_answers_that_are_none(worker, registry, action, parameters, reason):
    registry.misbehave(action, **parameters)
    check(worker.fail(**ask(registry)), 'verification', reason, registry.address)


@pytest.mark.parametrize('action, parameters', [('hang', {}), ('drip', {'interval': 0.5})], ids=str)
def test_answers_that_never_end_do(worker, registry, action, parameters):
    registry.misbehave(action, **parameters)
    check(worker.fail(timeout=int(1500 * SLOW), **ask(registry)), 'verification', 'timeout', 'the registry is well')


def test_a_test_shows_each_step(worker, registry, rig):
    for _ in range(2):
        answer = worker.ask(kind='test', **ask(registry))
        assert answer['well'] and 'credential' not in answer
        steps = {entry['step']: entry for entry in answer['trace']}
        assert {entry['result'] for entry in steps.values()} == {'ok'}, steps
        assert re.search('identity itself .* lives', steps['exchange']['detail'])
        assert registry.address in steps['tcp']['detail']
    failed = worker.ask(kind='test', **ask(registry, token=rig.jwt({'sub': 'stranger'})))
    results = [entry['result'] for entry in failed['trace']]
    assert results == ['ok'] * 6 + ['failed'], json.dumps(failed)


def test_a_registry_that_is_not_there(worker, registry):
    failed = worker.ask(kind='test', **{**ask(registry), 'registry': 'localhost:1', 'scopes': []})
    steps = {entry['step']: entry['result'] for entry in failed['trace']}
    assert steps['tcp'] == 'failed' and steps['exchange'] == 'skipped'
    check(failed['failure'], 'verification', 'connection-failed', 'localhost:1')


# Daemon and worker together

@pytest.fixture
def host(world, registry):
    """One job with such an exchange, whose token lives an hour."""
    world.token(world.quay.jwt(lifetime=3600))
    world.write('etc/pullauth/jobs/edge.job', f'[Job]\nRegistry={registry.address}\nExchange=token\nUsername={USER}\n'
                                              'CAFile=/etc/pullauth/ca.pem\n')
    return world


def test_a_job_keeps_the_token_of_this_host_fresh(host, registry):
    host.fresh()
    first = host.password(registry.address)
    assert first[0] == USER and host.client.job('edge', 'Robot') == USER
    host.token(host.quay.jwt(lifetime=7200))
    assert host.refresh()['State'] == 'fresh'
    second = host.password(registry.address)
    assert second[1] != first[1]
    attempts = len(registry.asked)
    host.restart()
    host.client.wait_job('edge', State='fresh')
    assert host.password(registry.address) == second and len(registry.asked) == attempts


def test_a_token_that_was_not_renewed_yet_is_no_failure_until_the_end_is_near(host, registry):
    host.fresh()
    stands = host.password(registry.address)
    host.advance(1000)
    host.refresh()
    job = host.client.wait_job('edge', State='fresh')
    assert (job['Reason'], job['Failures']) == ('', 0)
    assert 1250 < host.left(job) < 1305, 'half of what is left'
    host.advance(2400)
    job = host.client.wait_job('edge', State='retrying')
    assert job['Reason'] == 'identity-source-failed' and 'still gives' in job['Message'], job
    assert host.password(registry.address) == stands
    host.token(host.quay.jwt(lifetime=3600))
    host.client.wait_job('edge', State='fresh')
    assert host.password(registry.address) != stands


def test_a_token_that_was_not_new_is_recognised_after_a_restart(host):
    host.token(host.quay.jwt(lifetime=3600, offset=-600))
    before = host.fresh()
    end, due = host.left(before, 'Expires'), host.left(before)
    host.clock.step(1800)
    host.restart()
    job = host.client.wait_job('edge', State='fresh')
    assert job['AttemptsStarted'] == 0
    assert abs(host.left(job, 'Expires') - end) < 20 and abs(host.left(job) - due) < 20


def test_an_identity_is_explained_by_what_its_jobs_want(host):
    host.token(host.quay.jwt(alg='ES256'))
    host.start()
    assert host.client.call('org.pullauth1.Manager', 'ExplainIdentity', 's', 'default')['Problem'] == ''
    host.job('other')
    host.reload()
    assert 'ES256' in host.client.call('org.pullauth1.Manager', 'ExplainIdentity', 's', 'default')['Problem']
