# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source=kubernetes against a stand-in for an API server that is as strict as the documented one."""

import base64
import json
import os
import re

import pytest
from quaysim.answers import to_json
from quaysim.certificates import Authority
from service import Service, json_of
from workers import BUILD, ROBOT, SLOW, worker  # noqa: F401

pytestmark = pytest.mark.limit(120)
ASKER = 'the-token-of-a-service-account-that-may-create-tokens'
PATH = '/api/v1/namespaces/edge/serviceaccounts/quay-puller/token'


def status(code, reason, message):
    return to_json(code, {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Failure', 'message': message,
                          'reason': reason, 'code': code})


class ApiServer(Service):
    """One namespace with one service account, and one credential that may create its tokens."""

    def __init__(self, rig, client_ca=None):
        super().__init__(rig, client_ca)
        self.allowed, self.token, self.bound, self.seconds = True, {}, None, 600

    def decide(self, request):
        if self.listener.certificates.by_certificate:
            known = request.header('Authorization') is None
        else:
            known = request.header('Authorization') == f'Bearer {ASKER}'
        if not known:
            return status(401, 'Unauthorized', 'Unauthorized')
        found = re.fullmatch('/api/v1/namespaces/([a-z-]+)/serviceaccounts/([a-z-]+)/token', request.target)
        if not found or request.method != 'POST':
            return status(404, 'NotFound', 'the server could not find the requested resource')
        if not self.allowed or found[1] != 'edge':
            return status(403, 'Forbidden', f'serviceaccounts "{found[2]}" is forbidden: cannot create resource')
        if found[2] != 'quay-puller':
            return status(404, 'NotFound', f'serviceaccounts "{found[2]}" not found')
        return self.create(request)

    def create(self, request):
        if request.header('Content-Type') != 'application/json':
            return self.complain('no JSON')
        asked = json_of(request)
        spec = asked.pop('spec', {})
        if asked != {'apiVersion': 'authentication.k8s.io/v1', 'kind': 'TokenRequest'}:
            return self.complain(f'another kind of object: {asked}')
        if spec.get('expirationSeconds', 0) < 600:
            return status(422, 'Invalid', 'spec.expirationSeconds: may not specify a duration less than 10 minutes')
        if spec.get('boundObjectRef', {}).get('uid') == 'gone':
            return status(409, 'Conflict', 'the UID in the bound object reference does not match')
        expected = {'audiences': [self.rig.audience], 'expirationSeconds': self.seconds,
                    **({'boundObjectRef': self.bound} if self.bound else {})}
        if spec != expected:
            return self.complain(f'another spec: {spec}')
        token = self.rig.jwt(**self.token) if isinstance(self.token, dict) else self.token
        return to_json(201, {**asked, 'metadata': {'name': 'quay-puller', 'namespace': 'edge'}, 'spec': spec,
                             'status': {'token': token, 'expirationTimestamp': '2026-11-26T00:00:00Z'}})


@pytest.fixture
def api(rig):
    made = ApiServer(rig)
    yield made
    made.close()
    assert made.complaints == []


@pytest.fixture(scope='module')
def authority():
    return Authority('clients of the cluster')


@pytest.fixture
def certified(rig, authority):
    made = ApiServer(rig, authority.pem.decode())
    yield made
    made.close()
    assert made.complaints == []


def ask(api, secrets=None, **settings):
    with open(api.rig.ca, encoding='ascii') as file:
        ca = file.read()
    return {'source': 'kubernetes', 'token': None, 'secrets': {'CAFile': ca, **(secrets or {'TokenFile': ASKER})},
            'settings': {'Server': api.url, 'Namespace': 'edge', 'ServiceAccount': 'quay-puller', **settings}}


def test_a_token_of_a_service_account(worker, api, rig):
    answer = worker.obtain(**ask(api))
    assert answer['claims']['issuer'] == rig.issuer and [request.target for request in api.asked] == [PATH]
    assert ASKER not in worker.said()


def test_lifetime_and_binding_are_asked_for(worker, api):
    api.seconds, api.bound = 3600, {'kind': 'Node', 'apiVersion': 'v1', 'name': 'edge-1', 'uid': '0b1c'}
    worker.obtain(**ask(api, Lifetime=str(3600 * 10**6), BoundObject='Node/edge-1/0b1c'))


