# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source=signed: a host that is its own issuer, whose two documents lie on a static site."""

import base64
import hashlib
import json
import os
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from quaysim.keys import base64url
from workers import ROBOT, Worker, worker  # noqa: F401

pytestmark = pytest.mark.limit(120)
SUBJECT = 'host-1'


class HostKey:
    def __init__(self, private=None):
        self.private = private or rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def pem(self, password=None):
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          encryption).decode()

    def jwk(self, kid=None):
        numbers = self.private.public_key().public_numbers()
        members = {'e': base64url(numbers.e.to_bytes(3, 'big')), 'kty': 'RSA',
                   'n': base64url(numbers.n.to_bytes(256, 'big'))}
        thumbprint = base64url(hashlib.sha256(json.dumps(members, separators=(',', ':')).encode()).digest())
        return {**members, 'kid': kid or thumbprint, 'alg': 'RS256', 'use': 'sig'}


@pytest.fixture(scope='module')
def key():
    return HostKey()


@pytest.fixture
def site(rig, key):
    """Publishes keys below an address of the issuer's server, and lets the robot trust that address."""
    issuer = f'{rig.issuer}/hosts/one'

    def publish(*keys):
        rig.call('issuer', documents={
            '/hosts/one/.well-known/openid-configuration': json.dumps({'issuer': issuer,
                                                                       'jwks_uri': f'{issuer}/jwks.json'}),
            '/hosts/one/jwks.json': json.dumps({'keys': list(keys)})})
    rig.robot(ROBOT, federation=[rig.federation_entry(issuer=issuer, subject=SUBJECT)])
    publish(key.jwk())
    publish.issuer = issuer
    return publish


def signed(site, secrets, **settings):
    return {'source': 'signed', 'token': None, 'secrets': secrets,
            'settings': {'Issuer': site.issuer, 'Subject': SUBJECT, **settings}}


def test_the_host_signs_and_quay_takes_it(worker, site, key):
    answer = worker.obtain(**signed(site, {'KeyFile': key.pem()}))
    claims = answer['claims']
    assert (claims['issuer'], claims['subject'], claims['algorithm']) == (site.issuer, SUBJECT, 'RS256')
    assert claims['key_id'] == key.jwk()['kid'] and claims['expires'] - claims['issued'] == 300


def test_algorithm_life_and_name_of_the_key_are_what_was_asked_for(worker, site, key):
    site(key.jwk('2026-11'))
    answer = worker.obtain(**signed(site, {'KeyFile': key.pem()}, Algorithm='RS384', KeyID='2026-11',
                                    Lifetime=str(600 * 1000000)))
    claims = answer['claims']
    assert (claims['algorithm'], claims['key_id']) == ('RS384', '2026-11')
    assert claims['expires'] - claims['issued'] == 600


def test_a_key_in_rotation_is_taken_while_both_are_published(worker, site, key):
    fresh = HostKey()
    site(key.jwk(), fresh.jwk())
    worker.obtain(**signed(site, {'KeyFile': key.pem()}))
    worker.obtain(**signed(site, {'KeyFile': fresh.pem()}))
    site(fresh.jwk())
    assert worker.fail(**signed(site, {'KeyFile': key.pem()}))['reason'] == 'registry-error'


def test_an_encrypted_key_opens_with_its_password(worker, site, key):
    secrets = {'KeyFile': key.pem(b'open sesame'), 'PINFile': 'open sesame'}
    worker.obtain(**signed(site, secrets))
    failure = worker.fail(**signed(site, {**secrets, 'PINFile': 'open barley'}))
    assert failure['reason'] == 'identity-source-failed' and 'sesame' not in json.dumps(failure)
    assert 'barley' not in json.dumps(failure) and 'PINFile=' in failure['hint']


@pytest.mark.parametrize('pem, says', [
    (HostKey(ec.generate_private_key(ec.SECP256R1())).pem(), 'no RSA key'),
    ('-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n', 'cannot be read'),
    ('', 'cannot be read'),
], ids=['elliptic', 'garbage', 'empty'])
def test_a_key_that_cannot_be_used_is_named(worker, site, pem, says):
    failure = worker.fail(**signed(site, {'KeyFile': pem}))
    assert (failure['reason'], failure['step']) == ('identity-source-failed', 'identity')
    assert says in failure['message'] and 'KeyFile=' in failure['hint']


# PKCS#11: a token of SoftHSM

@pytest.fixture(scope='module')
def token(tmp_path_factory, key):
    """A token with the key in it; the environment that finds it."""
    if not shutil.which('softhsm2-util'):
        pytest.fail('softhsm2-util is not there')
    place = tmp_path_factory.mktemp('softhsm')
    (place / 'tokens').mkdir()
    configuration = place / 'softhsm2.conf'
    configuration.write_text(f'directories.tokendir = {place}/tokens\nobjectstore.backend = file\n')
    pem = place / 'key.pem'
    pem.write_text(key.pem())
    environment = {**os.environ, 'SOFTHSM2_CONF': str(configuration)}
    for command in (['softhsm2-util', '--init-token', '--free', '--label', 'edge', '--pin', '1234', '--so-pin', '5678'],
                    ['softhsm2-util', '--import', str(pem), '--token', 'edge', '--label', 'quay', '--id', 'a1',
                     '--pin', '1234']):
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    pem.unlink()
    return environment


def test_a_key_on_a_token_signs_without_leaving_it(rig, site, token, tmp_path):
    with Worker(str(tmp_path), rig, env=token) as running:
        uri = 'pkcs11:token=edge;object=quay;type=private'
        answer = running.obtain(**signed(site, {'PINFile': '1234'}, KeyURI=uri))
        assert answer['claims']['issuer'] == site.issuer
        failure = running.fail(**signed(site, {'PINFile': '9999'}, KeyURI=uri))
        assert failure['reason'] == 'identity-source-failed' and '9999' not in json.dumps(failure)
        failure = running.fail(**signed(site, {}, KeyURI=uri))
        assert failure['reason'] == 'identity-source-failed'
        failure = running.fail(**signed(site, {'PINFile': '1234'}, KeyURI='pkcs11:token=edge;object=other'))
        assert 'cannot be opened' in failure['message']
        # A wrong PIN is tried once and not until the token locks itself.
        running.obtain(**signed(site, {'PINFile': '1234'}, KeyURI=uri))


def test_the_key_leaves_no_trace_in_words(worker, site, key):
    worker.obtain(**signed(site, {'KeyFile': key.pem()}))
    said = worker.said()
    assert key.pem() not in said and base64.b64encode(key.pem().encode()).decode() not in said
