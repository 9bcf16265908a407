# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every way in which an exchange at Quay can be refused ends in the right reason, with a text to act on."""

import json

import pytest
from quaysim.client import EXCHANGE
from workers import ROBOT, worker  # noqa: F401

pytestmark = pytest.mark.limit(60)

CLASSES = {
    'identity-unusable': ('token-empty', 'token-malformed', 'token-expired', 'token-algorithm', 'token-claim-missing',
                          'token-issuer', 'token-audience', 'token-too-long'),
    'rejected': ('robot-name-invalid', 'robot-unknown', 'federation-not-configured', 'issuer-not-accepted',
                 'subject-not-accepted', 'audience-not-accepted', 'signature-not-accepted', 'identity-rejected',
                 'not-found', 'credential-refused', 'rejected'),
    'registry': ('registry-error', 'registry-closed', 'registry-read-only', 'registry-redirected',
                 'answer-malformed', 'token-not-usable'),
    'clock': ('clock-skew', 'tls-certificate-dates'),
    'tls': ('tls-untrusted', 'tls-host-mismatch', 'tls-failed'),
    'transport': ('connection-failed', 'connection-lost', 'timeout'),
    'rate-limit': ('rate-limited',),
}
CLASS_OF = {reason: name for name, reasons in CLASSES.items() for reason in reasons}


def check(failure, step, reason, status=0):
    found = (failure['step'], failure['reason'], failure['class'], failure['status'])
    assert found == (step, reason, CLASS_OF[reason], status), failure


def say(rig, status, value, path=EXCHANGE):
    """Quay says this, whatever it is asked."""
    rig.misbehave('answer', path, status=status, body=json.dumps(value) + '\n', content_type='application/json')


# What the lint says before anything is sent: the registry would hide most of it behind a 500

@pytest.mark.parametrize('token, reason, words', [
    ('', 'token-empty', 'empty'), ('  \n', 'token-empty', 'empty'), ('not-a-jwt', 'token-malformed', 'JWT'),
    ('a.b.c', 'token-malformed', ''), ('{"token":"x"}', 'token-malformed', 'JSON'),
    ({'alg': 'ES256'}, 'token-algorithm', 'ES256'), ({'alg': 'RS512'}, 'token-algorithm', 'RS512'),
    ({'alg': 'PS256'}, 'token-algorithm', 'PS256'), ({'alg': 'none', 'key': 'rsa'}, 'token-algorithm', 'none'),
    ({'remove_header': ['kid']}, 'token-claim-missing', 'kid'), ({'remove': ['iss']}, 'token-claim-missing', 'iss'),
    ({'remove': ['sub']}, 'token-claim-missing', 'sub'), ({'remove': ['iat']}, 'token-claim-missing', 'iat'),
    ({'remove': ['exp']}, 'token-claim-missing', 'exp'), ({'remove': ['aud']}, 'token-claim-missing', 'aud'),
    ({'claims': {'aud': 'other'}}, 'token-audience', 'other'),
    ({'claims': {'iss': 'http://issuer.example'}}, 'token-issuer', 'http://issuer.example'),
    ({'offset': -3600}, 'token-expired', ''), ({'claims': {'padding': 'a' * 6000}}, 'token-too-long', '')],
    ids=str)
def test_identities_that_quay_cannot_take_are_not_sent(rig, worker, token, reason, words):
    failure = worker.fail(token=rig.jwt(**token) if isinstance(token, dict) else token)
    check(failure, 'identity', reason)
    assert words in failure['message'] + failure['hint'] and failure['words'] is None
    assert rig.requests() == []


def test_claims_are_shown_although_the_identity_is_of_no_use(rig, worker):
    answer = worker.ask(token=rig.jwt(alg='ES256'))
    assert (answer['claims']['algorithm'], answer['claims']['subject']) == ('ES256', rig.subject)


# 401 and 400 of Quay itself

@pytest.mark.parametrize('text', ['No auth header', 'Invalid basic auth header', 'Could not parse basic auth header',
                                  'Unexpected number of credentials found in basic auth header'])
def test_authorization_that_does_not_arrive(rig, worker, text):
    say(rig, 401, {'error': text})
    failure = worker.fail()
    check(failure, 'exchange', 'rejected', 401)
    assert failure['words'] == text and 'proxy' in failure['hint']


def test_a_name_that_quay_takes_for_no_robot(rig, worker):
    say(rig, 401, {'error': 'Invalid robot'})
    check(worker.fail(), 'exchange', 'robot-name-invalid', 401)


