# SPDX-License-Identifier: LGPL-2.1-or-later
"""The simulator says what Quay says: the exchange and the token endpoint, case by case, asked with plain https."""

import base64
import http.client
import json
import time

import jwt
import pytest
from quaysim.client import EXCHANGE, Rig, basic

ROBOT = 'acme+edge'
UNKNOWN = 'Could not find robot with specified username'


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def claims_of(token):
    return jwt.decode(token, options={'verify_signature': False})


def bearer_of(reply):
    return claims_of(reply.json()['token'])


def says(reply, status, body):
    assert (reply.status, reply.type, reply.body) == (status, 'application/json',
                                                      (json.dumps(body, sort_keys=True, separators=(',', ':')) +
                                                       '\n').encode())


def message(reply, text):
    says(reply, 400, {'message': text})


def invalid(reply, text):
    message(reply, f'Invalid token: {text}')


def html_500(reply):
    assert (reply.status, reply.type) == (500, 'text/html')
    assert reply.text.startswith('<html>\n  <head>\n    <title>Internal Server Error</title>')


def html(reply, status):
    assert reply.status == status and reply.type == 'text/html' and '<html' in reply.text


def issuer_requests(rig):
    return [entry['path'] for entry in rig.requests(server='issuer')]


# The exchange: success

def test_a_good_jwt_gives_a_robot_token_and_nothing_else(rig):
    reply = rig.exchange()
    assert reply.status == 200 and reply.type == 'application/json'
    assert list(reply.json()) == ['token'] and reply.body.endswith(b'}\n')
    assert reply.headers['Cache-Control'] is None


def test_the_robot_token_is_a_signed_jwt_that_names_quay_the_robot_and_one_hour(rig):
    token = rig.exchange().json()['token']
    header, claims = jwt.get_unverified_header(token), claims_of(token)
    assert header['alg'] == 'RS256' and header['typ'] == 'JWT' and header['kid']
    assert (claims['iss'], claims['aud'], claims['sub'], claims['access']) == ('quay', rig.quay, ROBOT, {})
    assert claims['nbf'] == claims['iat'] and claims['exp'] - claims['iat'] == 3600
    assert claims['context']['entity_kind'] == 'robot' and claims['context']['version'] == 2
    assert 700 < len(token) < 1000


def test_lifetime_and_audience_of_robot_tokens_can_be_chosen(rig):
    rig.set_lifetime(60)
    rig.settings(server_hostname='quay.example.com:8443')
    claims = claims_of(rig.exchange().json()['token'])
    assert claims['exp'] - claims['iat'] == 60 and claims['aud'] == 'quay.example.com:8443'


def test_each_exchange_asks_the_issuer_once_for_discovery_and_once_for_keys_and_writes_one_row(rig):
    for _ in range(2):
        assert rig.exchange().status == 200
    assert issuer_requests(rig) == ['/.well-known/openid-configuration', '/keys'] * 2
    audit = rig.audit()
    assert audit['exchanges'] == 2 and audit['logins'] == 0
    row = audit['rows'][0]
    assert (row['robot'], row['issuer'], row['subject']) == (ROBOT, rig.issuer, rig.subject)


def test_a_new_token_does_not_revoke_the_old_one(rig):
    old = rig.exchange().json()['token']
    assert rig.exchange().status == 200
    assert rig.request('/v2/auth?service=x', user=ROBOT, password=old).status == 200


@pytest.mark.parametrize('token', [
    {'alg': 'RS256'}, {'alg': 'RS384'}, {'remove': ['nbf']}, {'claims': {'nbf': 4102444800}}, {'offset': -610},
    {'offset': 25}, {'claims': {'iat': 1700000000.5}}, {'lifetime': 10 ** 9}, {'claims': {'aud': ['x', 'quay']}}],
    ids=['RS256', 'RS384', 'no nbf', 'nbf in the future', 'expired 10 s ago', 'iat 25 s ahead', 'iat a float',
         'lives for decades', 'audience in a list'])
