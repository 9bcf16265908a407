# SPDX-License-Identifier: LGPL-2.1-or-later
"""The token file of an identity, in all the shapes it should not have."""

import os

import pytest
from fakeworker import failure
from rig import JWT, ROOT
from test_events import ended_early, fail_often, touching


def missing(host, path):
    os.unlink(path)


def directory(host, path):
    os.unlink(path)
    os.mkdir(path)


def fifo(host, path):
    os.unlink(path)
    os.mkfifo(path)


def huge(host, path):
    host.token('a' * (2 * 1024 * 1024))


def nul(host, path):
    host.token(b'abc\0def')


def writable(host, path):
    os.chmod(path, 0o666)


def loop(host, path):
    os.unlink(path)
    os.symlink('token', path)


@pytest.mark.parametrize('spoil, reason', [
    (missing, 'token-file-missing'), (directory, 'token-file-unsafe'), (fifo, 'token-file-unsafe'),
    (huge, 'token-malformed'), (nul, 'token-malformed'), (writable, 'token-file-unsafe'),
    (loop, 'token-file-unreadable'),
])
def test_a_token_file_that_cannot_be_used(host, spoil, reason):
    host.standard()
    spoil(host, host.path('tokens/token'))
    host.start()
    job = host.client.wait_job('edge', State='expired', Reason=reason)
    assert '/tokens/token' in job['Message'] and job['Hint'] and job['Step'] == 'identity'
    assert ('chown' in job['Hint']) == (reason == 'token-file-unsafe'), 'only owner and mode are mended like that'
    assert not host.worker.requests and host.auths() is None


def test_an_unreadable_token_file_is_named(host):
    if not ROOT:
        pytest.skip('only root can make a file that its own test user cannot read')
    host.standard()
    os.chown(host.path('tokens/token'), 0, 0)
    host.start()
    assert host.client.wait_job('edge', State='expired')['Reason'] == 'token-file-unreadable'


def test_a_link_to_a_token_is_followed_and_read_anew_each_time(edge):
    path = edge.path('tokens/token')
    edge.token('second.token.text', 'tokens/..data/token')
    os.unlink(path)
    os.symlink('..data/token', path)
    edge.client.call('org.pullauth1.Manager', 'RefreshAll')
    edge.client.wait_job('edge', AttemptsEnded=2)
    assert [bytes(request['Token']).decode() for request in edge.worker.requests] == [JWT, 'second.token.text']


def test_a_torn_or_expired_token_is_read_once_more_within_the_attempt(host):
    host.standard()
    answers = [failure('token-expired', 'identity'), None]

    def answer(request):
        if answers[0]:
            host.token('fresh.token.text')
            return answers.pop(0)
        return host.worker.credential(request)
    host.worker.answer = answer
    host.start()
    job = host.client.wait_job('edge', State='fresh')
    assert job['AttemptsStarted'] == 1
    assert [bytes(request['Token']).decode() for request in host.worker.requests] == [JWT, 'fresh.token.text']


def test_a_missing_ca_file_is_a_matter_of_configuration(host):
    host.standard()
    host.job(more='CAFile=/etc/missing.pem\n')
    host.start()
    job = host.client.wait_job('edge', Reason='ca-unreadable')
    assert job['Step'] == 'configuration' and '/etc/missing.pem' in job['Message']
    host.write('etc/missing.pem', '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n')
    ended_early(host, State='fresh')


def test_what_the_worker_is_given(host):
    host.identity()
    host.token(f'  {JWT}\n\n'.lstrip())
    pem = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'
    host.write('etc/ca.pem', pem)
    host.job(more='CAFile=/etc/ca.pem\nProxy=http://proxy.example:3128\nScopes=acme/app\n')
    host.start()
    host.client.wait_job('edge', State='fresh')
    request = host.worker.requests[0]
    assert bytes(request.pop('Token')).decode() == JWT and request.pop('Timeout') == 60 * 10**6 and request.pop('Id')
    assert bytes(request.pop('CA')).decode() == pem
    assert request == {'Kind': 'obtain', 'Job': 'edge', 'Source': 'file', 'Audience': 'quay', 'Exchange': 'quay',
                       'Registry': 'quay.example.com', 'Robot': 'acme+edge', 'Proxy': 'http://proxy.example:3128',
                       'Scopes': ['quay.example.com/acme/app']}


def credential_identity(host, name='quay-token'):
    host.write('etc/pullauth/identities/default.identity',
               f'[Identity]\nSource=credential\nCredential={name}\nAudience=quay\n')
    host.job()
    directory = host.path('credentials')
    os.mkdir(directory, 0o755)
    return directory


def test_a_credential_of_the_service_manager_is_a_token(host):
    directory = credential_identity(host)
    host.write('credentials/quay-token', JWT + '\n', 0o400)
    host.start(CREDENTIALS_DIRECTORY=directory)
    host.client.wait_job('edge', State='fresh')
    request = host.worker.requests[0]
    assert bytes(request['Token']) == JWT.encode() and request['Source'] == 'credential'


def test_a_credential_that_the_service_was_not_given_is_named(host):
    directory = credential_identity(host)
    host.start(CREDENTIALS_DIRECTORY=directory)
    job = host.client.wait_job('edge', State='expired', Reason='identity-file-unreadable')
    assert 'credential quay-token' in job['Message'] and 'LoadCredential=quay-token' in job['Hint']
    host.stop()
    host.start()
    host.client.wait_job('edge', State='expired', Reason='identity-file-unreadable')
    assert not host.worker.requests


