# SPDX-License-Identifier: LGPL-2.1-or-later
"""Daemon and worker as they are, an issuer and a Quay that are simulated: from a token file to a pull's password."""

import base64
import json
import os
import re
import socket
import sys
import tempfile

import pytest
from activate import Activated
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fakeworker import trace
from rig import DAEMON_UID, ROOT, SLOW, STRANGER_UID, TOP, WRAPPER, Host, program

sys.path.insert(1, os.path.join(TOP, 'tests', 'quay'))
from quaysim.client import Rig  # noqa: E402

IDLE = 2


@pytest.fixture(scope='module')
def quay():
    with tempfile.TemporaryDirectory(prefix='pullauth-quay-') as directory:
        with Rig.start(os.path.join(directory, 'rig'), '--no-registry', '--robot', 'acme+edge') as rig:
            yield rig


@pytest.fixture
def world(quay):
    """A host that trusts the simulated Quay, with a real worker behind a real socket."""
    quay.reset()
    host = Host(worker=False)
    worker = None
    try:
        command = [*WRAPPER, program(host.directory, 'pullauth-worker'), f'--idle={IDLE}s']
        # Another user than the daemon's, as in the services.
        worker = Activated(host.path('run/pullauth/worker.sock'), command, env=host.environment(),
                           socket_user=DAEMON_UID if ROOT else None, user=STRANGER_UID if ROOT else None)
        host.identity()
        host.token(quay.jwt())
        with open(quay.ca, encoding='utf-8') as ca:
            host.write('etc/pullauth/ca.pem', ca.read())
        host.job(registry=quay.quay, more='CAFile=/etc/pullauth/ca.pem\n')
        yield host, quay, worker
    finally:
        host.close()
        if worker:
            worker.close()


def password(host, quay):
    entry = host.auths()[f'{quay.quay}/acme']['auth']
    return base64.b64decode(entry).decode().split(':', 1)


def test_the_main_job(world):
    host, quay, worker = world
    host.start()
    job = host.client.wait_job('edge', State='fresh')
    user, secret = password(host, quay)
    answer = quay.request(f'/v2/auth?service={quay.quay}&scope=repository:acme/app:pull', user=user, password=secret)
    assert answer.status == 200 and answer.json()['token']
    assert job['IdentityIssuer'] == quay.issuer and 'quay' in job['IdentityAudience']
    assert quay.audit()['exchanges'] == 1 and quay.audit()['logins'] == 0
    worker.wait_end(timeout=60)
    assert host.client.job('edge', 'State') == 'fresh', 'the worker is gone, the credential is not'


def test_refreshes_go_on_with_short_tokens(world):
    host, quay, _worker = world
    quay.set_lifetime(12 * SLOW)
    host.start()
    host.client.wait_job('edge', Refreshes=lambda n: n >= 3, timeout=60)
    assert not [line for line in host.log().splitlines() if 'withdrawn' in line]


@pytest.mark.parametrize('federation, claims, reason', [
    ([], {}, 'federation-not-configured'),
    (None, {'sub': 'somebody else'}, 'subject-not-accepted'),
    (None, {'aud': 'elsewhere'}, 'token-audience'),
    (None, {'exp': 1700000000, 'iat': 1699990000}, 'token-expired'),
], ids=['no federation', 'subject', 'audience', 'expired'])
def test_a_registry_that_refuses_is_quoted(world, federation, claims, reason):
    host, quay, _worker = world
    if federation is not None:
        quay.robot('acme+edge', federation=federation)
    host.token(quay.jwt(claims))
    host.start()
    job = host.client.wait_job('edge', Reason=reason)
    assert job['Message'] and job['Hint'] and job['State'] in ('failed', 'expired')
    if job['Step'] == 'exchange':
        assert job['RegistryWords'] and job['HTTPStatus'] == 400


