# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exchange=oauth2: token exchange (RFC 8693) at a strict token service, and a registry that takes what it gives."""

import base64
import json
import urllib.parse

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from quaysim.answers import Answer, to_json
from quaysim.certificates import Authority, pem_key
from service import Service, form_of
from workers import SLOW, worker  # noqa: F401
from world import DAY, world  # noqa: F401

pytestmark = pytest.mark.limit(120)
USER, CLIENT, SECRET = 'oauth2accesstoken', 'edge:1', 'p&ss=w%rd+/ é and long enough'
DISCOVERY = '/.well-known/openid-configuration'
TYPES = 'urn:ietf:params:oauth:token-type:'


class TokenService(Service):
    """Takes the JWT of the rig's subject, and clients if it is told of one."""

    def __init__(self, rig, client_ca=None):
        super().__init__(rig, client_ca)
        self.expected, self.answer, self.discovery, self.client, self.key = {}, {}, {}, None, None
        self.given = []

    def decide(self, request):
        if (request.method, request.target) == ('GET', DISCOVERY):
            return to_json(200, {'issuer': self.url, 'token_endpoint': f'{self.url}/token', **self.discovery})
        if (request.method, request.target) != ('POST', '/token'):
            return self.complain(f'{request.method} {request.target}')
        if request.header('Content-Type') != 'application/x-www-form-urlencoded':
            return self.complain('no form')
        form = form_of(request)
        if not self.knows(request, form):
            return to_json(401, {'error': 'invalid_client', 'error_description': 'who are you?'})
        subject = form.pop('subject_token')
        if form != {'grant_type': 'urn:ietf:params:oauth:grant-type:token-exchange',
                    'subject_token_type': f'{TYPES}jwt', **self.expected}:
            return self.complain(f'other fields than expected: {sorted(form)}')
        claims = jwt.decode(subject, options={'verify_signature': False})
        if claims['sub'] != self.rig.subject:
            return to_json(400, {'error': 'invalid_grant', 'error_description': f'not trusted: {subject}'})
        self.given.append(f'opaque-token-number-{len(self.given)}-of-the-token-service')
        answer = {'access_token': self.given[-1], 'issued_token_type': f'{TYPES}access_token', 'token_type': 'Bearer',
                  'expires_in': 3600, **self.answer}
        return to_json(200, {key: value for key, value in answer.items() if value is not None})

    def knows(self, request, form):
        header = request.header('Authorization')
        if self.client is None:
            return header is None and not any(name.startswith('client_') for name in form)
        if header:
            user, _, password = base64.b64decode(header.removeprefix('Basic ')).decode().partition(':')
            return [urllib.parse.unquote(part) for part in (user, password)] == [CLIENT, SECRET]
        if 'client_assertion' in form:
            form.pop('client_assertion_type')
            claims = jwt.decode(form.pop('client_assertion'), self.key.public_key(), algorithms=['RS256'],
                                audience=f'{self.url}/token')
            return claims['sub'] == form.pop('client_id') == CLIENT
        return form.pop('client_id', None) == CLIENT and form.pop('client_secret', SECRET) == SECRET


class Registry(Service):
    """Lets in whoever shows a token that the service gave."""

    def __init__(self, rig, service):
        super().__init__(rig)
        self.service = service

    def decide(self, request):
        header = request.header('Authorization')
        if header:
            user, _, password = base64.b64decode(header.removeprefix('Basic ')).decode().partition(':')
            if user == USER and password in self.service.given:
                return Answer(200, '{}', 'application/json', [])
        return Answer(401, '', 'text/plain', [('WWW-Authenticate', 'Basic realm="r"')])


@pytest.fixture
def service(rig):
    made = TokenService(rig)
    yield made
    made.close()
    assert made.complaints == []


@pytest.fixture
def registry(rig, service):
    made = Registry(rig, service)
    yield made
    made.close()


def ask(registry, service, secrets=None, discovery=False, **settings):
    with open(service.rig.ca, encoding='ascii') as file:
        ca = file.read()
    place = {'Issuer': service.url} if discovery else {'TokenEndpoint': f'{service.url}/token'}
    return {'exchange': 'oauth2', 'registry': registry.address, 'robot': USER, 'scopes': [registry.address],
            'exchange_settings': {**place, **settings}, 'exchange_secrets': {'CAFile': ca, **(secrets or {})}}


@pytest.mark.parametrize('discovery', [False, True])
def test_a_token_for_a_token(worker, registry, service, rig, discovery):
    token = rig.jwt()
    answer = worker.obtain(token=token, **ask(registry, service, discovery=discovery))
    credential = answer['credential']
    assert credential['user'] == USER and credential['secret_size'] == len(service.given[0])
    assert credential['expires'] - credential['issued'] == 3600 and answer['notices'] == []
    assert len(service.asked) == 1 + discovery and token not in worker.said() and service.given[0] not in worker.said()