def test_jwts_that_quay_takes(rig, token):
    assert rig.exchange(rig.jwt(**token)).status == 200


def test_query_parameters_are_ignored(rig):
    assert rig.request(f'{EXCHANGE}?a=b', user=ROBOT, password=rig.jwt()).status == 200


def test_the_scheme_is_not_case_sensitive(rig):
    header = basic(ROBOT, rig.jwt()).replace('Basic', 'bASIC')
    assert rig.request(EXCHANGE, headers={'Authorization': header}).status == 200


def test_head_is_an_exchange_too(rig):
    reply = rig.exchange(method='HEAD')
    assert reply.status == 200 and reply.body == b'' and int(reply.headers['Content-Length']) > 700
    assert rig.audit()['exchanges'] == 1


@pytest.mark.parametrize('change', ['disabled owner', 'robots disallowed'])
def test_what_makes_a_token_useless_does_not_stop_the_exchange(rig, change):
    if change == 'disabled owner':
        rig.call('owner', name='acme', disabled=True)
    else:
        rig.settings(robots_disallow=True)
    reply = rig.exchange()
    assert reply.status == 200
    assert rig.request('/v2/auth?service=x', user=ROBOT, password=reply.json()['token']).status == 401


# The exchange: method, path and header

@pytest.mark.parametrize('header, text', [
    (None, 'No auth header'), ('', 'No auth header'), ('Bearer abc', 'Invalid basic auth header'),
    ('Basic', 'Invalid basic auth header'), ('Basic a b', 'Invalid basic auth header'),
    ('Basic abcde', 'Could not parse basic auth header'), ('Basic /w==', 'Could not parse basic auth header'),
    (f'Basic {encoded("nocolon")}', 'Unexpected number of credentials found in basic auth header'),
    (f'Basic {encoded("acme:jwt")}', 'Invalid robot')])
def test_header_errors_are_401(rig, header, text):
    says(rig.request(EXCHANGE, headers={} if header is None else {'Authorization': header}), 401, {'error': text})
    assert issuer_requests(rig) == []


@pytest.mark.parametrize('method', ['POST', 'PUT', 'PATCH', 'DELETE'])
def test_other_methods_are_405(rig, method):
    reply = rig.exchange(method=method)
    html(reply, 405)
    assert reply.headers['Allow'] == 'HEAD, OPTIONS, GET' and rig.audit()['exchanges'] == 0


@pytest.mark.parametrize('path', [f'{EXCHANGE}/', '/oauth2/federation/robot', '/'])
def test_other_paths_are_404(rig, path):
    html(rig.request(path, user=ROBOT, password=rig.jwt()), 404)


def test_a_quay_without_federation_knows_no_such_path(rig):
    rig.settings(federation=False)
    html(rig.exchange(), 404)


def test_a_header_line_beyond_8_kb_is_400(rig):
    reply = rig.exchange(rig.jwt({'padding': 'a' * 6000}))
    html(reply, 400)
    assert 'limit request headers fields size' in reply.text
    assert rig.exchange(rig.jwt({'padding': 'a' * 3500})).status == 200


# The exchange: robot, federation and JWT

@pytest.mark.parametrize('robot', ['acme+other', 'Acme+edge', 'acme+edge+', '+'])
def test_unknown_robots(rig, robot):
    message(rig.exchange(robot=robot), UNKNOWN)


def test_a_robot_without_federation(rig):
    rig.robot(ROBOT, federation=[])
    message(rig.exchange(), 'Robot does not have federated login configured')
    assert issuer_requests(rig) == []


@pytest.mark.parametrize('token, text', [
    ({'remove': ['iss']}, 'Token does not contain issuer'),
    ({'claims': {'iss': 'https://else.example'}}, 'issuer https://else.example not configured for this robot'),
    ({'claims': {'sub': 'host-2'}}, 'Token does not match robot'),
    ({'remove': ['sub']}, 'Token does not match robot')])
