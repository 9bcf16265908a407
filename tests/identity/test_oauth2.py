# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source=oauth2 against an issuer that is strict, and that goes wrong in every way."""

import base64
import json
import urllib.parse

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from quaysim.answers import to_json
from quaysim.certificates import Authority, pem_key
from service import Service, form_of
from workers import SLOW, worker  # noqa: F401

pytestmark = pytest.mark.limit(120)
CLIENT, SECRET = 'edge:1', 'p&ss=w%rd+/ é and long enough'
DISCOVERY = '/.well-known/openid-configuration'


class Issuer(Service):
    """Takes any of the four proofs, from this one client."""

    def __init__(self, rig, client_ca=None):
        super().__init__(rig, client_ca)
        self.secret, self.key, self.expected = SECRET, None, {}
        self.discovery, self.answer = {}, {}

    def decide(self, request):
        if request.method == 'GET' and request.target == DISCOVERY:
            return to_json(200, {'issuer': self.url, 'token_endpoint': f'{self.url}/token',
                                 'token_endpoint_auth_methods_supported': ['client_secret_basic'], **self.discovery})
        if (request.method, request.target) != ('POST', '/token'):
            return self.complain(f'{request.method} {request.target}')
        if request.header('Content-Type') != 'application/x-www-form-urlencoded':
            return self.complain('no form')
        form = form_of(request)
        refused = self.authenticate(request, form)
        if refused:
            return refused
        if form != {'grant_type': 'client_credentials', 'audience': self.rig.audience, **self.expected}:
            return self.complain(f'other fields than expected: {sorted(form)}')
        token = self.rig.jwt()
        return to_json(200, {'access_token': token, 'token_type': 'Bearer', 'expires_in': 300, **self.answer},
                       [('Cache-Control', 'no-store')])

    def authenticate(self, request, form):
        header = request.header('Authorization')
        if header:
            user, _, password = base64.b64decode(header.removeprefix('Basic ')).decode().partition(':')
            proof = (urllib.parse.unquote(user), urllib.parse.unquote(password))
        elif 'client_assertion' in form:
            return self.check_assertion(form)
        elif 'client_secret' in form:
            proof = (form.pop('client_id'), form.pop('client_secret'))
        else:
            proof = (form.pop('client_id', None), self.secret)  # the handshake was the proof
        return None if proof == (CLIENT, self.secret) else self.invalid_client()

    def check_assertion(self, form):
        if form.pop('client_assertion_type') != 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer':
            return self.complain('another kind of assertion')
        if form.pop('client_id', CLIENT) != CLIENT:
            return self.complain('another client than the assertion is of')
        try:
            claims = jwt.decode(form.pop('client_assertion'), self.key.public_key(), algorithms=['RS256'],
                                audience=f'{self.url}/token',
                                options={'require': ['iss', 'sub', 'aud', 'exp', 'iat', 'jti']})
        except jwt.PyJWTError as error:
            return self.invalid_client(str(error))
        return None if claims['iss'] == claims['sub'] == CLIENT else self.invalid_client()

    @staticmethod
    def invalid_client(text='client authentication failed'):
        return to_json(401, {'error': 'invalid_client', 'error_description': text})


@pytest.fixture
def issuer(rig):
    made = Issuer(rig)
    yield made
    made.close()
    assert made.complaints == []


@pytest.fixture(scope='module')
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def ask(issuer, secrets=None, **settings):
    """A request whose token comes from that issuer."""
    with open(issuer.rig.ca, encoding='ascii') as file:
        ca = file.read()
    return {'source': 'oauth2', 'token': None, 'secrets': {'CAFile': ca, **(secrets or {'ClientSecretFile': SECRET})},
            'settings': {'Issuer': issuer.url, 'ClientID': CLIENT, **settings}}


def text_of(key):
    return pem_key(key).decode()


# The four proofs, and what is asked for

def test_a_secret_as_basic_authentication(worker, issuer, rig):
    answer = worker.obtain(**ask(issuer))
    assert answer['claims']['issuer'] == rig.issuer
    assert issuer.asked[-1].header('Authorization') and 'client_secret' not in form_of(issuer.asked[-1])


def test_a_secret_in_the_body(worker, issuer):
    worker.obtain(**ask(issuer, ClientAuthentication='client_secret_post'))
    assert issuer.asked[-1].header('Authorization') is None


def test_a_signed_assertion(worker, issuer, key):
    issuer.key = key
    worker.obtain(**ask(issuer, {'ClientKeyFile': text_of(key)}, ClientKeyID='2026-11'))
    assertion = form_of(issuer.asked[-1])['client_assertion']
    assert jwt.get_unverified_header(assertion) == {'alg': 'RS256', 'typ': 'JWT', 'kid': '2026-11'}


@pytest.fixture(scope='module')
def authority():
    return Authority('clients of the issuer')