@pytest.mark.parametrize('spoil, reason', [
    (lambda jwt: b'', 'token-empty'),
    (lambda jwt: b' \n', 'token-empty'),
    (lambda jwt: jwt[:jwt.index(b'.') + 20], 'token-malformed'),
    (lambda jwt: jwt.rsplit(b'.', 1)[0], 'token-malformed'),
    (lambda jwt: b'\xff\xfe' + jwt, 'token-malformed'),
    (lambda jwt: b'not a token', 'token-malformed'),
    (lambda jwt: jwt + b'A' * 60000, 'token-too-long'),
], ids=['empty', 'blank', 'torn', 'no signature', 'no UTF-8', 'words', 'long'])
def test_token_files_that_hold_no_token(world, spoil, reason):
    host, quay, _worker = world
    host.token(spoil(quay.jwt().encode()))
    host.start()
    job = host.client.wait_job('edge', State='expired')
    assert job['Reason'] == reason and job['Step'] == 'identity' and job['Hint']
    assert quay.audit()['exchanges'] == 0 and not quay.exchanges()


def test_an_outage_is_ridden_out(world):
    """hashicorp/vault#10918, #11008: an outage ended in beginning anew, and in giving up what was good."""
    host, quay, _worker = world
    host.start()
    host.client.wait_job('edge', State='fresh')
    before = password(host, quay)
    quay.call('quay', listening=False)
    host.client.call('org.pullauth1.Manager', 'RefreshAll')
    assert host.client.wait_job('edge', State='retrying', timeout=60)['Reason'] == 'connection-failed'
    assert password(host, quay) == before
    quay.call('quay', listening=True)
    host.client.wait_job('edge', State='fresh', timeout=60)
    assert password(host, quay) != before


def test_many_jobs_at_once(world):
    host, quay, _worker = world
    for number in range(50):
        quay.robot(f'acme+r{number}', federation=[quay.federation_entry()])
        host.job(f'r{number}', registry=quay.quay, more=f'CAFile=/etc/pullauth/ca.pem\nScopes=acme/r{number}\n')
    host.start()
    host.client.wait(lambda: host.client.manager('NFresh') == 51, 'all jobs', 60)
    assert len(host.auths()) == 51 and quay.audit()['exchanges'] == 51


def test_no_secret_of_a_real_exchange_is_shown(world):
    host, quay, _worker = world
    host.start()
    host.client.wait_job('edge', State='fresh')
    quay.misbehave('answer', '/oauth2/*', status=400, json={'message': 'Invalid token: ' + quay.jwt()})
    host.client.call('org.pullauth1.Manager', 'RefreshAll')
    host.client.wait_job('edge', State='retrying', timeout=60)
    said = ' '.join([host.log(), str(host.client.signals), str(host.client.job('edge')), *host.notify.lines])
    for secret in [password(host, quay)[1], host.read('tokens/token').decode()]:
        assert secret not in said and secret.split('.')[2] not in said


# --- pullauthctl test and identity

ADMINISTRATOR = 0 if ROOT else os.geteuid()
STEPS = ('token', 'claims', 'dns', 'tcp', 'tls', 'exchange', 'verification', 'publication')


def tried(host, name='edge'):
    """Exit status, what was printed, and the lines of the table: step → (result, time)."""
    shown = host.ctl('test', name, uid=ADMINISTRATOR)
    assert shown.stderr == ''
    lines = [line.split() for line in shown.stdout.splitlines()]
    return shown.returncode, shown.stdout, {words[0]: (words[1], words[2]) for words in lines
                                            if words and words[0] in STEPS}


def test_a_test_shows_each_step_with_its_time_and_changes_nothing(world):
    host, quay, _worker = world
    host.start()
    host.client.wait_job('edge', State='fresh')
    before, job = host.read('etc/containers/auth.json'), host.client.job('edge')
    status, text, steps = tried(host)
    assert status == 0 and tuple(steps) == STEPS, text
    for result, spent in steps.values():
        assert result == 'ok' and re.fullmatch(r'\d+(\.\d)?m?s', spent), text
    assert '/etc/containers/auth.json' in text
    for _step, _result, _usec, detail in trace(quay.quay, quay.issuer, quay.subject):
        assert detail in text
    found = json.loads(host.ctl('--json', 'test', 'edge', uid=ADMINISTRATOR).stdout)
    assert [step['step'] for step in found['steps']] == list(STEPS) and found['failure'] is None
    assert [step['time_usec'] for step in found['steps'] if step['step'] in ('exchange', 'verification')] > [0, 0]
    assert host.read('etc/containers/auth.json') == before and host.client.job('edge') == job
    assert quay.audit()['exchanges'] == 3


