# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a source says about a token that Quay cannot take: before the exchange, with a remedy at that very source."""

import contextlib
import os

import pytest
import test_aws
import test_identity_clouds as clouds
import test_kubernetes
import test_oauth2
from metadata_service import to_json
from spiffe_agent import Agent
from workers import worker  # noqa: F401

pytestmark = pytest.mark.limit(120)

# What is wrong, its reason, and what the remedy names at each source. Those that are not named here look at the answer
# so closely that such a token does not come through.
FINDINGS = [
    ({'alg': 'ES256'}, 'token-algorithm',
     {'file': 'jwt_key_type', 'credential': 'RSA', 'exec': 'RSA', 'spiffe': 'jwt_key_type', 'oauth2': 'of this client',
      'kubernetes': '--service-account-signing-key-file', 'gce': 'MetadataServer=', 'azure': 'MetadataServer=',
      'aws': 'STSEndpoint='}),
    ({'remove_header': ['kid']}, 'token-claim-missing',
     {'file': 'kid', 'credential': 'kid', 'exec': 'kid', 'spiffe': 'kid', 'oauth2': 'kid', 'kubernetes': 'Server=',
      'gce': 'MetadataServer=', 'azure': 'MetadataServer=', 'aws': 'STSEndpoint='}),
    ({'claims': {'iss': 'http://issuer'}}, 'token-issuer',
     {'file': '--service-account-issuer', 'credential': 'https://', 'exec': 'https://', 'spiffe': 'jwt_issuer',
      'oauth2': 'Issuer=', 'kubernetes': 'spec.serviceAccountIssuer', 'gce': 'MetadataServer=',
      'azure': 'MetadataServer=', 'aws': 'STSEndpoint='}),
    ({'remove': ['iss']}, 'token-claim-missing',
     {'file': 'jwt_issuer', 'credential': "'iss'", 'exec': "'iss'", 'spiffe': 'jwt_issuer', 'oauth2': "'iss'",
      'kubernetes': 'Server=', 'gce': 'MetadataServer=', 'azure': 'MetadataServer=', 'aws': 'STSEndpoint='}),
    ({'remove': ['sub']}, 'token-claim-missing',
     {'file': "'sub'", 'credential': "'sub'", 'exec': "'sub'", 'spiffe': "'sub'", 'oauth2': "scope 'basic'",
      'kubernetes': 'Server=', 'gce': 'MetadataServer=', 'azure': 'MetadataServer=', 'aws': 'STSEndpoint='}),
    ({'remove': ['iat']}, 'token-claim-missing',
     {'file': "'iat'", 'credential': "'iat'", 'exec': "'iat'", 'spiffe': "'iat'", 'oauth2': "'iat'",
      'kubernetes': 'Server=', 'gce': 'MetadataServer=', 'azure': 'MetadataServer=', 'aws': 'STSEndpoint='}),
    ({'claims': {'aud': 'other'}}, 'token-audience',
     {'file': 'projected volume', 'credential': 'into the credential', 'exec': '--audience', 'spiffe': 'Socket=',
      'oauth2': 'audience mapper', 'kubernetes': 'Server=', 'gce': 'MetadataServer=', 'azure': 'Resource=',
      'aws': 'STSEndpoint='}),
    ({'remove': ['aud']}, 'token-claim-missing',
     {'file': 'projected volume', 'credential': 'into the credential', 'exec': '--audience', 'spiffe': 'Socket=',
      'oauth2': 'audience mapper', 'kubernetes': 'Server=', 'gce': 'MetadataServer=', 'azure': 'Resource=',
      'aws': 'STSEndpoint='}),
    ({'offset': -7200}, 'token-expired',
     {'file': 'renews', 'credential': 'restart', 'exec': 'each time', 'spiffe': 'the agent reaches',
      'oauth2': 'timedatectl', 'kubernetes': 'timedatectl', 'gce': 'timedatectl', 'azure': 'timedatectl',
      'aws': 'timedatectl'}),
    ({'claims': {'groups': 'g' * 6000}}, 'token-too-long',
     {'file': 'leave out claims', 'credential': 'leave out claims', 'exec': 'leave out claims',
      'spiffe': 'leave out claims', 'oauth2': "scope 'roles'", 'kubernetes': 'Server=', 'gce': 'MetadataServer=',
      'azure': 'groupMembershipClaims', 'aws': 'Take tags off'}),
    ('', 'token-empty', {'file': 'token file', 'credential': 'systemd-creds', 'exec': 'standard output'}),
    ('opaque', 'token-malformed',
     {'file': 'JWT', 'credential': 'systemd-creds', 'exec': "without 'Bearer'", 'spiffe': 'Socket=',
      'oauth2': 'IdToken=yes', 'kubernetes': 'Server=', 'gce': 'MetadataServer=', 'azure': 'of your own',
      'aws': 'STSEndpoint='}),
]
CASES = [(source, token, reason, says) for token, reason, remedies in FINDINGS for source, says in remedies.items()]