@pytest.fixture
def mutual(rig, authority):
    made = Issuer(rig, authority.pem.decode())
    yield made
    made.close()
    assert made.complaints == []


@pytest.fixture
def split(issuer, mutual):
    """The issuer's document names another endpoint for those who show a certificate."""
    issuer.discovery = {'mtls_endpoint_aliases': {'token_endpoint': f'{mutual.url}/token'}}
    return issuer


def of_host(authority):
    key, certificate = authority.client('edge-1')
    return {'ClientKeyFile': key.decode(), 'ClientCertificateFile': certificate.decode()}


def test_a_certificate_in_the_handshake(worker, split, mutual, authority):
    worker.obtain(**ask(split, of_host(authority)))
    assert form_of(mutual.asked[-1])['client_id'] == CLIENT and len(split.asked) == 1


def test_a_certificate_that_the_issuer_does_not_take(worker, split):
    failure = worker.fail(**ask(split, of_host(Authority('nobody'))))
    assert failure['step'] == 'identity' and failure['reason'] in ('connection-lost', 'tls-failed'), failure
    assert 'ClientCertificateFile=' in failure['hint']


def test_a_certificate_of_another_key_is_not_even_shown(worker, split, mutual, authority, key):
    failure = worker.fail(**ask(split, {**of_host(authority), 'ClientKeyFile': text_of(key)}))
    assert failure['reason'] == 'identity-source-failed' and 'certificate' in failure['message']
    assert 'ClientCertificateFile=' in failure['hint'] and mutual.log.connections == []


def test_scope_resource_and_audience_are_asked_for(worker, issuer):
    issuer.expected = {'scope': 'openid quay', 'resource': 'https://quay.example.com/a?b'}
    worker.obtain(**ask(issuer, Scope='openid quay', Resource='https://quay.example.com/a?b'))


def test_an_id_token_where_that_is_wanted(worker, issuer, rig):
    issuer.answer = {'access_token': 'opaque', 'id_token': rig.jwt()}
    worker.obtain(**ask(issuer, IdToken='yes'))
    issuer.answer = {}
    failure = worker.fail(**ask(issuer, IdToken='yes'))
    assert failure['reason'] == 'identity-source-failed' and 'IdToken=no' in failure['hint']


def test_a_document_below_a_path_with_a_slash_at_its_end(worker, issuer):
    issuer.discovery = {'issuer': f'{issuer.url}/'}
    worker.obtain(**ask(issuer, Issuer=f'{issuer.url}/'))


# What goes wrong

def check(failure, reason, *words):
    assert (failure['step'], failure['reason']) == ('identity', reason), failure
    said = ' '.join(filter(None, (failure['message'], failure['hint'], failure['words'])))
    assert all(word in said for word in words), failure
    assert SECRET not in json.dumps(failure, ensure_ascii=False)
    assert urllib.parse.quote(SECRET) not in json.dumps(failure)


def test_a_secret_that_expired(worker, issuer):
    issuer.secret = 'another one'
    check(worker.fail(**ask(issuer)), 'identity-source-refused', 'invalid_client', 'ClientID=', 'client_secret_basic')


def test_an_issuer_that_repeats_the_secret_is_not_repeated(worker, issuer):
    issuer.misbehave('answer', '/token', status=401, body=json.dumps({'error': f'no such secret: {SECRET}'}))
    failure = worker.fail(**ask(issuer))
    check(failure, 'identity-source-refused')
    assert failure['words'] is None


@pytest.mark.parametrize('code, hint', [('unauthorized_client', 'client_credentials'), ('invalid_scope', 'Scope='),
                                        ('invalid_target', 'Resource='), ('unsupported_grant_type', 'grant')])
def test_what_the_issuer_refuses_is_named(worker, issuer, code, hint):
    issuer.misbehave('answer', '/token', status=400, body=json.dumps({'error': code}))
    check(worker.fail(**ask(issuer)), 'identity-source-refused', code, hint)


def test_a_document_of_another_issuer_gets_no_secret(worker, issuer):
    for other in ('https://evil.example', f'{issuer.url}/', issuer.url.upper()):
        issuer.discovery = {'issuer': other}
        check(worker.fail(**ask(issuer)), 'identity-source-refused', other, 'Issuer=')
    assert [request.method for request in issuer.asked] == ['GET'] * 3


@pytest.mark.parametrize('endpoint', ['http://127.0.0.1/token', 'https://user@127.0.0.1/token', 'token', ''])
def test_an_endpoint_that_is_none_gets_no_secret(worker, issuer, endpoint):
    issuer.discovery = {'token_endpoint': endpoint}
    check(worker.fail(**ask(issuer)), 'identity-source-failed', 'token endpoint')


