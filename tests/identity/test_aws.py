# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source=aws against a metadata service and a token service that are strict, and that go wrong in every way."""

import datetime
import hashlib
import hmac
import itertools
import re

import pytest
from metadata_service import Service as Metadata, to_json
from quaysim.answers import Answer
from service import Service, form_of
from workers import SLOW, worker  # noqa: F401

pytestmark = pytest.mark.limit(120)
ROLES = '/latest/meta-data/iam/security-credentials/'
REGION, ROLE, SESSION = 'eu-central-1', 'quay+edge@site', 'IMDS-session/+=='
KEY_ID, KEY, TOKEN = 'ASIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', 'IQoJb3JpZ2luX2Vj/+EXAMPLE=='


class Instance(Metadata):
    """IMDSv2: nothing without a session."""

    def __init__(self):
        super().__init__(self.tell)
        self.roles, self.answers = [ROLE], {}

    def tell(self, question):
        if question.query:
            return self.complain(f'a query: {question.target}')
        if question.path in self.answers:
            return self.answers[question.path]
        if question.path == '/latest/api/token':
            if question.method != 'PUT' or question.header('X-aws-ec2-metadata-token-ttl-seconds') != '60':
                return self.complain('no lifetime of the session')
            return 200, {}, SESSION.encode()
        if question.method != 'GET' or question.header('X-aws-ec2-metadata-token') != SESSION:
            return self.complain(f'no session: {question.target}', 401)
        if question.path == ROLES:
            return (200, {}, '\n'.join(self.roles).encode()) if self.roles else (404, {}, b'<html>Not Found</html>')
        if question.path.replace('%2B', '+').replace('%40', '@') == ROLES + ROLE:
            return to_json(200, {'Code': 'Success', 'LastUpdated': '2026-11-26T05:00:00Z', 'Type': 'AWS-HMAC',
                                 'AccessKeyId': KEY_ID, 'SecretAccessKey': KEY, 'Token': TOKEN,
                                 'Expiration': '2026-11-26T11:00:00Z'})
        if question.path == '/latest/meta-data/placement/region':
            return 200, {}, REGION.encode()
        return self.complain(question.target)


