# SPDX-License-Identifier: LGPL-2.1-or-later
"""Daemon and worker as they are, an issuer and a Quay that are simulated: from a token file to a pull's password."""

import base64
import os
import sys
import tempfile

import pytest
from activate import Activated
from rig import DAEMON_UID, ROOT, STRANGER_UID, TOP, WRAPPER, program, Host

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
    quay.set_lifetime(8)
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


def test_a_test_on_the_command_line_goes_all_the_way_and_changes_nothing(world):
    host, quay, _worker = world
    host.start()
    host.client.wait_job('edge', State='fresh')
    before, job = host.read('etc/containers/auth.json'), host.client.job('edge')
    shown = host.ctl('test', 'edge', uid=0 if ROOT else os.geteuid())
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for step in ('token', 'claims', 'dns', 'tcp', 'tls', 'exchange', 'verification', 'publication'):
        assert step in shown.stdout.lower(), shown.stdout
    assert host.read('etc/containers/auth.json') == before and host.client.job('edge') == job
    assert quay.audit()['exchanges'] == 2
    quay.robot('acme+edge', federation=[])
    shown = host.ctl('test', 'edge', uid=0 if ROOT else os.geteuid())
    assert shown.returncode not in (0, 2) and 'federat' in (shown.stdout + shown.stderr)
    assert host.client.job('edge') == job


def test_an_identity_on_the_command_line_is_what_quay_has_to_know(world):
    host, quay, _worker = world
    host.start()
    host.client.wait_job('edge', State='fresh')
    shown = host.ctl('identity', uid=0 if ROOT else os.geteuid())
    assert shown.returncode == 0 and quay.issuer in shown.stdout and quay.subject in shown.stdout, shown.stderr
    assert quay.jwt().split('.')[2] not in shown.stdout and quay.audit()['exchanges'] == 1