def by_program(token, path):
    (path / 'token').write_text(token)
    path.chmod(0o755)
    return {'source': 'exec', 'token': None, 'settings': {'Command': f'/bin/cat {path}/token'}}


def by_agent(token, path, stack):
    os.chmod(path, 0o755)
    agent = stack.enter_context(Agent(str(path / 'api.sock')))
    agent.svids = [{'spiffe_id': 'spiffe://example.com/host', 'svid': token}]
    return {'source': 'spiffe', 'token': None, 'settings': {'Socket': agent.path}}


def by_cloud(source, token, rig, stack):
    service = stack.enter_context(contextlib.closing((clouds.Google if source == 'gce' else clouds.Azure)(rig)))
    service.decide = lambda _: to_json(200, {'access_token': token}) if source == 'azure' else (200, {}, token.encode())
    return clouds.ask(service)


def by_role(token, rig, stack):
    instance = stack.enter_context(contextlib.closing(test_aws.Instance()))
    sts = stack.enter_context(contextlib.closing(test_aws.Sts(rig)))
    sts.answer = sts.token(token)
    return test_aws.ask(instance, sts)


def by_server(token, rig, stack):
    server = stack.enter_context(contextlib.closing(test_kubernetes.ApiServer(rig)))
    server.token = token
    return test_kubernetes.ask(server)


def by_client(token, rig, stack):
    issuer = stack.enter_context(contextlib.closing(test_oauth2.Issuer(rig)))
    issuer.answer = {'access_token': token}
    return test_oauth2.ask(issuer)


@pytest.fixture
def of_source(rig, tmp_path):
    """A request for which that source gives that token."""
    with contextlib.ExitStack() as stack:
        yield {'file': lambda token: {'source': 'file', 'token': token},
               'credential': lambda token: {'source': 'credential', 'token': token},
               'exec': lambda token: by_program(token, tmp_path),
               'spiffe': lambda token: by_agent(token, tmp_path, stack),
               'oauth2': lambda token: by_client(token, rig, stack),
               'kubernetes': lambda token: by_server(token, rig, stack),
               'gce': lambda token: by_cloud('gce', token, rig, stack),
               'azure': lambda token: by_cloud('azure', token, rig, stack),
               'aws': lambda token: by_role(token, rig, stack)}


@pytest.mark.parametrize('source, token, reason, says', CASES, ids=lambda value: str(value)[:30])
def test_each_finding_has_a_remedy_at_its_source(rig, worker, of_source, source, token, reason, says):
    text = rig.jwt(**token) if isinstance(token, dict) else token
    failure = worker.fail(**of_source[source](text))
    assert (failure['step'], failure['reason']) == ('identity', reason), failure
    assert says in failure['hint'], failure
    assert source == 'file' or 'token file' not in failure['hint'], failure
    assert rig.exchanges() == []
