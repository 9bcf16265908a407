# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source=oauth2 and a certified OIDC issuer, with all four proofs; the simulated Quay asks that issuer for its keys."""

import time

import pytest
from certified import Certified, jwk_of
from cryptography.hazmat.primitives.asymmetric import rsa
from quaysim.certificates import Authority, pem_key
from workers import ROBOT, worker  # noqa: F401

pytestmark = pytest.mark.limit(400)
SECRET = 'p&ss=w%rd+/:?~ and it is long enough'


class Clients:
    """Keys and certificates of the host, and what the issuer is told of them."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.authority = Authority('clients of the issuer')
        self.tls_key, self.certificate = self.authority.client('edge.example.com')

    def registered(self):
        common = {'redirect_uris': [], 'response_types': [], 'grant_types': ['client_credentials']}
        return [{**common, **client} for client in (
            {'client_id': 'basic+1', 'client_secret': SECRET, 'token_endpoint_auth_method': 'client_secret_basic'},
            {'client_id': 'expired', 'client_secret': SECRET, 'client_secret_expires_at': int(time.time()) - 60,
             'token_endpoint_auth_method': 'client_secret_basic'},
            {'client_id': 'post', 'client_secret': SECRET, 'token_endpoint_auth_method': 'client_secret_post'},
            {'client_id': 'signed', 'token_endpoint_auth_method': 'private_key_jwt',
             'jwks': {'keys': [jwk_of(self.key, 'host-1')]}},
            {'client_id': 'tls', 'token_endpoint_auth_method': 'tls_client_auth',
             'tls_client_auth_san_dns': 'edge.example.com'})]


@pytest.fixture(scope='module')
def clients():
    return Clients()


@pytest.fixture(scope='module')
def certified(rig, tmp_path_factory, clients):
    made = Certified(rig, tmp_path_factory.mktemp('issuer'), clients.registered(), clients.authority.pem.decode())
    yield made
    made.close()


@pytest.fixture
def ask(rig, certified):
    """Requests of a client of that issuer, whose tokens the robot account trusts."""
    with open(rig.ca, encoding='ascii') as file:
        ca = file.read()

    def make(client, secrets, subject=None, **settings):
        rig.robot(ROBOT, federation=[rig.federation_entry(issuer=certified.url, subject=subject or client)])
        return {'source': 'oauth2', 'token': None, 'secrets': {'CAFile': ca, **secrets},
                'settings': {'Issuer': certified.url, 'ClientID': client, 'Scope': 'pull',
                             'Resource': 'https://quay.example.com', **settings}}
    return make


def check(answer, certified, subject):
    claims = answer['claims']
    assert (claims['issuer'], claims['subject'], claims['algorithm']) == (certified.url, subject, 'RS256')
    assert claims['key_id'] == 'issuer-1'


def test_client_secret_basic(worker, certified, ask):
    check(worker.obtain(**ask('basic+1', {'ClientSecretFile': SECRET})), certified, 'basic+1')


def test_client_secret_post(worker, certified, ask):
    check(worker.obtain(**ask('post', {'ClientSecretFile': SECRET}, ClientAuthentication='client_secret_post')),
          certified, 'post')


def test_private_key_jwt(worker, certified, ask, clients):
    secrets = {'ClientKeyFile': pem_key(clients.key).decode()}
    check(worker.obtain(**ask('signed', secrets)), certified, 'signed')
    check(worker.obtain(**ask('signed', secrets, ClientKeyID='host-1')), certified, 'signed')


def test_tls_client_auth(worker, certified, ask, clients):
    secrets = {'ClientKeyFile': clients.tls_key.decode(), 'ClientCertificateFile': clients.certificate.decode()}
    check(worker.obtain(**ask('tls', secrets)), certified, 'tls')


def refused(worker, request, *words):
    failure = worker.fail(**request)
    assert (failure['step'], failure['reason']) == ('identity', 'identity-source-refused'), failure
    assert all(word in f'{failure["words"]} {failure["hint"]}' for word in words), failure


def test_a_secret_that_is_wrong_or_has_expired(worker, ask):
    refused(worker, ask('basic+1', {'ClientSecretFile': 'wrong'}), 'invalid_client', 'ClientID=')
    refused(worker, ask('expired', {'ClientSecretFile': SECRET}), 'invalid_client', 'ClientID=')
    refused(worker, ask('nobody', {'ClientSecretFile': SECRET}), 'invalid_client', 'ClientID=')


def test_proofs_of_another_kind_than_registered(worker, ask, clients):
    refused(worker, ask('signed', {'ClientSecretFile': SECRET}), 'invalid_client', 'private_key_jwt, tls_client_auth')
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    refused(worker, ask('signed', {'ClientKeyFile': pem_key(other).decode()}), 'invalid_client')
    key, certificate = Authority('nobody').client('edge.example.com')
    refused(worker, ask('tls', {'ClientKeyFile': key.decode(), 'ClientCertificateFile': certificate.decode()}),
            'invalid_client')


def test_what_may_not_be_asked_for(worker, ask):
    refused(worker, ask('post', {'ClientSecretFile': SECRET}, ClientAuthentication='client_secret_post',
                        Resource='not-a-resource'), 'invalid_target', 'Resource=')


def test_a_robot_that_trusts_another_client(worker, ask):
    failure = worker.fail(**ask('basic+1', {'ClientSecretFile': SECRET}, subject='somebody'))
    assert failure['reason'] == 'subject-not-accepted'