def test_jwts_that_do_not_fit_the_robot(rig, token, text):
    message(rig.exchange(rig.jwt(**token)), text)
    assert rig.audit()['exchanges'] == 0


def test_a_trailing_slash_makes_another_issuer(rig):
    slash = f'{rig.issuer}/'
    message(rig.exchange(rig.jwt({'iss': slash})), f'issuer {slash} not configured for this robot')
    rig.robot(ROBOT, federation=[rig.federation_entry(issuer=slash)])
    assert rig.exchange(rig.jwt({'iss': slash})).status == 200


@pytest.mark.parametrize('token, text', [
    ({'offset': -640}, 'Signature has expired'),
    ({'offset': 60}, 'Issued At claim (iat) cannot be in the future.'),
    ({'claims': {'iat': 'yesterday'}}, 'Issued At claim (iat) must be an integer.'),
    ({'claims': {'exp': 'tomorrow'}}, 'Expiration Time claim (exp) must be an integer.'),
    ({'remove': ['iat']}, 'Token is missing the "iat" claim'),
    ({'remove': ['exp']}, 'Token is missing the "exp" claim'),
    ({'claims': {'sub': 7}}, 'Subject must be a string'),
    ({'remove_header': ['kid']}, 'Missing `kid` header'),
    ({'tamper': True}, 'Signature verification failed'),
    ({'alg': 'RS512'}, 'The specified alg value is not allowed'),
    ({'alg': 'PS256'}, 'The specified alg value is not allowed'),
    ({'alg': 'none', 'key': 'rsa'}, 'The specified alg value is not allowed'),
    ({'claims': {'aud': 'other'}}, "Audience doesn't match"),
    ({'claims': {'aud': ['a', 'b']}}, "Audience doesn't match"),
    ({'remove': ['aud']}, 'Token is missing the "aud" claim')],
    ids=lambda value: value if isinstance(value, str) else None)
def test_jwts_that_are_invalid(rig, token, text):
    invalid(rig.exchange(rig.jwt(**token)), text)
    assert rig.audit()['exchanges'] == 0


def test_another_key_under_a_published_kid_is_a_bad_signature_and_the_keys_are_asked_for_twice(rig):
    kid = rig.call('state')['issuer']['published']['rsa']
    invalid(rig.exchange(rig.jwt(key='rsa-rogue', kid=kid)), 'Signature verification failed')
    assert issuer_requests(rig) == ['/.well-known/openid-configuration', '/keys', '/keys']


def test_no_audiences_in_the_entry_means_no_check_of_them(rig):
    rig.robot(ROBOT, federation=[rig.federation_entry(audiences=None)])
    assert rig.exchange(rig.jwt(remove=['aud'])).status == 200


def test_subjects_of_all_entries_count_but_audiences_of_the_last_alone(rig):
    rig.robot(ROBOT, federation=[rig.federation_entry(subject='a', audiences=['one']),
                                 rig.federation_entry(subject='b', audiences=['two'])])
    assert rig.exchange(rig.jwt({'sub': 'a', 'aud': 'two'})).status == 200
    invalid(rig.exchange(rig.jwt({'sub': 'a', 'aud': 'one'})), "Audience doesn't match")


def test_discovery_that_names_another_issuer(rig):
    rig.call('issuer', discovery={'issuer': 'https://else.example'})
    invalid(rig.exchange(), f"Issuer '{rig.issuer}' not in configured issuers: ['https://else.example']")


@pytest.mark.parametrize('token', ['', 'not-a-jwt', 'a.b.c', '....', 'é', {'payload': '[]'}, {'payload': '{"iss":'},
                                   {'claims': {'iat': []}}, {'alg': 'ES256'}, {'key': 'rsa-new'}, {'kid': 'unknown'}],
                         ids=str)
def test_mistakes_that_look_like_a_fault_of_the_server(rig, token):
    html_500(rig.exchange(rig.jwt(**token) if isinstance(token, dict) else token))


