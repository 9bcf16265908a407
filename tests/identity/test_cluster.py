# SPDX-License-Identifier: LGPL-2.1-or-later
"""Secrets of a cluster, through the worker: each action, each condition, and each way in which it is refused."""

import base64
import json

import pytest
from cluster import ASKER, KEY, TYPE, Cluster
from quaysim.certificates import Authority
from workers import SLOW, secret_hash, worker  # noqa: F401

pytestmark = pytest.mark.limit(120)
NAME = 'quay-pull'
AUTHS = '{"auths":{"quay.example.com/acme":{"auth":"YWNtZStlZGdlOnRva2Vu"}}}'
OTHERS = '{"auths":{"quay.example.com/other":{"auth":"b3RoZXIrZWRnZTp0b2tlbg=="}}}'
LABELS = {'app.kubernetes.io/managed-by': 'pullauthd'}
ANNOTATIONS = {'pullauth.org/owner': 'edge-1/pods'}


@pytest.fixture
def api(rig):
    made = Cluster(rig)
    yield made
    made.close()
    assert made.complaints == []


def ask(api, action, secrets=None, settings=None, **cluster):
    with open(api.rig.ca, encoding='ascii') as file:
        ca = file.read()
    return {'kind': 'cluster', 'action': action, 'source': 'kubernetes', 'token': None, 'registry': None, 'robot': None,
            'exchange': None, 'scopes': None, 'audience': None, 'ca': None,
            'secrets': {'CAFile': ca, **({'TokenFile': ASKER} if secrets is None else secrets)},
            'settings': {'Server': api.url, 'Namespace': 'edge', **(settings or {})},
            'cluster': {'name': NAME, **cluster}}


def do(worker, api, action, **parameters):
    answer = worker.ask(**ask(api, action, **parameters))
    assert answer.get('well'), answer
    return answer


def read(worker, api):
    return do(worker, api, 'read', labels=dict.fromkeys(LABELS, ''), annotations=dict.fromkeys(ANNOTATIONS, '')) \
        .get('cluster')


def seen(found):
    return {'uid': found['uid'], 'version': found['version']}


def make(worker, api):
    do(worker, api, 'apply', labels=LABELS, annotations=ANNOTATIONS, data=AUTHS)
    return read(worker, api)


def test_a_secret_is_made_read_changed_and_removed(worker, api):
    assert read(worker, api) is None
    found = make(worker, api)
    assert found['type'] == TYPE and found['data_hash'] == secret_hash(AUTHS)
    assert (found['labels'], found['annotations']) == (LABELS, ANNOTATIONS)
    do(worker, api, 'apply', labels=LABELS, annotations=ANNOTATIONS, data=OTHERS, **seen(found))
    assert api.find(NAME).auths == json.loads(OTHERS)['auths']
    do(worker, api, 'remove', **seen(read(worker, api)))
    assert api.find(NAME) is None and api.writes() == ['PATCH', 'PATCH', 'DELETE']


def test_what_an_apply_does_not_name_any_more_goes_and_what_others_set_stays(worker, api):
    found = make(worker, api)
    api.put(NAME, {('metadata', 'labels', 'team'): 'a'})
    do(worker, api, 'apply', labels=LABELS, data=AUTHS, **seen(read(worker, api)))
    assert api.find(NAME).part('metadata', 'annotations') == {}
    assert api.find(NAME).part('metadata', 'labels') == {**LABELS, 'team': 'a'}
    assert api.find(NAME).metadata['uid'] == found['uid']


def test_a_patch_touches_nothing_but_its_key(worker, api):
    api.put(NAME, {('data', KEY): base64.b64encode(OTHERS.encode()).decode(), ('data', 'notes'): 'aGk='})
    do(worker, api, 'patch', data=AUTHS, **seen(read(worker, api)))
    assert api.find(NAME).part('data') == {KEY: base64.b64encode(AUTHS.encode()).decode(), 'notes': 'aGk='}


def test_nothing_is_told_of_a_secret_but_what_was_asked_for(worker, api):
    api.put(NAME, {('data', 'other'): 'aGk=', ('metadata', 'annotations', 'last-applied'): 'x' * 5000})
    assert read(worker, api) == {'name': NAME, 'type': TYPE, 'labels': {}, 'annotations': {}, 'data_hash': None,
                                 **seen(read(worker, api))}


def check(failure, reason, *words):
    assert (failure['step'], failure['reason'], failure['class']) == ('publication', reason, 'publish'), failure
    said = ' '.join(filter(None, (failure['message'], failure['hint'], failure['words'])))
    assert all(word in said for word in words), failure
    assert not any(secret in json.dumps(failure) for secret in (ASKER, 'YWNtZStlZGdl', AUTHS[:20])), failure
    return failure


def fail(worker, api, action, reason, *words, **parameters):
    return check(worker.fail(**ask(api, action, **parameters)), reason, *words)


@pytest.mark.parametrize('action, data', [('apply', OTHERS), ('patch', OTHERS), ('remove', None)])
def test_a_version_that_is_not_the_last_one_is_a_conflict(worker, api, action, data):
    found = make(worker, api)
    api.put_auths(NAME, {'quay.example.com': 'b3RoZXI6eA=='})
    failure = fail(worker, api, action, 'target-conflict', 'has been modified', data=data, **seen(found))
    assert failure['status'] == 409 and list(api.find(NAME).auths) == ['quay.example.com']
    del api.secrets[('edge', NAME)]
    if action == 'remove':
        do(worker, api, action, **seen(found))
    else:
        reason = 'target-conflict' if action == 'apply' else 'target-refused'
        fail(worker, api, action, reason, data=data, **seen(found))
    assert api.find(NAME) is None