def test_all_that_can_be_asked_for(worker, registry, service):
    service.expected = {'audience': '//iam.example.com/pools/edge', 'resource': 'https://registry.example.com',
                        'scope': 'pull read', 'requested_token_type': f'{TYPES}access_token',
                        'subject_token_type': f'{TYPES}id_token'}
    worker.obtain(**ask(registry, service, Audience='//iam.example.com/pools/edge', Scope='pull read',
                        Resource='https://registry.example.com', RequestedTokenType=f'{TYPES}access_token',
                        SubjectTokenType=f'{TYPES}id_token'))


@pytest.mark.parametrize('token', [{'alg': 'ES256'}, {'remove_header': ['kid']}, {'remove': ['iat']},
                                   {'claims': {'iss': 'https://kubernetes.default.svc'}}], ids=str)
def test_what_quay_would_not_take_is_shown_to_the_service(worker, registry, service, rig, token):
    assert worker.obtain(**ask(registry, service), token=rig.jwt(**token))['notices'] == []


@pytest.mark.parametrize('answer, seconds, notice', [
    ({'expires_in': None}, 600, 'ten minutes'), ({'expires_in': '3600'}, 600, 'ten minutes'),
    ({'expires_in': 60}, 60, None), ({'token_type': 'N_A'}, 3600, None)], ids=str)
def test_how_long_it_is_good(worker, registry, service, answer, seconds, notice):
    service.answer = answer
    found = worker.obtain(**ask(registry, service))
    assert found['credential']['expires'] - found['credential']['issued'] == seconds
    assert bool(found['notices']) == bool(notice) and (notice or '') in ''.join(found['notices'])


# How clients prove who they are

@pytest.mark.parametrize('kind', ['client_secret_basic', 'client_secret_post'])
def test_a_client_with_a_secret(worker, registry, service, kind):
    service.client = CLIENT
    worker.obtain(**ask(registry, service, {'ClientSecretFile': SECRET}, ClientID=CLIENT, ClientAuthentication=kind))
    failure = worker.fail(**ask(registry, service, {'ClientSecretFile': 'old'}, ClientID=CLIENT,
                                ClientAuthentication=kind))
    check(failure, 'exchange', 'rejected', 'ClientID=', 'who are you?')


def test_a_client_with_a_key_a_certificate_or_a_name(worker, registry, service, rig):
    service.client, service.key = CLIENT, rsa.generate_private_key(public_exponent=65537, key_size=2048)
    worker.obtain(**ask(registry, service, {'ClientKeyFile': pem_key(service.key).decode()}, ClientID=CLIENT))
    worker.obtain(**ask(registry, service, ClientID=CLIENT))
    authority = Authority('clients')
    mutual = TokenService(rig, authority.pem.decode())
    try:
        mutual.client, mutual.given = CLIENT, service.given
        key, certificate = (part.decode() for part in authority.client('edge-1'))
        files = {'ClientKeyFile': key, 'ClientCertificateFile': certificate}
        worker.obtain(**ask(registry, mutual, files, ClientID=CLIENT))
        failure = worker.fail(**ask(registry, mutual, {**files, 'ClientKeyFile': pem_key(service.key).decode()},
                                    ClientID=CLIENT))
        check(failure, 'configuration', 'configuration-invalid', 'ClientCertificateFile=')
    finally:
        mutual.close()


# What goes wrong

def check(failure, step, reason, *words):
    assert (failure['step'], failure['reason']) == (step, reason), failure
    said = ' '.join(filter(None, (failure['message'], failure['hint'], failure['words'])))
    assert all(word in said for word in words), failure
    assert 'Quay' not in said and 'obot' not in said and SECRET not in said, failure


def test_a_token_that_the_service_does_not_trust_is_not_repeated(worker, registry, service, rig):
    token = rig.jwt({'sub': 'stranger'})
    failure = worker.fail(**ask(registry, service), token=token)
    check(failure, 'exchange', 'identity-rejected', 'trusts the issuer')
    assert token[:30] not in json.dumps(failure), 'not even a piece of it'


@pytest.mark.parametrize('code, reason, hint', [
    ('invalid_request', 'identity-rejected', 'trusts the issuer'), ('invalid_target', 'rejected', 'Audience='),
    ('invalid_scope', 'rejected', 'Scope='), ('unauthorized_client', 'rejected', 'RFC 8693'),
    ('unsupported_grant_type', 'rejected', 'RFC 8693'), ('something_else', 'rejected', '[Exchange]')])
def test_each_code_has_its_remedy(worker, registry, service, code, reason, hint):
    service.misbehave('answer', status=400, json={'error': code, 'error_description': 'as it says'})
    check(worker.fail(**ask(registry, service)), 'exchange', reason, hint, 'as it says', service.address)