def test_an_issuer_without_tls_is_a_500(rig):
    plain = rig.issuer.replace('https', 'http')
    rig.robot(ROBOT, federation=[rig.federation_entry(issuer=plain)])
    html_500(rig.exchange(rig.jwt({'iss': plain})))


@pytest.mark.parametrize('action, path, parameters', [
    ('answer', '*/openid-configuration', {'status': 503}), ('answer', '*/openid-configuration', {'status': 404}),
    ('answer', '*/openid-configuration', {'body': 'no json'}), ('answer', '/keys', {'status': 500}),
    ('answer', '/keys', {'status': 204}), ('answer', '/keys', {'body': '<html>'}), ('reset', '/keys', {})])
def test_a_broken_issuer_is_a_500(rig, action, path, parameters):
    rig.misbehave(action, path, server='issuer', **parameters)
    html_500(rig.exchange())


def test_discovery_without_keys_is_a_500(rig):
    rig.call('issuer', discovery={'jwks_uri': None})
    html_500(rig.exchange())


def test_a_rotated_key_is_a_500_until_the_jwt_is_a_new_one(rig):
    old = rig.jwt()
    rig.call('rotate')
    html_500(rig.exchange(old))
    assert rig.exchange(rig.jwt()).status == 200


def test_a_rotated_key_that_is_still_published_does_no_harm(rig):
    old = rig.jwt()
    rig.call('rotate', keep_old=True)
    assert rig.exchange(old).status == rig.exchange(rig.jwt()).status == 200


@pytest.mark.parametrize('outage', ['refused', 'untrusted', 'expired', 'timeout', 'closed'])
@pytest.mark.parametrize('front_end', [None, 'nginx'])
def test_an_unreachable_issuer_leaves_no_answer_or_502(rig, outage, front_end):
    rig.settings(front_end=front_end, discovery_timeout=0.2)
    if outage == 'refused':
        rig.call('issuer', listening=False)
    elif outage in ('untrusted', 'expired'):
        rig.call('issuer', certificate=outage)
    else:
        rig.misbehave('hang' if outage == 'timeout' else 'close', '*/openid-configuration', server='issuer')
    if front_end:
        html(rig.exchange(), 502)
    else:
        with pytest.raises(http.client.RemoteDisconnected):
            rig.exchange()
    assert rig.audit()['exchanges'] == 0


def test_keys_that_hang_are_a_504_of_the_front_end(rig):
    rig.settings(front_end='nginx', gateway_timeout=0.2)
    rig.misbehave('hang', '/keys', server='issuer')
    html(rig.exchange(), 504)


def test_read_only_mode(rig):
    rig.settings(read_only=True)
    reply = rig.exchange()
    assert reply.status == 503 and reply.json()['is_readonly'] is True
    assert reply.json()['message'].startswith('System is currently read-only. ')


def test_a_clock_that_is_off_shows_in_date_tokens_and_checks(rig):
    rig.set_clock(-300)
    reply = rig.exchange(rig.jwt(offset=-300))
    assert abs(claims_of(reply.json()['token'])['iat'] - time.time() + 300) < 30
    date = time.mktime(time.strptime(reply.headers['Date'], '%a, %d %b %Y %H:%M:%S %Z')) - time.timezone
    assert abs(date - time.time() + 300) < 30
    invalid(rig.exchange(), 'Issued At claim (iat) cannot be in the future.')


# The token endpoint

def auth(rig, password=None, robot=ROBOT, query='', **parameters):
    user = {} if password is None else {'user': robot, 'password': password}
    return rig.request(f'/v2/auth?service={rig.quay}{query}', **user, **parameters)


def pull(repository):
    return f'&scope=repository:{repository}:pull'


def refused(rig, reply, text):
    says(reply, 401, {'errors': [{'code': 'UNAUTHORIZED', 'detail': {}, 'message': text}]})
    assert reply.headers['WWW-Authenticate'] == f'Bearer realm="https://{rig.quay}/v2/auth",service="{rig.quay}"'