def test_fields_of_another_manager_are_taken_only_from_an_object_that_was_ours(worker, api):
    api.put_auths(NAME, {'quay.example.com': 'b3RoZXI6eA=='})
    fail(worker, api, 'apply', 'target-conflict', 'kubectl-create', NAME, 'show-managed-fields', data=AUTHS)
    do(worker, api, 'apply', data=AUTHS, **seen(read(worker, api)))
    assert list(api.find(NAME).auths) == ['quay.example.com/acme']


@pytest.mark.parametrize('action, missing, words', [
    ('read', 'get', "'get'"), ('apply', 'create', "'create' and 'patch'"), ('apply', 'patch', "'create' and 'patch'"),
    ('patch', 'patch', "'patch'"), ('remove', 'delete', "'delete'")])
def test_a_missing_right_is_named(worker, api, action, missing, words):
    found = {} if missing == 'create' or action == 'apply' else seen(make(worker, api))
    api.rights.remove(missing)
    data = {} if action in ('read', 'remove') else {'data': AUTHS}
    fail(worker, api, action, 'target-refused', f'cannot {missing}', f"{words} 'secrets'", "'edge'", 'Role', **data,
         **found)


def test_a_credential_that_the_cluster_does_not_know(worker, api):
    fail(worker, api, 'read', 'target-refused', '401', 'TokenFile=', secrets={'TokenFile': 'an-old-token'})


def test_a_namespace_that_is_not_there(worker, api):
    settings = {'Namespace': 'nowhere'}
    assert 'cluster' not in do(worker, api, 'read', settings=settings)
    fail(worker, api, 'apply', 'target-refused', 'namespaces "nowhere" not found', 'Namespace=', settings=settings,
         data=AUTHS)


def test_an_immutable_secret(worker, api):
    found = make(worker, api)
    api.find(NAME).immutable = True
    fail(worker, api, 'apply', 'target-refused', '422', 'immutable', 'kubectl describe', data=OTHERS, **seen(found))


def test_a_not_found_of_no_api_server_is_not_taken_for_an_absent_secret(worker, api):
    api.misbehave('answer', status=404, body='{"message": "nothing here"}')
    fail(worker, api, 'read', 'target-refused', 'API server')


@pytest.mark.parametrize('action, parameters, reason', [
    ('oversize-body', {'size': 10 << 20}, 'target-unreachable'),
    ('oversize-body', {'size': 10 << 20, 'length': 'none'}, 'target-unreachable'),
    ('broken-json', {}, 'target-unreachable'), ('truncate', {}, 'target-unreachable'),
    ('reset', {}, 'target-unreachable'),
    ('answer', {'status': 500}, 'target-unreachable'), ('answer', {'status': 307}, 'target-refused'),
    ('answer', {'status': 429, 'headers': {'Retry-After': '7'}}, 'target-unreachable'),
    ('answer', {'status': 200, 'body': 'ok'}, 'target-unreachable'),
    ('answer', {'status': 200, 'body': '{"kind": "Secret"}'}, 'target-unreachable')], ids=str)
def test_answers_that_are_none(worker, api, action, parameters, reason):
    make(worker, api)
    api.misbehave(action, **parameters)
    failure = fail(worker, api, 'read', reason, api.address)
    assert failure['retry_after'] == (7 * 10**6 if parameters.get('status') == 429 else 0)


@pytest.mark.parametrize('action, parameters', [('hang', {}), ('drip', {'interval': 0.5})], ids=str)
def test_answers_that_never_end_do(worker, api, action, parameters):
    api.misbehave(action, **parameters)
    check(worker.fail(**{**ask(api, 'read'), 'timeout': int(1500 * SLOW)}), 'target-unreachable', 'in time')


def test_no_server_and_another_authority(worker, api):
    address = api.address
    fail(worker, api, 'read', 'target-unreachable', 'not trusted', 'CAFile=',
         secrets={'TokenFile': ASKER, 'CAFile': Authority('nobody').pem.decode()})
    api.listener.pause()
    fail(worker, api, 'read', 'target-unreachable', address)
    assert ASKER not in worker.said()


def test_a_client_certificate_and_one_that_fits_no_key(worker, rig):
    authority = Authority('clients of the cluster')
    key, certificate = (text.decode() for text in authority.client('edge-1'))
    api = Cluster(rig, authority.pem.decode())
    files = {'ClientKeyFile': key, 'ClientCertificateFile': certificate}
    assert 'cluster' not in do(worker, api, 'read', secrets=files)
    wrong = {**files, 'ClientKeyFile': authority.client('edge-2')[0].decode()}
    fail(worker, api, 'read', 'target-refused', 'ClientKeyFile=', secrets=wrong)
    api.close()


@pytest.mark.parametrize('changes', [
    {'cluster': {'name': '../x'}}, {'cluster': {}}, {'action': 'patch', 'cluster': {'name': NAME, 'data': AUTHS}},
    {'action': 'remove', 'cluster': {'name': NAME}}, {'action': 'apply', 'cluster': {'name': NAME}},
    {'action': 'remove', 'cluster': {'name': NAME, 'uid': 'u'}}], ids=str)
def test_requests_that_make_no_sense_are_refused_at_the_door(worker, api, changes):
    answer = worker.ask(**{**ask(api, 'read'), **changes})
    assert answer['error'] == 'org.freedesktop.DBus.Error.InvalidArgs' and api.asked == []