@pytest.mark.parametrize('robot', ['acme+other', 'Acme+edge'])
def test_a_robot_that_is_not_there(rig, worker, robot):
    failure = worker.fail(robot=robot)
    check(failure, 'exchange', 'robot-unknown', 400)
    assert robot in failure['message'] and failure['words'] == 'Could not find robot with specified username'


def test_a_robot_without_federation(rig, worker):
    rig.robot(ROBOT, federation=[])
    failure = worker.fail()
    check(failure, 'exchange', 'federation-not-configured', 400)
    assert f"'{rig.issuer}'" in failure['hint'] and f"'{rig.subject}'" in failure['hint']


def test_an_issuer_that_the_robot_does_not_accept_is_shown_to_the_last_character(rig, worker):
    failure = worker.fail(token=rig.jwt({'iss': f'{rig.issuer}/'}))
    check(failure, 'exchange', 'issuer-not-accepted', 400)
    assert f"'{rig.issuer}/'" in failure['message'] and f'issuer {rig.issuer}/ not' in failure['words']


def test_a_subject_that_the_robot_does_not_accept(rig, worker):
    failure = worker.fail(token=rig.jwt({'sub': 'host-2'}))
    check(failure, 'exchange', 'subject-not-accepted', 400)
    assert "'host-2'" in failure['message'] and failure['words'] == 'Token does not match robot'


def test_an_identity_that_has_expired_for_the_registry(rig, worker):
    """Not for us: its clock is ahead, so it is a matter of clocks."""
    rig.set_clock(900)
    failure = worker.fail(token=rig.jwt(lifetime=600))
    check(failure, 'exchange', 'clock-skew', 400)
    assert failure['words'] == 'Invalid token: Signature has expired'


def test_an_identity_that_expired_on_its_way(rig, worker):
    say(rig, 400, {'message': 'Invalid token: Signature has expired'})
    check(worker.fail(), 'exchange', 'token-expired', 400)


def test_an_identity_of_the_future(rig, worker):
    rig.set_clock(-300)
    failure = worker.fail()
    check(failure, 'exchange', 'clock-skew', 400)
    assert 'clock' in failure['hint']


@pytest.mark.parametrize('text, reason', [
    ('Issued At claim (iat) must be an integer.', 'identity-rejected'),
    ('Subject must be a string', 'identity-rejected'),
    ('Token is missing the "iat" claim', 'token-claim-missing'), ('Missing `kid` header', 'token-claim-missing'),
    ('The specified alg value is not allowed', 'token-algorithm'), ('words of tomorrow', 'identity-rejected')])
def test_identities_that_only_the_registry_finds_wrong(rig, worker, text, reason):
    say(rig, 400, {'message': f'Invalid token: {text}'})
    failure = worker.fail()
    check(failure, 'exchange', reason, 400)
    assert failure['words'] == f'Invalid token: {text}'


def test_a_signature_that_does_not_fit(rig, worker):
    kid = rig.call('state')['issuer']['published']['rsa']
    for token in (rig.jwt(tamper=True), rig.jwt(key='rsa-rogue', kid=kid)):
        failure = worker.fail(token=token)
        check(failure, 'exchange', 'signature-not-accepted', 400)
        assert kid in failure['hint']


def test_a_discovery_document_that_names_another_issuer(rig, worker):
    rig.call('issuer', discovery={'issuer': 'https://else.example'})
    failure = worker.fail()
    check(failure, 'exchange', 'issuer-not-accepted', 400)
    assert 'https://else.example' in failure['words'] and '.well-known' in failure['hint']


@pytest.mark.parametrize('token', [{'claims': {'aud': 'other'}}, {'remove': ['aud']}])
def test_an_audience_that_the_robot_does_not_accept(rig, worker, token):
    failure = worker.fail(token=rig.jwt(**token), audience=None)
    check(failure, 'exchange', 'token-claim-missing' if 'remove' in token else 'audience-not-accepted', 400)


def test_an_entry_without_audiences_takes_any(rig, worker):
    rig.robot(ROBOT, federation=[rig.federation_entry(audiences=None)])
    worker.obtain(token=rig.jwt({'aud': 'other'}), audience=None)


# Mistakes that look like the server's fault