def signed_identity(host, more=''):
    host.write('etc/pullauth/identities/default.identity',
               '[Identity]\nSource=signed\nIssuer=https://issuer.example.com\nSubject=edge-1\n'
               f'KeyFile=/tokens/key\n{more}')
    host.job()


def test_files_of_an_identity_reach_the_worker_by_the_names_of_their_keys(host):
    signed_identity(host, 'PINFile=/tokens/pin\nLifetime=10min\n')
    host.write('tokens/key', 'hush key\n', 0o600)
    host.write('tokens/pin', 'hush\n', 0o600)
    host.start()
    host.client.wait_job('edge', State='fresh')
    request = host.worker.requests[0]
    assert request['Settings'] == {'Issuer': 'https://issuer.example.com', 'Subject': 'edge-1',
                                   'Lifetime': '600000000'}
    secrets = {key: bytes(value) for key, value in request['Secrets'].items()}
    assert secrets == {'KeyFile': b'hush key', 'PINFile': b'hush'}
    assert 'Token' not in request and 'hush' not in host.log()


def test_certificates_of_an_identity_may_be_long_and_other_files_not(host):
    host.write('etc/pullauth/identities/default.identity',
               '[Identity]\nSource=oauth2\nIssuer=https://issuer.example.com\nClientID=edge-1\n'
               'ClientSecretFile=/tokens/secret\nCAFile=/tokens/ca\nScope=openid quay\nIdToken=true\n')
    long = '# a bundle of many\n' * 10000
    host.write('tokens/ca', long, 0o644)
    host.write('tokens/secret', 'hush\n', 0o600)
    host.job()
    host.start()
    host.client.wait_job('edge', State='fresh')
    request = host.worker.requests[0]
    assert request['Settings'] == {'Issuer': 'https://issuer.example.com', 'ClientID': 'edge-1',
                                   'Scope': 'openid quay', 'IdToken': 'yes'}
    secrets = {key: bytes(value).decode() for key, value in request['Secrets'].items()}
    assert secrets == {'ClientSecretFile': 'hush', 'CAFile': long.rstrip()}
    host.write('tokens/secret', long, 0o600)
    host.client.call('org.pullauth1.Manager', 'RefreshAll')
    job = host.client.wait_job('edge', Reason='identity-file-unsafe')
    assert 'ClientSecretFile=' in job['Message'] + job['Hint'] and 'too large' in job['Message']


def test_a_pod_finds_its_cluster_in_itself(host):
    host.write('etc/pullauth/identities/default.identity',
               '[Identity]\nSource=kubernetes\nServiceAccount=quay-puller\nInCluster=yes\nAudience=quay\n')
    host.job()
    host.start(KUBERNETES_SERVICE_HOST='fd00::1', KUBERNETES_SERVICE_PORT='6443')
    job = host.client.wait_job('edge', Reason='token-file-missing')
    mount = '/var/run/secrets/kubernetes.io/serviceaccount'
    assert f'{mount}/token' in job['Message']
    host.write(f'{mount[1:]}/ca.crt', 'authority\n', 0o644)
    host.write(f'{mount[1:]}/namespace', 'edge\n', 0o644)
    host.write(f'{mount[1:]}/token', 'own token\n', 0o600)  # the last: it ends the wait
    host.client.call('org.pullauth1.Manager', 'RefreshAll')
    host.client.wait_job('edge', State='fresh')
    request = host.worker.requests[0]
    assert request['Settings'] == {'Server': 'https://[fd00::1]:6443', 'Namespace': 'edge', 'InCluster': 'yes',
                                   'ServiceAccount': 'quay-puller'}
    secrets = {key: bytes(value) for key, value in request['Secrets'].items()}
    assert secrets == {'TokenFile': b'own token', 'CAFile': b'authority'} and 'Token' not in request
    assert 'own token' not in host.log()


def test_a_file_of_an_identity_that_changes_ends_the_wait(host):
    signed_identity(host)
    host.start()
    job = host.client.wait_job('edge', State='expired', Reason='identity-file-unreadable')
    assert 'KeyFile=' in job['Message'] + job['Hint'] and '/tokens/key' in job['Message']
    before = fail_often(host, touching(host, 'tokens'))
    host.write('tokens/key', 'hush\n', 0o600)
    ended_early(host, since=before, State='fresh')


def spiffe_identity(host, more=''):
    host.write('etc/pullauth/identities/default.identity', f'[Identity]\nSource=spiffe\nAudience=quay\n{more}')
    host.job()


def test_the_agent_of_spiffe_is_where_the_environment_says(host):
    spiffe_identity(host)
    host.start(SPIFFE_ENDPOINT_SOCKET='unix:///run/spire/agent/api.sock')
    host.client.wait_job('edge', State='fresh')
    spiffe_identity(host, 'Socket=unix:///run/other.sock\nHint=quay\n')
    host.reload()  # which is an exchange, of another identity
    host.client.wait_job('edge', AttemptsEnded=2)
    settings = [dict(request['Settings']) for request in host.worker.requests]
    assert settings == [{'Socket': '/run/spire/agent/api.sock'}, {'Socket': '/run/other.sock', 'Hint': 'quay'}]


@pytest.mark.parametrize('environment, says', [({}, 'Nothing says where'),
                                               ({'SPIFFE_ENDPOINT_SOCKET': 'tcp://127.0.0.1:1'}, 'no unix socket')])
def test_an_agent_of_spiffe_that_cannot_be_found(host, environment, says):
    spiffe_identity(host)
    host.start(**environment)
    job = host.client.wait_job('edge', Reason='configuration-invalid')
    assert says in job['Message'] and 'Socket=unix:///' in job['Hint'] and job['Step'] == 'identity'
    assert not host.worker.requests