def test_the_registry_tells_where_tokens_come_from(rig):
    reply = rig.request('/v2/')
    assert reply.status == 401
    assert reply.headers['WWW-Authenticate'] == f'Bearer realm="https://{rig.quay}/v2/auth",service="{rig.quay}"'


def test_a_robot_token_buys_a_bearer_token_that_the_registry_takes(rig):
    reply = auth(rig, rig.exchange().json()['token'], query=pull('acme/app'))
    assert reply.status == 200 and list(reply.json()) == ['token']
    assert reply.headers['Cache-Control'] == 'no-cache, no-store, must-revalidate'
    claims = bearer_of(reply)
    assert (claims['aud'], claims['sub'], claims['exp'] - claims['iat']) == (rig.quay, ROBOT, 3600)
    assert claims['access'] == [{'type': 'repository', 'name': 'acme/app', 'actions': ['pull']}]
    bearer = {'Authorization': f'Bearer {reply.json()["token"]}'}
    assert rig.request('/v2/', headers=bearer).status == 200
    assert rig.request('/v2/acme/app/manifests/latest', headers=bearer).status == 404
    assert rig.request('/v2/other/app/manifests/latest', headers=bearer).status == 401


@pytest.mark.parametrize('query', ['', '?service=elsewhere'])
def test_a_wrong_service_gives_a_token_that_is_useless(rig, query):
    reply = rig.request(f'/v2/auth{query}', user=ROBOT, password=rig.robot_token())
    assert reply.status == 200 and bearer_of(reply)['aud'] != rig.quay
    assert rig.request('/v2/', headers={'Authorization': f'Bearer {reply.json()["token"]}'}).status == 401


@pytest.mark.parametrize('query, rows', [('', 1), (pull('acme/app'), 0), (pull('acme/nothing'), 0), ('&scope=', 0)])
def test_only_asking_without_a_scope_counts_as_a_login(rig, query, rows):
    assert auth(rig, rig.robot_token(), query=query).status == 200
    assert rig.audit()['logins'] == rows


@pytest.mark.parametrize('scope, actions', [
    ('acme/app:pull', ['pull']), ('acme/app:pull,push', ['pull']), ('acme/app:push', []), ('acme/nothing:pull', []),
    ('other/app:pull', []), ('acme/public:pull', ['pull'])])
def test_missing_permission_shows_in_the_actions_alone(rig, scope, actions):
    reply = auth(rig, rig.robot_token(), query=f'&scope=repository:{scope}')
    assert reply.status == 200 and bearer_of(reply)['access'][0]['actions'] == actions


def test_permissions_of_a_robot_can_be_narrowed(rig):
    rig.robot(ROBOT, repositories=['other/app'])
    found = auth(rig, rig.robot_token(), query=pull('acme/app') + pull('other/app'))
    assert [grant['actions'] for grant in bearer_of(found)['access']] == [[], ['pull']]


@pytest.mark.parametrize('scope', ['nonsense', 'repository:acme/app', 'repository:acme/app:fly', 'registry:catalog:*'])
def test_a_scope_that_cannot_be_read_is_400(rig, scope):
    says(auth(rig, rig.robot_token(), query=f'&scope={scope}'), 400, {'errors': [
        {'code': 'INVALID_REQUEST', 'detail': {}, 'message': f'Unable to decode repository and actions: {scope}'}]})


def test_anonymous_with_a_scope_gets_what_is_public(rig):
    reply = auth(rig, query=pull('acme/public') + pull('acme/app'))
    assert reply.status == 200 and bearer_of(reply)['sub'] == '(anonymous)'
    assert [grant['actions'] for grant in bearer_of(reply)['access']] == [['pull'], []]


def test_anonymous_without_a_scope_is_refused(rig):
    refused(rig, auth(rig), 'access to the requested resource is not authorized')