@pytest.mark.parametrize('action, parameters, reason', [
    ('answer', {'status': 500}, 'registry-error'), ('answer', {'status': 404}, 'not-found'),
    ('answer', {'status': 429, 'headers': {'Retry-After': '1'}}, 'rate-limited'),
    ('answer', {'status': 307, 'headers': {'Location': '/elsewhere'}}, 'registry-redirected'),
    ('answer', {'status': 200, 'body': 'ok'}, 'answer-malformed'),
    ('answer', {'status': 200, 'json': {}}, 'answer-malformed'),
    ('answer', {'status': 200, 'json': {'access_token': 'two words'}}, 'answer-malformed'),
    ('broken-json', {}, 'answer-malformed'), ('truncate', {}, 'connection-lost'), ('reset', {}, 'registry-closed'),
    ('oversize-body', {'size': 10 << 20}, 'answer-too-large'),
    ('oversize-body', {'size': 10 << 20, 'length': 'none'}, 'answer-too-large')], ids=str)
@pytest.mark.parametrize('discovery', [False, True])
def test_answers_that_are_none(worker, registry, service, discovery, action, parameters, reason):
    service.misbehave(action, **parameters)
    check(worker.fail(**ask(registry, service, discovery=discovery)), 'exchange', reason, service.address)


@pytest.mark.parametrize('action, parameters', [('hang', {}), ('hang', {'after': 'headers'}),
                                                ('drip', {'interval': 0.5})], ids=str)
def test_answers_that_never_end_do(worker, registry, service, action, parameters):
    service.misbehave(action, **parameters)
    failure = worker.fail(timeout=int(1500 * SLOW), **ask(registry, service))
    check(failure, 'exchange', 'timeout', 'the token service is well')


@pytest.mark.parametrize('document, reason, word', [
    ({'issuer': 'https://other.example.com'}, 'rejected', 'Issuer= of section [Exchange]'),
    ({'token_endpoint': None}, 'answer-malformed', 'no token endpoint'),
    ({'token_endpoint': 'http://127.0.0.1/token'}, 'configuration-invalid', 'https')], ids=str)
def test_documents_that_are_not_the_services(worker, registry, service, document, reason, word):
    service.discovery = document
    failure = worker.fail(**ask(registry, service, discovery=True))
    assert failure['reason'] == reason, failure
    check(failure, failure['step'], reason, word)
    assert len(service.asked) == 1


def test_an_authority_of_its_own(worker, registry, service):
    request = ask(registry, service)
    del request['exchange_secrets']['CAFile']
    check(worker.fail(**request), 'exchange', 'tls-untrusted', 'CAFile= of section [Exchange]', service.address)


def test_a_test_shows_each_step(worker, registry, service):
    answer = worker.ask(kind='test', **ask(registry, service))
    steps = {entry['step']: entry for entry in answer['trace']}
    assert answer['well'] and {entry['result'] for entry in steps.values()} == {'ok'}, steps
    assert 'token service' in steps['exchange']['detail'] and registry.address in steps['tcp']['detail']
    service.misbehave('answer', status=400, json={'error': 'invalid_scope'})
    failed = worker.ask(kind='test', **ask(registry, service))
    assert {entry['step']: entry['result'] for entry in failed['trace']}['exchange'] == 'failed'


# Daemon and worker together

@pytest.fixture
def host(world, registry, service):
    world.write('etc/pullauth/sts.secret', SECRET + '\n', 0o600)
    service.client = CLIENT
    world.write('etc/pullauth/jobs/edge.job',
                f'[Job]\nRegistry={registry.address}\nExchange=oauth2\nUsername={USER}\nCAFile=/etc/pullauth/ca.pem\n'
                f'[Exchange]\nTokenEndpoint={service.url}/token\nClientID={CLIENT}\n'
                'ClientSecretFile=/etc/pullauth/sts.secret\nCAFile=/etc/pullauth/ca.pem\n')
    return world


def test_a_restart_takes_up_a_token_that_says_nothing_of_itself(host, registry, service):
    before = host.fresh()
    stands = host.password(registry.address)
    assert stands == (USER, service.given[0])
    host.restart()
    job = host.client.wait_job('edge', State='fresh')
    assert host.password(registry.address) == stands and len(service.given) == 1
    assert abs(job['Expires'] - before['Expires']) < 2 * 10**6
    host.advance(3000)
    host.client.wait_job('edge', Refreshes=lambda n: n >= 1, State='fresh', Expires=lambda t: t > before['Expires'])
    assert host.password(registry.address) == (USER, service.given[1])


@pytest.mark.parametrize('wrong', [-DAY, -600, 0, 600, DAY])
def test_a_restart_on_a_host_whose_clock_is_wrong_takes_it_up_for_as_long(host, registry, service, wrong):
    host.clock.step(wrong)
    before = host.fresh()
    stands = host.password(registry.address)
    host.restart()
    job = host.client.wait_job('edge', State='fresh')
    assert host.password(registry.address) == stands and len(service.given) == 1
    assert abs(job['Expires'] - before['Expires']) < 2 * 10**6
    assert abs(job['NextAttempt'] - before['NextAttempt']) < 2 * 10**6


def test_a_secret_that_is_not_there_names_the_section(host):
    host.write('etc/pullauth/sts.secret', SECRET, 0o666)
    host.start()
    job = host.client.wait_job('edge', Reason='identity-file-unsafe')
    assert 'ClientSecretFile=' in job['Hint'] and '[Exchange]' in job['Hint'], job