@pytest.mark.parametrize('cause', ['unknown key', 'rotated key', 'discovery', 'keys'])
def test_a_500_points_to_the_issuer(rig, worker, cause):
    token = rig.jwt(kid='unknown') if cause == 'unknown key' else rig.jwt()
    if cause == 'rotated key':
        rig.call('rotate')
    elif cause != 'unknown key':
        rig.misbehave('answer', '/keys' if cause == 'keys' else '*/openid-configuration', server='issuer', status=503)
    failure = worker.fail(token=token)
    check(failure, 'exchange', 'registry-error', 500)
    assert f'{rig.issuer}/.well-known/openid-configuration' in failure['hint']
    assert failure['words'] == 'Internal Server Error'


@pytest.mark.parametrize('outage', ['refused', 'untrusted', 'timeout'])
@pytest.mark.parametrize('front_end', [None, 'nginx'])
def test_an_issuer_that_quay_cannot_reach(rig, worker, outage, front_end):
    rig.settings(front_end=front_end, discovery_timeout=0.2)
    if outage == 'refused':
        rig.call('issuer', listening=False)
    elif outage == 'untrusted':
        rig.call('issuer', certificate='untrusted')
    else:
        rig.misbehave('hang', '*/openid-configuration', server='issuer')
    failure = worker.fail()
    check(failure, 'exchange', 'registry-closed', 502 if front_end else 0)
    assert f'{rig.issuer}/.well-known/openid-configuration' in failure['hint']


def test_an_issuer_whose_keys_hang(rig, worker):
    rig.settings(front_end='nginx', gateway_timeout=0.2)
    rig.misbehave('hang', '/keys', server='issuer')
    check(worker.fail(), 'exchange', 'registry-closed', 504)


def test_read_only_mode(rig, worker):
    rig.settings(read_only=True)
    failure = worker.fail()
    check(failure, 'exchange', 'registry-read-only', 503)
    assert failure['words'].startswith('System is currently read-only.')