def test_passwords_that_are_refused_with_401(rig):
    rig.robot('acme+second')
    refused(rig, auth(rig, rig.robot_token('acme+second')), 'Token does not match robot')
    wrong = f'Could not find robot with username: {ROBOT} and supplied password.'
    for password in ('', 'garbage', 'a.b.c'):
        refused(rig, auth(rig, password), wrong)
    refused(rig, auth(rig, rig.jwt(remove_header=['typ'])), wrong)
    refused(rig, auth(rig, rig.robot_token(), robot='acme+third'), UNKNOWN)
    refused(rig, auth(rig, headers={'Authorization': 'Basic x'}), 'Specified credentials are invalid')


def test_accounts_that_are_refused_with_401(rig):
    rig.call('owner', name='acme', disabled=True)
    refused(rig, auth(rig, rig.robot_token()), f'Robot {ROBOT} owner acme is disabled')
    rig.reset()
    rig.settings(robots_disallow=True)
    refused(rig, auth(rig, rig.robot_token()),
            'Robot account have been disabled. Please contact your administrator.')
    rig.settings(robots_exempt=[ROBOT])
    assert auth(rig, rig.robot_token()).status == 200


@pytest.mark.parametrize('kind', ['expired', 'tampered', 'foreign', 'wrong audience', 'too long', 'from tomorrow'])
def test_a_bad_jwt_as_password_is_a_500(rig, kind):
    token = rig.robot_token()
    password = {'expired': lambda: rig.robot_token(offset=-3640), 'tampered': lambda: token[:-12] + 'AAAAAAAAAAAA',
                'foreign': rig.jwt, 'wrong audience': lambda: rig.robot_token(audience='else'),
                'too long': lambda: rig.robot_token(lifetime=4000),
                'from tomorrow': lambda: rig.robot_token(offset=86400)}[kind]()
    html_500(auth(rig, password, query=pull('acme/public')))


def test_an_expired_token_has_30_seconds_of_grace(rig):
    assert auth(rig, rig.robot_token(offset=-3605)).status == 200


def test_the_static_token_of_a_robot_is_a_password_too(rig):
    assert auth(rig, rig.robot(ROBOT)['static_token'], query=pull('acme/app')).status == 200


# The federation API

def test_federation_is_configured_over_the_api_and_loses_audiences(rig):
    path, admin = '/api/v1/organization/acme/robots/new', {'Authorization': f'Bearer {rig.api_token}'}
    assert rig.request(path, 'PUT', headers=admin).status == 201
    assert rig.request(f'{path}/federation', headers=admin).json() == []
    entry = {'issuer': rig.issuer, 'subject': 'host-9'}
    body = json.dumps([{**entry, 'audiences': ['quay']}])
    assert rig.request(f'{path}/federation', 'POST', admin, body).json() == [entry]
    assert rig.exchange(rig.jwt({'sub': 'host-9', 'aud': 'any'}), 'acme+new').status == 200
    assert rig.request(f'{path}/federation').status == 403
    assert rig.request(f'{path}/federation', 'DELETE', admin).status == 204
    message(rig.exchange(robot='acme+new'), 'Robot does not have federated login configured')


@pytest.mark.parametrize('entries, text', [
    ([{'issuer': 'https://a'}], 'Missing one or more required fields (issuer, subject)'),
    ([{'issuer': 'a', 'subject': 'b'}], 'Issuer must be a URL (http:// or https://)'),
    ([{'issuer': 'https://a', 'subject': 'b'}] * 2, 'Duplicate federation config entry')])
def test_federation_entries_that_the_api_refuses(rig, entries, text):
    reply = rig.request('/api/v1/organization/acme/robots/edge/federation', 'POST',
                        {'Authorization': f'Bearer {rig.api_token}'}, json.dumps(entries))
    assert reply.status == 400 and reply.json()['error_message'] == text


def test_rigs_do_not_share_anything(rig, tmp_path):
    with Rig.start(tmp_path / 'second', '--no-registry', '--robot', 'org+one', '--robot', 'org+two') as second:
        assert second.robots == ['org+one', 'org+two'] and second.exchange().status == 200
        html_500(auth(rig, second.robot_token('org+one'), robot=ROBOT))
    assert rig.exchange().status == 200
