# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source=gce and Source=azure against metadata services that are strict, and that go wrong in every way."""

import itertools
import threading
import time

import pytest
from metadata_service import Service, to_json
from workers import SLOW, worker  # noqa: F401

pytestmark = pytest.mark.limit(120)
GCE = '/computeMetadata/v1/instance/service-accounts/'
CLIENT = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'


class Google(Service):
    def __init__(self, rig):
        super().__init__(self.token)
        self.rig, self.accounts = rig, ['default']

    def token(self, question):
        if question.header('Metadata-Flavor') != 'Google':
            return self.complain('no Metadata-Flavor', 403)
        account, _, rest = question.path.removeprefix(GCE).partition('/')
        if question.method != 'GET' or not question.path.startswith(GCE) or rest != 'identity':
            return self.complain(question.target)
        if question.query != [('audience', self.rig.audience), ('format', 'full')]:
            return self.complain(f'another query: {question.query}')
        if account not in self.accounts:
            return 404, {}, b'<title>Error 404 (Not Found)!!1</title>'
        return 200, {'Metadata-Flavor': 'Google', 'Content-Type': 'text/html'}, self.rig.jwt().encode()


class Azure(Service):
    resource = 'api://quay & co'

    def __init__(self, rig):
        super().__init__(self.token)
        self.rig, self.more = rig, []

    def token(self, question):
        if question.header('Metadata') != 'true' or question.header('X-Forwarded-For'):
            return self.complain('no Metadata: true')
        if (question.method, question.path) != ('GET', '/metadata/identity/oauth2/token'):
            return self.complain(question.target)
        if question.query[:2] != [('api-version', '2018-02-01'), ('resource', self.resource)]:
            return self.complain(f'another query: {question.query}')
        if question.query[2:] != self.more:
            return to_json(400, {'error': 'invalid_request', 'error_description': 'Identity not found'})
        return to_json(200, {'access_token': self.rig.jwt(), 'refresh_token': '', 'expires_in': '3599',
                             'expires_on': str(int(time.time()) + 3599), 'resource': self.resource,
                             'token_type': 'Bearer'})


@pytest.fixture(params=[Google, Azure])
def cloud(request, rig):
    """Each of them in its turn."""
    yield from serve(request.param(rig))


@pytest.fixture
def google(rig):
    yield from serve(Google(rig))


@pytest.fixture
def azure(rig):
    yield from serve(Azure(rig))


def serve(service):
    yield service
    service.close()
    assert service.complaints == []


def ask(service, **settings):
    if isinstance(service, Azure):
        settings.setdefault('Resource', service.resource)
    return {'source': 'azure' if isinstance(service, Azure) else 'gce', 'token': None,
            'settings': {'MetadataServer': service.url, **settings}}


def test_the_token_is_the_identity(rig, worker, cloud):
    answer = worker.obtain(**ask(cloud))
    assert answer['claims']['issuer'] == rig.issuer and len(cloud.asked) == 1


def test_it_is_asked_for_anew_at_each_attempt(worker, cloud):
    worker.obtain(**ask(cloud))
    worker.obtain(**ask(cloud))
    assert len(cloud.asked) == 2


def test_no_proxy_of_the_job_comes_between(worker, cloud):
    """The job's proxy is for the registry, and this one would take nobody anywhere."""
    answer = worker.ask(**ask(cloud), kind='explain', proxy='http://127.0.0.1:9')
    assert answer['well'] and len(cloud.asked) == 1


def test_a_service_account_is_named(worker, google):
    google.accounts = ['quay@project.iam.gserviceaccount.com']
    worker.obtain(**ask(google, ServiceAccount='quay@project.iam.gserviceaccount.com'))


@pytest.mark.parametrize('settings, hint', [({}, 'Attach a service account'),
                                            ({'ServiceAccount': 'a/b?c'}, 'ServiceAccount=')])
def test_no_service_account_is_attached(worker, google, settings, hint):
    google.accounts = []
    failure = worker.fail(**ask(google, **settings))
    assert (failure['reason'], failure['step']) == ('identity-source-refused', 'identity') and hint in failure['hint']