def test_an_address_with_a_slash_at_its_end(worker, api):
    worker.obtain(**ask(api, Server=f'{api.url}/'))


def of_host(authority):
    key, certificate = authority.client('edge-1')
    return {'ClientKeyFile': key.decode(), 'ClientCertificateFile': certificate.decode()}


def test_a_client_certificate(worker, certified, authority):
    worker.obtain(**ask(certified, of_host(authority)))
    assert [request.header('Authorization') for request in certified.asked] == [None]


def check(failure, reason, *words):
    assert (failure['step'], failure['reason']) == ('identity', reason), failure
    said = ' '.join(filter(None, (failure['message'], failure['hint'], failure['words'])))
    assert all(word in said for word in words), failure
    assert ASKER not in json.dumps(failure) and 'registry' not in failure['hint']


def test_a_client_certificate_of_nobody(worker, certified, authority):
    failure = worker.fail(**ask(certified, of_host(Authority('nobody'))))
    assert failure['step'] == 'identity' and failure['reason'] in ('connection-lost', 'tls-failed'), failure
    mixed = {**of_host(authority), 'ClientKeyFile': of_host(authority)['ClientKeyFile']}
    check(worker.fail(**ask(certified, mixed)), 'identity-source-failed', 'ClientCertificateFile=')


def test_a_credential_that_the_cluster_does_not_know(worker, api):
    check(worker.fail(**ask(api, {'TokenFile': 'an-old-token'})), 'identity-source-refused', 'TokenFile=', '401')


def test_no_right_to_create_tokens(worker, api):
    api.allowed = False
    check(worker.fail(**ask(api)), 'identity-source-refused', 'serviceaccounts/token', 'RoleBinding', 'is forbidden')


@pytest.mark.parametrize('settings, words', [
    ({'ServiceAccount': 'nobody'}, ('not found', 'ServiceAccount=')),
    ({'Namespace': 'other'}, ('forbidden', 'RoleBinding')),
    ({'Lifetime': str(60 * 10**6)}, ('less than 10 minutes', 'Lifetime=')),
    ({'BoundObject': 'Pod/a/gone'}, ('does not match', 'BoundObject='))], ids=str)
def test_what_the_cluster_refuses_is_named(worker, api, settings, words):
    check(worker.fail(**ask(api, **settings)), 'identity-source-refused', *words)


@pytest.mark.parametrize('action, parameters, reason', [
    ('oversize-body', {'size': 10 << 20}, 'identity-source-failed'),
    ('oversize-body', {'size': 10 << 20, 'length': 'none'}, 'identity-source-failed'),
    ('broken-json', {}, 'identity-source-failed'),
    ('truncate', {}, 'connection-lost'),
    ('reset', {}, 'connection-lost'),
    ('answer', {'status': 500}, 'identity-source-failed'),
    ('answer', {'status': 307, 'headers': {'Location': '/elsewhere'}}, 'identity-source-refused'),
    ('answer', {'status': 429, 'headers': {'Retry-After': '1'}}, 'rate-limited'),
    ('answer', {'status': 200, 'body': 'ok'}, 'identity-source-failed'),
], ids=str)
def test_answers_that_are_none(worker, api, action, parameters, reason):
    api.misbehave(action, **parameters)
    check(worker.fail(**ask(api)), reason, api.address)


@pytest.mark.parametrize('action, parameters', [('hang', {}), ('hang', {'after': 'headers'}),
                                                ('drip', {'interval': 0.5})], ids=str)
def test_answers_that_never_end_do(worker, api, action, parameters):
    api.misbehave(action, **parameters)
    check(worker.fail(timeout=int(1500 * SLOW), **ask(api)), 'timeout')


@pytest.mark.parametrize('token, reason, hint', [
    ({'alg': 'ES256'}, 'token-algorithm', '--service-account-signing-key-file'),
    ({'claims': {'iss': 'kubernetes/serviceaccount'}}, 'token-issuer', '--service-account-issuer'),
    ({'claims': {'aud': ['https://kubernetes.default.svc']}}, 'token-audience', 'Server='),
    ('opaque', 'token-malformed', ''), ({'offset': -3600}, 'token-expired', '')], ids=str)
def test_a_token_that_quay_cannot_take_is_named_with_the_remedy(worker, api, rig, token, reason, hint):
    api.token = token
    failure = worker.fail(**ask(api))
    assert failure['reason'] == reason and hint in failure['hint'], failure
    assert rig.exchanges() == []