def signature_of(request, names, scope):
    """As AWS describes Signature Version 4, from what came over the wire."""
    lines = [f'{name}:{" ".join(request.header(name).split())}' for name in names]
    canonical = '\n'.join([request.method, request.target, '', *lines, '', ';'.join(names),
                           hashlib.sha256(request.body).hexdigest()])
    text = '\n'.join(['AWS4-HMAC-SHA256', request.header('X-Amz-Date'), scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = f'AWS4{KEY}'.encode()
    for part in scope.split('/'):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def is_recent(stamp):
    """As AWS has it: of the last or next fifteen minutes. The day may be another one by now."""
    try:
        signed = datetime.datetime.strptime(stamp, '%Y%m%dT%H%M%SZ')
    except ValueError:
        return False
    return abs(datetime.datetime.utcnow() - signed) < datetime.timedelta(minutes=15)


def xml(status, text):
    return Answer(status, text, 'text/xml')


def refusal(status, code, message='said by the service'):
    return xml(status, '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
                       f'<Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>')


class Sts(Service):
    def __init__(self, rig):
        super().__init__(rig)
        self.seconds, self.answer = '300', None

    def decide(self, request):
        if (request.method, request.target) != ('POST', '/'):
            return self.complain(f'{request.method} {request.target}')
        found = re.fullmatch(r'AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)',
                             request.header('Authorization') or '')
        if not found:
            return self.complain('not signed')
        key_id, scope, names, signature = found.groups()
        names = names.split(';')
        stamp = request.header('X-Amz-Date') or ''
        if not is_recent(stamp):
            return self.complain(f'signed at {stamp}')
        if key_id != KEY_ID or scope != f'{stamp[:8]}/{REGION}/sts/aws4_request':
            return self.complain(f'signed for {scope}')
        if not {'host', 'x-amz-date', 'x-amz-security-token'} <= set(names) or names != sorted(names):
            return self.complain(f'not all is signed: {names}')
        if request.header('X-Amz-Security-Token') != TOKEN or not hmac.compare_digest(
                signature, signature_of(request, names, scope)):
            return self.complain('SignatureDoesNotMatch')
        if form_of(request) != {'Action': 'GetWebIdentityToken', 'Version': '2011-06-15', 'SigningAlgorithm': 'RS256',
                                'Audience.member.1': self.rig.audience, 'DurationSeconds': self.seconds}:
            return self.complain('other fields than expected')
        return self.answer or self.token(self.rig.jwt())

    @staticmethod
    def token(text):
        return xml(200, '<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n'
                        f'  <GetWebIdentityTokenResult>\n    <WebIdentityToken>{text}</WebIdentityToken>\n'
                        '    <Expiration>2026-11-26T06:00:00Z</Expiration>\n  </GetWebIdentityTokenResult>\n'
                        '</GetWebIdentityTokenResponse>\n')


@pytest.fixture
def instance():
    made = Instance()
    yield made
    made.close()
    assert made.complaints == []


@pytest.fixture
def sts(rig):
    made = Sts(rig)
    yield made
    made.close()
    assert made.complaints == []


def ask(instance, sts, **settings):
    with open(sts.rig.ca, encoding='ascii') as file:
        ca = file.read()
    return {'source': 'aws', 'token': None, 'secrets': {'CAFile': ca},
            'settings': {'MetadataServer': instance.url, 'STSEndpoint': sts.url, **settings}}


def test_the_token_of_the_role_is_the_identity(rig, worker, instance, sts):
    answer = worker.obtain(**ask(instance, sts))
    assert answer['claims']['issuer'] == rig.issuer
    assert [question.method for question in instance.asked] == ['PUT', 'GET', 'GET', 'GET'] and len(sts.asked) == 1


def test_a_region_that_is_named_is_not_asked_for(worker, instance, sts):
    worker.obtain(**ask(instance, sts, Region=REGION))
    assert len(instance.asked) == 3


@pytest.mark.parametrize('seconds', ['600', '3600'])
def test_a_lifetime_is_asked_for(worker, instance, sts, seconds):
    sts.seconds = seconds
    worker.obtain(**ask(instance, sts, Lifetime=f'{seconds}000000'))


@pytest.mark.parametrize('status, code, reason, hint', [
    (403, 'AccessDenied', 'identity-source-refused', 'Allow sts:GetWebIdentityToken'),
    (403, 'OutboundWebIdentityFederationDisabled', 'identity-source-refused', 'Enable outbound identity federation'),
    (400, 'RequestExpired', 'identity-source-refused', 'clock'),
    (403, 'SignatureDoesNotMatch', 'identity-source-refused', 'clock'),
    (400, 'ExpiredToken', 'identity-source-refused', 'renewed'),
    (403, 'InvalidClientTokenId', 'identity-source-refused', 'Region='),
    (400, 'JWTPayloadSizeExceeded', 'identity-source-refused', 'tags'),
    (400, 'InvalidAction', 'identity-source-refused', 'regional'),
    (503, 'ServiceUnavailable', 'identity-source-failed', ''),
])
def test_refusals_of_the_token_service(worker, instance, sts, status, code, reason, hint):
    sts.answer = refusal(status, code)
    failure = worker.fail(**ask(instance, sts))
    assert (failure['reason'], failure['step'], failure['status']) == (reason, 'identity', status)
    assert failure['words'] == f'{code}: said by the service' and hint in failure['hint']


@pytest.mark.parametrize('secret', [KEY, TOKEN, KEY_ID])
def test_words_that_repeat_a_key_are_not_shown(worker, instance, sts, secret):
    sts.answer = refusal(403, 'AccessDenied', f'who are you, {secret}?')
    failure = worker.fail(**ask(instance, sts))
    assert secret not in str(failure) and secret not in worker.said()


def test_no_role_is_attached(worker, instance, sts):
    instance.roles = []
    failure = worker.fail(**ask(instance, sts))
    assert failure['reason'] == 'identity-source-refused' and 'Attach an IAM role' in failure['hint']


@pytest.mark.parametrize('path', ['/latest/api/token', ROLES, ROLES + 'quay%2Bedge%40site',
                                  '/latest/meta-data/placement/region'])
@pytest.mark.parametrize('answer, reason', ids=itertools.count(), argvalues=[
    ((200, {}, b''), 'identity-source-failed'),
    ((200, {}, b'two words\r\nX-Evil: 1'), 'identity-source-failed'),
    ((200, {}, b'{"AccessKeyId": "a", "SecretAccessKey": "b\\n", "Token": "c"}'), 'identity-source-failed'),
    ((200, {}, b'x' * 10_000_000), 'identity-source-failed'),
    ((200, {}, itertools.repeat(b'x' * 4096)), 'identity-source-failed'),
    ((403, {}, b''), 'identity-source-refused'),
    ((500, {}, b''), 'identity-source-failed'),
    ((503, {'Retry-After': '7'}, b''), 'rate-limited'),
])
def test_answers_of_the_metadata_service_that_are_no_use(worker, instance, sts, path, answer, reason):
    instance.answers[path] = answer
    failure = worker.fail(**ask(instance, sts))
    assert (failure['reason'], failure['step']) == (reason, 'identity') and not sts.asked


@pytest.mark.parametrize('answer, reason', [
    (xml(200, ''), 'identity-source-failed'),
    (xml(200, '<WebIdentityToken>'), 'identity-source-failed'),
    (xml(200, '<WebIdentityToken></WebIdentityToken>'), 'identity-source-failed'),
    (Sts.token('not a token'), 'token-malformed'),
])
def test_answers_of_the_token_service_that_are_no_use(worker, instance, sts, answer, reason):
    sts.answer = answer
    assert worker.fail(**ask(instance, sts))['reason'] == reason


@pytest.mark.parametrize('action, parameters, reason', [
    ('close', {'after': 'request'}, 'connection-lost'),
    ('oversize-body', {'size': 10_000_000, 'length': 'none'}, 'identity-source-failed'),
    ('hang', {'after': 'headers'}, 'timeout'),
])
def test_a_token_service_that_misbehaves(worker, instance, sts, action, parameters, reason):
    sts.misbehave(action, **parameters)
    failure = worker.fail(**ask(instance, sts), timeout=int(1500 * SLOW))
    assert (failure['reason'], failure['step']) == (reason, 'identity')


def test_a_host_that_is_in_no_cloud(worker, instance, sts):
    settings = ask(instance, sts)
    instance.close()
    failure = worker.fail(**settings)
    assert failure['reason'] == 'connection-failed' and 'runs in the cloud' in failure['hint']
