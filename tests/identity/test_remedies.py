# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a source says about a token that Quay cannot take: before the exchange, with a remedy at that very source."""

import pytest
from workers import worker  # noqa: F401

pytestmark = pytest.mark.limit(120)

# What is wrong, its reason, and what the remedy names at each source; None: the general one does.
FINDINGS = [
    ({'alg': 'ES256'}, 'token-algorithm', {'file': 'jwt_key_type', 'credential': 'RSA', 'exec': 'RSA'}),
    ({'remove_header': ['kid']}, 'token-claim-missing', {'file': 'kid', 'credential': 'kid', 'exec': 'kid'}),
    ({'claims': {'iss': 'http://issuer'}}, 'token-issuer',
     {'file': '--service-account-issuer', 'credential': 'https://', 'exec': 'https://'}),
    ({'remove': ['iss']}, 'token-claim-missing', {'file': 'jwt_issuer', 'credential': 'iss', 'exec': 'iss'}),
    ({'claims': {'aud': 'other'}}, 'token-audience',
     {'file': 'projected volume', 'credential': 'into the credential', 'exec': '--audience'}),
    ({'remove': ['aud']}, 'token-claim-missing', {'file': 'audience', 'credential': 'audience', 'exec': 'audience'}),
    ({'offset': -7200}, 'token-expired', {'file': 'renews', 'credential': 'restart', 'exec': 'each time'}),
    ('', 'token-empty', {'file': 'token file', 'credential': 'systemd-creds', 'exec': 'standard output'}),
    ('opaque', 'token-malformed', {'file': 'JWT', 'credential': 'systemd-creds', 'exec': None}),
]


@pytest.fixture
def of_source(tmp_path):
    def ask(source, token):
        if source != 'exec':
            return {'source': source, 'token': token}
        path = tmp_path / 'token'
        path.write_text(token)
        tmp_path.chmod(0o755)
        return {'source': source, 'token': None, 'settings': {'Command': f'/bin/cat {path}'}}
    return ask


@pytest.mark.parametrize('source', ['file', 'credential', 'exec'])
@pytest.mark.parametrize('token, reason, remedies', FINDINGS, ids=lambda value: str(value)[:40])
def test_each_finding_has_a_remedy_at_its_source(rig, worker, of_source, source, token, reason, remedies):
    text = rig.jwt(**token) if isinstance(token, dict) else token
    failure = worker.fail(**of_source(source, text))
    assert (failure['step'], failure['reason']) == ('identity', reason), failure
    assert (remedies[source] or '') in failure['hint'], failure
    assert source == 'file' or 'token file' not in failure['hint'] or not remedies[source], failure
    assert rig.exchanges() == []