def other_job(host, registry, more=''):
    """One that was there from the beginning and could never work."""
    host.job('other', registry=registry, more=f'Scopes=acme/other\n{more}')
    return 'other'


def no_token(host, _quay):
    os.unlink(host.path('tokens/token'))


def old_token(host, quay):
    host.token(quay.jwt({'iat': 1699990000, 'exp': 1700000000}))


def no_such_host(host, _quay):
    return other_job(host, 'no-such-host.invalid')


def nobody_listens(host, _quay):
    return other_job(host, '127.0.0.1:1')


def listener(host, backlog):
    """Of nobody who accepts."""
    host.listener = socket.create_server(('127.0.0.1', 0), backlog=backlog)
    return host.listener.getsockname()


def nobody_answers(host, _quay):
    """As behind a firewall that drops: the queue of connections is full, and the kernel passes over those that come."""
    address = listener(host, 0)
    host.crowd = [socket.socket() for _ in range(2)]
    for one in host.crowd:
        one.setblocking(False)
        one.connect_ex(address)
    return other_job(host, f'127.0.0.1:{address[1]}')


def nobody_speaks_tls(host, _quay):
    return other_job(host, f'127.0.0.1:{listener(host, 8)[1]}')


def no_authority(host, quay):
    return other_job(host, quay.quay)


def no_federation(_host, quay):
    quay.robot('acme+edge', federation=[])


def no_robots(_host, quay):
    quay.settings(robots_disallow=True)


def no_target(host, _quay):
    host.write('etc/containers/auth.json', 'no JSON')


@pytest.mark.parametrize('spoil, failed, reason', [
    (no_token, 'token', 'token-file-missing'),
    (old_token, 'claims', 'token-expired'),
    (no_such_host, 'dns', 'name-resolution'),
    (nobody_listens, 'tcp', 'connection-failed'),
    (nobody_answers, 'tcp', 'timeout'),
    (nobody_speaks_tls, 'tls', 'timeout'),
    (no_authority, 'tls', 'tls-untrusted'),
    (no_federation, 'exchange', 'federation-not-configured'),
    (no_robots, 'verification', 'credential-refused'),
    (no_target, 'publication', 'target-malformed'),
])
def test_a_test_shows_the_step_that_failed_and_what_to_do(world, spoil, failed, reason):
    host, quay, _worker = world
    host.start()
    host.client.wait_job('edge', State='fresh')
    name = spoil(host, quay)
    if name:
        host.reload()
    before = host.read('etc/containers/auth.json')
    status, text, steps = tried(host, name or 'edge')
    at = STEPS.index(failed)
    assert status == 3, text
    assert [steps[step][0] for step in STEPS] == ['ok'] * at + ['failed'] + ['skipped'] * (7 - at), text
    assert all((steps[step][1] == '-') == (number > at) for number, step in enumerate(STEPS)), text
    assert reason in text and 'To do: ' in text
    assert host.read('etc/containers/auth.json') == before
    found = json.loads(host.ctl('--json', 'test', name or 'edge', uid=ADMINISTRATOR).stdout)
    assert found['failure']['reason'] == reason and found['failure']['hint']


def test_an_identity_is_what_quay_has_to_know(world):
    host, quay, _worker = world
    host.start()
    host.client.wait_job('edge', State='fresh')
    shown = host.ctl('identity', uid=ADMINISTRATOR)
    assert shown.returncode == 0 and shown.stderr == ''
    for part in (quay.issuer, quay.subject, quay.audience, 'RS256'):
        assert part in shown.stdout
    found, = json.loads(host.ctl('--json', 'identity', 'default', uid=ADMINISTRATOR).stdout)
    assert (found['name'], found['issuer'], found['subject'], found['problem']) == \
        ('default', quay.issuer, quay.subject, '')
    entry = {'issuer': found['issuer'], 'subject': found['subject']}
    quay.robot('acme+edge', federation=[{**entry, 'audiences': [quay.audience]}])
    assert tried(host)[0] == 0, 'what it says is what Quay wants'
    assert quay.jwt().split('.')[2] not in shown.stdout