def test_an_issuer_inside_of_the_cluster_is_named_before_quay_fails_to_reach_it(worker, api, rig):
    issuer = 'https://kubernetes.default.svc.cluster.local'
    api.token = {'claims': {'iss': issuer}}
    rig.robot(ROBOT, federation=[rig.federation_entry(issuer=issuer)])
    answer = worker.ask(**ask(api))
    assert answer['failure']['step'] == 'exchange'
    notice, = answer['notices']
    assert issuer in notice and 'inside of a cluster' in notice


def test_a_test_shows_the_step(worker, api):
    assert worker.ask(kind='test', **ask(api))['well']
    api.allowed = False
    steps = {entry['step']: entry for entry in worker.ask(kind='test', **ask(api))['trace']}
    assert steps['token']['result'] == 'failed' and api.address in steps['token']['detail']


@pytest.mark.parametrize('token', [f'{ASKER}\n{ASKER}', f'{ASKER}\r\nX-Other: 1', 'two words', ''])
def test_what_is_no_single_token_is_not_shown(worker, api, token):
    failure = worker.fail(**ask(api, {'TokenFile': token}))
    check(failure, 'token-malformed', 'TokenFile=')
    assert ASKER not in str(failure) and api.asked == []


# A kubeconfig in the place of address, authority and token

with open(os.path.join(BUILD, 'meson-info', 'intro-dependencies.json'), encoding='utf-8') as found:
    HAS_YAML = any(dependency['name'] == 'yaml-0.1' for dependency in json.load(found))
wants_yaml = pytest.mark.skipif(not HAS_YAML, reason='this was built without libyaml')


def with_kubeconfig(api, user, cluster='', context=None):
    with open(api.rig.ca, 'rb') as file:
        ca = base64.b64encode(file.read()).decode()
    text = f"""
apiVersion: v1
kind: Config
current-context: edge
contexts:
- {{name: edge, context: {{cluster: c, user: u, namespace: edge}}}}
clusters:
- name: c
  cluster: {{server: "{api.url}", certificate-authority-data: {ca} {cluster}}}
users:
- name: u
  user: {{{user}}}
"""
    return {'source': 'kubernetes', 'token': None, 'secrets': {'Kubeconfig': text},
            'settings': {'ServiceAccount': 'quay-puller', **({'Context': context} if context else {})}}


@wants_yaml
def test_a_kubeconfig_with_a_token(worker, api, rig):
    answer = worker.obtain(**with_kubeconfig(api, f'token: {ASKER}'))
    assert answer['claims']['issuer'] == rig.issuer and ASKER not in worker.said()


@wants_yaml
def test_a_kubeconfig_with_a_certificate(worker, certified, authority):
    files = {key: base64.b64encode(text.encode()).decode() for key, text in of_host(authority).items()}
    user = f'client-certificate-data: {files["ClientCertificateFile"]}, client-key-data: {files["ClientKeyFile"]}'
    worker.obtain(**with_kubeconfig(certified, user))


@wants_yaml
@pytest.mark.parametrize('user, cluster, context, word', [
    ('exec: {command: aws}', '', None, 'Source=exec'), ('auth-provider: {name: gcp}', '', None, 'kubectl create token'),
    (f'token: {ASKER}', ', proxy-url: "socks5://p:1080"', None, 'proxy-url'),
    (f'token: {ASKER}', ', proxy-url: "p:1080"', None, 'Proxy='),
    (f'token: {ASKER}', ', insecure-skip-tls-verify: true', None, 'authority'),
    (f'token: {ASKER}', '', 'other', 'Context='), ('client-certificate: /c', '', None, '--flatten')], ids=str)
def test_a_kubeconfig_that_is_not_taken(worker, api, user, cluster, context, word):
    check(worker.fail(**with_kubeconfig(api, user, cluster, context)), 'identity-file-unreadable', 'kubeconfig', word)
    assert api.asked == []


@pytest.mark.skipif(HAS_YAML, reason='this was built with libyaml')
def test_a_worker_without_libyaml_says_what_to_use_instead(worker, api):
    failure = worker.fail(**with_kubeconfig(api, f'token: {ASKER}'))
    check(failure, 'identity-file-unreadable', 'without libyaml', 'Server=')
    assert api.asked == []