@pytest.mark.parametrize('key, name', [('ClientID', 'client_id'), ('ObjectID', 'object_id'),
                                       ('ManagedIdentity', 'msi_res_id')])
def test_one_of_several_managed_identities(worker, azure, key, name):
    value = '/subscriptions/a b/c' if key == 'ManagedIdentity' else CLIENT
    azure.more = [(name, value)]
    worker.obtain(**ask(azure, **{key: value}))


def test_no_managed_identity_is_assigned(worker, azure):
    azure.more = [('client_id', CLIENT)]
    failure = worker.fail(**ask(azure))
    assert failure['reason'] == 'identity-source-refused' and 'Identity not found' in failure['words']
    assert 'ClientID=' in failure['hint'] and 'Resource=' in failure['hint']


@pytest.mark.parametrize('status', [404, 410, 429, 500, 503])
def test_a_metadata_service_that_azure_renews_is_asked_again_soon(worker, azure, status):
    azure.decide = lambda _: to_json(status, {'error': 'x', 'error_description': 'later'})
    failure = worker.fail(**ask(azure))
    assert failure['reason'] == ('rate-limited' if status == 429 else 'identity-source-failed')
    assert failure['status'] == status and 'later' in failure['words']


def test_a_token_for_another_audience_names_both_keys(rig, worker, azure):
    azure.decide = lambda _: to_json(200, {'access_token': rig.jwt({'aud': 'other'})})
    failure = worker.fail(**ask(azure))
    assert failure['reason'] == 'token-audience' and 'Resource=' in failure['hint'] and 'Audience=' in failure['hint']


@pytest.mark.parametrize('answer, reason', ids=itertools.count(), argvalues=[
    ((200, {}, b''), 'token-empty'),
    ((200, {}, b'<html>login</html>'), 'token-malformed'),
    ((200, {}, b'{}'), 'identity-source-failed'),
    ((200, {}, b'{"access_token": "a'), 'identity-source-failed'),
    ((200, {}, b'{"access_token": 7}'), 'identity-source-failed'),
    ((200, {}, b'x' * 10_000_000), 'identity-source-failed'),
    ((200, {}, itertools.repeat(b'x' * 4096)), 'identity-source-failed'),
    ((200, {f'X-{n}': 'x' * 1000 for n in range(90)}, b''), 'identity-source-failed'),
    ((204, {}, b''), 'identity-source-failed'),
    ((302, {'Location': 'http://127.0.0.1:9/'}, b''), 'identity-source-refused'),
    ((403, {}, b''), 'identity-source-refused'),
    ((500, {}, b'x' * 10_000_000), 'identity-source-failed'),
    ((503, {'Retry-After': '7'}, b''), 'rate-limited'),
])
def test_answers_that_are_no_use(worker, cloud, answer, reason):
    cloud.decide = lambda _: answer
    failure = worker.fail(**ask(cloud))
    assert (failure['reason'], failure['step']) == (reason, 'identity')


def test_a_host_that_is_in_no_cloud(worker, cloud):
    settings = ask(cloud)
    cloud.close()
    failure = worker.fail(**settings)
    assert (failure['reason'], failure['step']) == ('connection-failed', 'identity')
    assert 'runs in the cloud that Source= of the identity names' in failure['hint']


@pytest.mark.parametrize('body', [[], itertools.repeat(b'x')])
def test_what_never_ends_has_its_time(worker, cloud, body):
    """Nothing, or a drop now and then: the request is over in its time, and the connection with it."""
    gone = threading.Event()

    def drip():
        for piece in body:
            yield piece
            if gone.wait(0.05):
                return
        gone.wait(60)
    cloud.decide = lambda _: (200, {}, drip())
    failure = worker.fail(**ask(cloud), timeout=int(1000 * SLOW))
    gone.set()
    assert (failure['reason'], failure['step']) == ('timeout', 'identity')