@pytest.mark.parametrize('spoil, status, said', [
    (no_token, 3, 'does not exist'),
    (old_token, 3, 'ended'),
    (lambda host, quay: host.token(quay.jwt({'aud': 'elsewhere'})), 3, 'audience'),
], ids=['no token', 'expired', 'audience'])
def test_an_identity_says_what_is_wrong_with_it_and_what_to_do(world, spoil, status, said):
    host, quay, _worker = world
    spoil(host, quay)
    host.start()
    shown = host.ctl('identity', 'default', uid=ADMINISTRATOR)
    assert shown.returncode == status and said in (shown.stdout + shown.stderr).lower()
    assert quay.audit()['exchanges'] == 0


# --- a host that is its own issuer

def host_key(host, name):
    """A private key as `name`.key and its public half as `name`.pub."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    host.write(f'etc/pullauth/{name}.key', private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(), 0o600)
    host.write(f'etc/pullauth/{name}.pub', private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode(), 0o644)


def signed_by(host, quay, key, more=''):
    host.write('etc/pullauth/identities/default.identity',
               f'[Identity]\nSource=signed\nIssuer={quay.issuer}/hosts/one\nSubject=host-1\nAudience=quay\n'
               f'KeyFile=/etc/pullauth/{key}.key\n{more}')


def document(host, option):
    shown = host.ctl('identity', 'default', option, uid=ADMINISTRATOR)
    assert (shown.returncode, shown.stderr) == (0, ''), shown
    return shown.stdout


def publish(host, quay):
    """What pullauthctl prints, put onto a static site as it is. Returns the names of the keys."""
    documents = {'/hosts/one/.well-known/openid-configuration': document(host, '--discovery'),
                 '/hosts/one/jwks.json': document(host, '--jwks')}
    quay.call('issuer', documents=documents)
    assert json.loads(documents['/hosts/one/.well-known/openid-configuration'])['issuer'] == f'{quay.issuer}/hosts/one'
    assert 'PRIVATE' not in str(documents)
    return [key['kid'] for key in json.loads(documents['/hosts/one/jwks.json'])['keys']]


def test_a_host_that_signs_for_itself_publishes_two_documents_and_changes_keys_without_a_gap(world):
    host, quay, _worker = world
    entry = {'issuer': f'{quay.issuer}/hosts/one', 'subject': 'host-1', 'audiences': ['quay']}
    quay.robot('acme+edge', federation=[entry])
    host_key(host, 'first')
    host_key(host, 'second')
    signed_by(host, quay, 'first')
    host.start()
    first, = publish(host, quay)
    assert tried(host)[0] == 0
    # Both are published before the second one signs, and while caches may still have the old document.
    signed_by(host, quay, 'first', 'PublishedKeyFile=/etc/pullauth/second.pub\n')
    host.client.call('org.pullauth1.Manager', 'Reload')
    both = publish(host, quay)
    assert both[0] == first and len(set(both)) == 2
    assert tried(host)[0] == 0
    signed_by(host, quay, 'second', 'PublishedKeyFile=/etc/pullauth/first.pub\n')
    host.client.call('org.pullauth1.Manager', 'Reload')
    assert tried(host)[0] == 0, 'what was published before has the key that signs'
    assert publish(host, quay) == both[::-1]
    signed_by(host, quay, 'second')
    host.client.call('org.pullauth1.Manager', 'Reload')
    assert publish(host, quay) == both[1:] and tried(host)[0] == 0


def test_documents_are_those_of_one_identity_that_is_its_own_issuer(world):
    host, quay, _worker = world
    host.start()
    shown = host.ctl('identity', 'default', '--jwks', uid=ADMINISTRATOR)
    assert (shown.returncode, shown.stdout) == (1, '') and 'Source=signed' in shown.stderr
    for wrong in (('--jwks',), ('default', 'other', '--jwks'), ('default', '--jwks', '--discovery')):
        shown = host.ctl('identity', *wrong, uid=ADMINISTRATOR)
        assert (shown.returncode, shown.stdout) == (2, ''), wrong
    host_key(host, 'first')
    host.write('etc/pullauth/bad.pub', 'rubbish\n', 0o644)
    signed_by(host, quay, 'first', 'PublishedKeyFile=/etc/pullauth/bad.pub\n')
    host.client.call('org.pullauth1.Manager', 'Reload')
    shown = host.ctl('identity', 'default', '--jwks', uid=ADMINISTRATOR)
    assert shown.returncode != 0 and shown.stdout == '' and 'PublishedKeyFile=' in shown.stderr
