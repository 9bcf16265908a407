# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauth-credential-provider with the real daemon, run as kubelet runs it: a request on standard input, an answer
that is decoded strictly. What is strict about it is written down here after k8s.io/kubelet, its package
credentialprovider/v1."""

import json
import re
import subprocess
import time

import pytest
from ctl_rig import SLOW
from fakeworker import failure
from rig import ROOT, STRANGER_UID, WRAPPER, as_user, program

API = 'credentialprovider.kubelet.k8s.io/v1'
QUAY = 'quay.example.com'
IMAGE = f'{QUAY}/acme/app:1'
SPAN = re.compile(r'(\d+(\.\d*)?|\.\d+)s')
# Member → type and whether it has to be there: CredentialProviderResponse, AuthConfig.
RESPONSE = {'apiVersion': (str, True), 'kind': (str, True), 'cacheKeyType': (str, True), 'cacheDuration': (str, False),
            'auth': (dict, False)}
AUTH = {'username': (str, True), 'password': (str, True)}


def login(user, password):
    return {'username': user, 'password': password}


def request(image=IMAGE, **more):
    return json.dumps({'apiVersion': API, 'kind': 'CredentialProviderRequest', 'image': image, **more})


def run(host, text, *arguments, uid=None, **environment):
    return subprocess.run([*WRAPPER, program(host.directory, 'pullauth-credential-provider'), *arguments], input=text,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=host.directory,
                          env=host.environment(**environment), timeout=60 * SLOW,
                          **({} if uid is None else as_user(uid)))


def only_once(pairs):
    assert len({key for key, _ in pairs}) == len(pairs), 'a member stands twice'
    return dict(pairs)


def check(value, members):
    assert set(value) <= set(members), f'kubelet knows no {set(value) - set(members)}'
    for name, (kind, needed) in members.items():
        assert isinstance(value[name], kind) if name in value else not needed, name


def decoded(text):
    """As kubelet does it; with the span in seconds."""
    answer = json.loads(text, object_pairs_hook=only_once)
    check(answer, RESPONSE)
    assert (answer['apiVersion'], answer['kind']) == (API, 'CredentialProviderResponse')
    assert answer['cacheKeyType'] in ('Image', 'Registry', 'Global')
    for entry in answer.get('auth', {}).values():
        check(entry, AUTH)
    span = SPAN.fullmatch(answer['cacheDuration'])
    return answer['cacheKeyType'], float(span.group(1)), answer.get('auth')


def answer(host, *arguments, **more):
    done = run(host, request(*arguments, **more))
    assert (done.returncode, done.stderr) == (0, ''), done
    return decoded(done.stdout)


def failed(host, text, words, **more):
    done = run(host, text, **more)
    assert (done.returncode, done.stdout) == (1, '') and words in done.stderr, done
    assert done.stderr.count('\n') == 1


def test_an_image_gets_the_credential_that_covers_it(edge):
    """Under its scope, and for this image alone: two robots of one registry never mix."""
    edge.job('app', robot='acme+app', more='Scopes=acme/app acme/base\n')
    edge.reload()
    edge.client.wait_job('app', State='fresh')
    kind, _, auth = answer(edge)
    assert kind == 'Image' and auth == {f'{QUAY}/acme/app': login('acme+app', edge.worker.tokens[-1])}
    for image in (f'{QUAY}/acme/apple', f'{QUAY}/acme/x@sha256:{"0" * 64}'):
        kind, _, auth = answer(edge, image)
        assert kind == 'Image' and auth == {f'{QUAY}/acme': login('acme+edge', edge.worker.tokens[0])}


@pytest.mark.parametrize('image', ['elsewhere.example.com/acme/app', f'{QUAY}.evil.example/acme/app', f'{QUAY}/acm/app',
                                   f'{QUAY}:8443/acme/app', 'busybox'])
def test_what_no_job_covers_has_no_credential_and_that_is_not_kept(edge, image):
    assert answer(edge, image) == ('Image', 0, None)


def test_it_is_kept_until_five_minutes_before_its_end(edge):
    """Never beyond, whatever the clock does while the plugin runs."""
    before, expires = time.time(), edge.client.job('edge', 'Expires') / 1e6
    _, span, _ = answer(edge)
    assert expires - 300 - time.time() - 1 <= span <= expires - 300 - before


def test_near_its_end_it_is_not_kept(host):
    host.standard()
    host.worker.lifetime = 290
    host.start()
    host.client.wait_job('edge', State='fresh')
    _, span, auth = answer(host)
    assert span == 0 and auth


def test_a_job_without_a_credential_is_a_failure_that_says_why(host):
    host.standard()
    host.worker.answer = lambda request: failure('robot-unknown', message='There is no such robot')
    host.start()
    host.client.wait_job('edge', State='failed')
    failed(host, request(), 'There is no such robot')


@pytest.mark.parametrize('text, words', [
    ('', 'no JSON object'), (request()[:-1], 'no JSON object'), (request() + '{}', 'no JSON object'),
    (request().replace('/v1"', '/v1beta1"'), 'set apiVersion: credentialprovider.kubelet.k8s.io/v1 in'),
    (request('../x'), 'no reference of an image')])
def test_what_is_no_request_is_a_failure(edge, text, words):
    failed(edge, text, words)


def test_too_much_is_a_failure(edge):
    failed(edge, request() + ' ' * 300000, 'File too large')


def test_arguments_are_refused(edge):
    assert run(edge, request(), 'get').returncode == 1
    assert run(edge, '', '--version').stdout.startswith('pullauth-credential-provider ')
    assert 'Usage' not in run(edge, '', '--help').stderr


def test_a_daemon_that_is_not_there_is_a_failure(edge):
    edge.stop()
    failed(edge, request(), 'pullauthd is not running')
    failed(edge, request(), 'Cannot talk to the system bus', DBUS_SYSTEM_BUS_ADDRESS='unix:path=/nowhere')


@pytest.mark.skipif(not ROOT, reason='calls as several users can be made by root alone')
def test_whoever_is_not_root_needs_polkit(edge):
    failed(edge, request(), 'org.pullauth1.read-credential', uid=STRANGER_UID)