@pytest.mark.parametrize('path', [DISCOVERY, '/token'])
@pytest.mark.parametrize('action, parameters, reason', [
    ('oversize-body', {'size': 10 << 20}, 'identity-source-failed'),
    ('oversize-body', {'size': 10 << 20, 'length': 'chunked'}, 'identity-source-failed'),
    ('broken-json', {}, 'identity-source-failed'),
    ('truncate', {}, 'connection-lost'),
    ('close', {}, 'connection-lost'),
    ('answer', {'status': 500, 'body': '<title>boom</title>'}, 'identity-source-failed'),
    ('answer', {'status': 302, 'headers': {'Location': '/elsewhere'}}, 'identity-source-refused'),
    ('answer', {'status': 404}, 'identity-source-refused'),
    ('answer', {'status': 429, 'headers': {'Retry-After': '7'}}, 'rate-limited'),
    ('answer', {'status': 204}, 'identity-source-failed'),
    ('answer', {'status': 200, 'body': '[]'}, 'identity-source-failed'),
], ids=str)
def test_answers_that_are_none(worker, issuer, path, action, parameters, reason):
    issuer.misbehave(action, path, **parameters)
    failure = worker.fail(**ask(issuer))
    check(failure, reason, issuer.address)
    assert 'registry' not in failure['hint']
    assert failure['retry_after'] == (7_000_000 if reason == 'rate-limited' else 0)


@pytest.mark.parametrize('path', [DISCOVERY, '/token'])
@pytest.mark.parametrize('action, parameters', [('hang', {}), ('hang', {'after': 'body'}),
                                                ('drip', {'interval': 0.5})], ids=str)
def test_answers_that_never_end_do(worker, issuer, path, action, parameters):
    issuer.misbehave(action, path, **parameters)
    failure = worker.fail(timeout=int(1500 * SLOW), **ask(issuer))
    check(failure, 'timeout')


def test_an_issuer_that_is_not_there(worker, issuer):
    issuer.listener.pause()
    check(worker.fail(**ask(issuer)), 'connection-failed', issuer.address)
    issuer.listener.start()
    check(worker.fail(**ask(issuer, Issuer='https://no.such.host.invalid')), 'name-resolution', 'no.such.host.invalid')


def test_the_authority_is_that_of_the_identity(worker, issuer, authority):
    failure = worker.fail(**ask(issuer, {'ClientSecretFile': SECRET, 'CAFile': authority.pem.decode()}))
    check(failure, 'tls-untrusted', 'CAFile=', issuer.address)


@pytest.mark.parametrize('secrets', [
    {'ClientKeyFile': text_of(ec.generate_private_key(ec.SECP256R1()))}, {'ClientKeyFile': 'rubbish'},
    {'ClientKeyFile': ''}, {'ClientKeyFile': '-----BEGIN TSS2 PRIVATE KEY-----\nMAA=\n'}],
    ids=['elliptic', 'rubbish', 'empty', 'tpm2'])
def test_a_key_that_cannot_sign(worker, issuer, secrets):
    check(worker.fail(**ask(issuer, secrets)), 'identity-source-failed', 'ClientKeyFile=')


# Tokens that came and are of no use

@pytest.mark.parametrize('token, reason, hint', [
    ('opaque', 'token-malformed', 'IdToken=yes'), ({'alg': 'ES256'}, 'token-algorithm', 'RSA'),
    ({'claims': {'aud': 'other'}}, 'token-audience', 'Resource='), ({'remove': ['aud']}, 'token-claim-missing', 'quay'),
    ({'claims': {'iss': 'http://issuer.example'}}, 'token-issuer', 'https'), ({'offset': -3600}, 'token-expired', '')],
    ids=str)
def test_a_token_that_quay_cannot_take_is_named_with_the_remedy(worker, issuer, rig, token, reason, hint):
    issuer.answer = {'access_token': rig.jwt(**token) if isinstance(token, dict) else token}
    check(worker.fail(**ask(issuer)), reason, hint)
    assert rig.exchanges() == []


def test_nothing_stays_behind(worker, issuer, key):
    issuer.key = key
    issuer.misbehave('close', '/nothing')
    worker.obtain(**ask(issuer))
    requests = [worker.request(id=number, **ask(issuer, *secrets)) for number, secrets in
                enumerate([(), ({'ClientKeyFile': text_of(key)},), ({'ClientKeyFile': 'rubbish'},)] * 8, 1)]
    answers = worker.question(*requests).answers()
    assert sum('credential' in answer for answer in answers) == 16 and len(answers) == 24
    assert SECRET not in worker.said() and text_of(key) not in worker.said()


def test_a_test_shows_the_step(worker, issuer):
    answer = worker.ask(kind='test', **ask(issuer))
    assert answer['well'], answer
    steps = {entry['step']: entry for entry in answer['trace']}
    assert steps['token']['result'] == 'ok' and 'oauth2' in steps['token']['detail']
    issuer.secret = 'another one'
    answer = worker.ask(kind='test', **ask(issuer))
    steps = {entry['step']: entry for entry in answer['trace']}
    assert steps['token']['result'] == 'failed' and issuer.address in steps['token']['detail']