def jwt_of_size(rig, size):
    """As long as that, give or take two bytes: base64 has no other lengths."""
    room = size - len(rig.jwt({'padding': ''}))
    return rig.jwt({'padding': 'a' * (room * 3 // 4)})


def test_an_identity_that_is_too_long_for_the_server_in_front(rig, worker):
    """The lint lets it pass, but together with the robot's name it is too much."""
    token = jwt_of_size(rig, 6140)
    assert 6130 < len(token) <= 6144
    failure = worker.fail(token=token)
    check(failure, 'exchange', 'token-too-long', 400)
    assert failure['words'] == 'Bad Request'


def test_a_long_identity_that_just_fits(rig, worker):
    worker.obtain(token=jwt_of_size(rig, 6100))


def test_a_quay_that_is_too_old_and_what_is_no_quay(rig, worker):
    rig.settings(federation=False)
    failure = worker.fail()
    check(failure, 'exchange', 'not-found', 404)
    assert '3.13' in failure['hint']
    rig.misbehave('answer', EXCHANGE, status=405)
    check(worker.fail(), 'exchange', 'not-found', 405)


@pytest.mark.parametrize('status, headers, wait', [
    (429, {}, 0), (429, {'Retry-After': '7'}, 7), (503, {'Retry-After': '120'}, 120), (403, {'Retry-After': '3'}, 3),
    (429, {'Retry-After': 'Fri, 31 Dec 9999 23:59:59 GMT'}, 86400), (429, {'Retry-After': '9' * 40}, 86400),
    (429, {'Retry-After': '-5'}, 0), (429, {'Retry-After': 'soon'}, 0), (429, {'Retry-After': '0'}, 1),
    (429, {'Retry-After': 'Thu, 01 Jan 1970 00:00:00 GMT'}, 1),
    (429, {'Retry-After': 'Tue, 24 Nov 2026 00:00:30 GMT', 'Date': 'Tue, 24 Nov 2026 00:00:00 GMT'}, 30)])
def test_rate_limits_carry_the_wait_that_was_asked_for(rig, worker, status, headers, wait):
    rig.misbehave('answer', EXCHANGE, status=status, headers=headers)
    failure = worker.fail()
    check(failure, 'exchange', 'rate-limited', status)
    assert failure['retry_after'] == wait * 10 ** 6


@pytest.mark.parametrize('status', [403, 410, 418, 451])
def test_other_refusals(rig, worker, status):
    rig.misbehave('answer', EXCHANGE, status=status)
    check(worker.fail(), 'exchange', 'rejected', status)


@pytest.mark.parametrize('status', [501, 503, 599])
def test_other_failures_of_the_server(rig, worker, status):
    rig.misbehave('answer', EXCHANGE, status=status)
    check(worker.fail(), 'exchange', 'registry-error', status)


# The new credential at the token endpoint

def test_an_owner_that_is_disabled(rig, worker):
    rig.call('owner', name='acme', disabled=True)
    failure = worker.fail()
    check(failure, 'verification', 'credential-refused', 401)
    assert failure['words'] == f'Robot {ROBOT} owner acme is disabled'
    assert rig.audit()['exchanges'] == 1


def test_robots_that_are_disallowed(rig, worker):
    rig.settings(robots_disallow=True)
    failure = worker.fail()
    check(failure, 'verification', 'credential-refused', 401)
    assert failure['words'].startswith('Robot account have been disabled.')


def test_a_namespace_that_is_disabled(rig, worker):
    rig.call('owner', name='other', disabled=True)
    failure = worker.fail(scopes=[f'{rig.quay}/other/app'])
    check(failure, 'verification', 'credential-refused', 405)


def test_a_robot_that_vanishes_between_exchange_and_verification(rig, worker):
    say(rig, 401, {'errors': [{'message': 'Could not find robot'}]}, '/v2/auth')
    check(worker.fail(), 'verification', 'credential-refused', 401)


def test_a_token_that_quay_itself_does_not_take(rig, worker):
    """Quay answers 500 to what it finds expired or tampered with; nobody is told to look at the issuer for it."""
    rig.misbehave('change', EXCHANGE, json={'token': rig.robot_token(offset=-3590, lifetime=3650)})
    rig.misbehave('answer', '/v2/auth', status=500, body='<title>Internal Server Error</title>')
    failure = worker.fail()
    check(failure, 'verification', 'registry-error', 500)
    assert 'issuer' not in failure['hint']


# Tokens that look like success

@pytest.mark.parametrize('token', [{'offset': -7200}, {'offset': -3600, 'lifetime': 3590}, {'offset': 120},
                                   {'lifetime': 0}, {'lifetime': -60}, {'lifetime': 2 ** 62}], ids=str)
def test_tokens_with_dates_that_do_not_fit_are_not_usable(rig, worker, token):
    rig.misbehave('change', EXCHANGE, json={'token': rig.robot_token(**token)})
    failure = worker.fail()
    check(failure, 'exchange', 'token-not-usable', 200)
    assert '/v2/' not in [entry['path'] for entry in rig.requests(server='quay')]


def test_of_a_token_that_is_not_fresh_the_rest_is_used(rig, worker):
    rig.misbehave('change', EXCHANGE, json={'token': rig.robot_token(offset=-1800)})
    credential = worker.obtain()['credential']
    assert 1700 < credential['expires'] - credential['issued'] <= 1801


def test_a_token_that_says_nothing_lives_one_hour(rig, worker):
    rig.robot(ROBOT, static_token='ABCDEFGHIJKLMNOP')
    rig.misbehave('change', EXCHANGE, json={'token': 'ABCDEFGHIJKLMNOP'})
    answer = worker.obtain()
    assert answer['credential']['expires'] - answer['credential']['issued'] == 3600
    assert any('one hour' in notice for notice in answer['notices'])


@pytest.mark.parametrize('body', ['', '{}', '[]', 'null', '{"token":null}', '{"token":5}', '{"token":""}',
                                  '{"token":"a b"}', '{"token":"a\\nb"}', '{"token":"a","token":"b"}', '{"token":"a"',
                                  '[' * 1000, '{"token":"\\u0000"}', '{"tok":"a"}', 'token', '{"token":"a"}x'])
def test_success_without_a_token_is_malformed(rig, worker, body):
    rig.misbehave('answer', EXCHANGE, status=200, body=body, content_type='application/json')
    check(worker.fail(), 'exchange', 'answer-malformed', 200)


def test_a_portal_that_says_yes_to_everything_is_quoted(rig, worker):
    rig.misbehave('answer', '*', status=200, content_type='text/html', body='<html><title>Welcome!</title></html>')
    failure = worker.fail()
    check(failure, 'exchange', 'answer-malformed', 200)
    assert failure['words'] == 'Welcome!'


@pytest.mark.parametrize('status', [201, 204, 206])
def test_success_of_another_kind_is_malformed(rig, worker, status):
    rig.misbehave('answer', EXCHANGE, status=status)
    check(worker.fail(), 'exchange', 'answer-malformed', status)
