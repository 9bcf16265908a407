# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers and networks that misbehave: each request ends in the right class, within its time, with bounded memory."""

import base64
import os
import socket
import tempfile

import pytest
from quaysim.client import EXCHANGE
from sleeper import sleeper  # noqa: F401
from test_worker import other_authority
from test_worker_failures import check
from workers import SLOW, Worker, worker  # noqa: F401

pytestmark = pytest.mark.limit(90)

STEPS = [('exchange', EXCHANGE), ('verification', '/v2/'), ('verification', '/v2/auth')]
SHORT = int(1500 * SLOW)  # milliseconds, for what would never end by itself


def each_step(function):
    return pytest.mark.parametrize('step, path', STEPS, ids=['exchange', 'challenge', 'token-endpoint'])(function)


def bad_certificates():
    return [('expired', 'tls-certificate-dates'), ('not-yet-valid', 'tls-certificate-dates'),
            ('wrong-name', 'tls-host-mismatch'), ('untrusted', 'tls-untrusted')]


# TLS

@pytest.mark.parametrize('certificate, reason', bad_certificates())
def test_certificates_that_are_not_good(rig, worker, certificate, reason):
    """siderolabs/talos#13505, pendulum-project/ntpd-rs#1428, jpirnay/witchhunt-reader#174: dates that did not fit
    spoiled all trust, for good. Here they are a matter of the clock, and of this one connection."""
    rig.call('quay', certificate=certificate)
    failure = worker.fail()
    check(failure, 'exchange', reason)
    assert rig.quay in failure['message'] and '/proc' not in failure['words'] and rig.requests() == []


def test_a_certificate_of_an_authority_that_the_host_does_not_know(rig, worker):
    check(worker.fail(ca=None), 'exchange', 'tls-untrusted')


def test_a_ca_file_without_certificates_trusts_nobody(rig, worker):
    for ca in ('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'nothing at all\n'):
        assert worker.fail(ca=ca)['class'] == 'tls'


def test_the_host_s_own_store_is_not_trusted_beside_a_given_authority(rig, worker):
    """In a mount namespace of its own, for the store has to hold the authority of the rig."""
    if os.geteuid() != 0:
        pytest.skip('needs root for a mount namespace')
    store = '/etc/ssl/certs' if os.path.isdir('/etc/ssl/certs') else '/etc/pki/tls/certs'
    bundle = 'ca-certificates.crt' if store.startswith('/etc/ssl') else 'ca-bundle.crt'
    with tempfile.TemporaryDirectory(prefix='pullauth-store-') as directory:
        script = (f'mount -t tmpfs none {store} && cp "$1" {store}/{bundle} && cp "$1" {store}/rig.pem && '
                  f'chmod 0755 {store} && chmod 0644 {store}/* && shift && exec "$@"')
        with Worker(directory, rig, prefix=['unshare', '-m', '--', 'sh', '-ec', script, 'sh', rig.ca]) as running:
            running.obtain(ca=None)
            check(running.fail(ca=other_authority().decode()), 'exchange', 'tls-untrusted')
            running.obtain()


def test_a_port_that_speaks_no_tls(rig, worker):
    rig.misbehave('raw', '@connect', data_base64=base64.b64encode(b'HTTP/1.1 400 Bad Request\r\n\r\n').decode())
    check(worker.fail(), 'exchange', 'tls-failed')


@pytest.mark.parametrize('action', ['close', 'reset'])
def test_a_connection_that_ends_before_tls(rig, worker, action):
    rig.misbehave(action, '@connect')
    failure = worker.fail()
    # A reset may come before the connection counts as made.
    assert failure['reason'] in ('connection-lost', 'connection-failed')[:1 + (action == 'reset')], failure


def test_a_port_that_says_nothing(rig, worker):
    rig.misbehave('hang', '@connect')
    check(worker.fail(timeout=SHORT), 'exchange', 'timeout')


# The network

def test_nobody_listens(rig, worker):
    rig.call('quay', listening=False)
    failure = worker.fail()
    check(failure, 'exchange', 'connection-failed')
    assert rig.quay in failure['message']


def test_a_name_that_does_not_exist(rig, worker):
    failure = worker.fail(registry='does-not-exist.invalid', scopes=None)
    assert (failure['step'], failure['reason'], failure['class']) == ('exchange', 'name-resolution', 'transport')


def test_a_resolver_that_is_silent_holds_up_nobody(rig):
    """Its thread goes on waiting; neither the timeout of that request nor other requests wait for it."""
    if os.geteuid() != 0:
        pytest.skip('needs root for a mount namespace')
    with tempfile.TemporaryDirectory(prefix='pullauth-resolver-') as directory, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(('127.0.0.9', 53))
        with open(os.path.join(directory, 'resolv.conf'), 'w', encoding='ascii') as file:
            file.write('nameserver 127.0.0.9\noptions timeout:30 attempts:5\n')
        with open(os.path.join(directory, 'nsswitch.conf'), 'w', encoding='ascii') as file:
            file.write('hosts: files dns\n')
        script = f'for f in resolv nsswitch; do mount --bind {directory}/$f.conf /etc/$f.conf; done; exec "$@"'
        with Worker(directory, rig, prefix=['unshare', '-m', '--', 'sh', '-ec', script, 'sh']) as running:
            nowhere = {'registry': 'silent.example', 'scopes': None}
            question = running.question(running.request(id=1, **nowhere), running.request(id=2))
            answer = question.answer()
            assert answer['id'] == 2 and 'credential' in answer
            assert running.fail(id=3, timeout=SHORT, **nowhere)['reason'] == 'timeout'
            question.vanish()
            running.obtain(id=4)


# HTTP

@each_step
@pytest.mark.parametrize('after', ['request', 'headers', 'body'])
@pytest.mark.parametrize('action', ['close', 'reset'])
def test_connections_that_end(rig, worker, step, path, action, after):
    rig.misbehave(action, path, after=after)
    failure = worker.fail()
    # Of a connection that is ended before a byte of the answer came, the registry itself is the reason.
    reason = 'registry-closed' if after == 'request' else 'connection-lost'
    assert (failure['step'], failure['reason']) == (step, reason), failure


def fail_there(rig, sleeper, path):
    """The time of the request is over once it has come that far, however long it took to come there."""
    question = sleeper.question(sleeper.request())
    rig.requests(path, at_least=1)
    sleeper.clock.suspend(3600)
    answer, = question.answers()
    return answer['failure']


@each_step
@pytest.mark.parametrize('after', ['request', 'headers', 'body'])
def test_answers_that_never_end(rig, sleeper, step, path, after):
    rig.misbehave('hang', path, after=after)
    check(fail_there(rig, sleeper, path), step, 'timeout')


@each_step
def test_a_drip_ends_with_the_time_of_the_whole_request(rig, sleeper, step, path):
    rig.misbehave('drip', path, interval=0.3)
    check(fail_there(rig, sleeper, path), step, 'timeout')


@each_step
def test_a_server_that_is_slow_is_waited_for(rig, worker, step, path):
    rig.misbehave('delay', path, seconds=0.5)
    worker.obtain()


@each_step
def test_a_quick_drip_is_put_together(rig, worker, step, path):
    rig.misbehave('drip', path, chunk=7, interval=0.0005)
    worker.obtain()


@each_step
def test_bodies_that_are_cut_off(rig, worker, step, path):
    rig.misbehave('truncate', path)
    assert worker.fail()['reason'] == 'connection-lost'


@pytest.mark.parametrize('step, path', [STEPS[0], STEPS[2]])
def test_json_that_is_broken(rig, worker, step, path):
    rig.misbehave('broken-json', path)
    check(worker.fail(), step, 'answer-malformed', 200)


@each_step
@pytest.mark.parametrize('length', ['declared', 'chunked', 'none'])
def test_bodies_without_measure(rig, worker, step, path, length):
    rig.misbehave('oversize-body', path, length=length)
    failure = worker.fail()
    assert (failure['step'], failure['reason'], failure['class']) == (step, 'answer-too-large', 'registry')


@each_step
@pytest.mark.parametrize('size, number', [(1 << 20, 1), (1000, 500), (60000, 1)])
def test_headers_without_measure(rig, worker, step, path, size, number):
    rig.misbehave('oversize-headers', path, size=size, number=number)
    failure = worker.fail()
    assert (failure['step'], failure['reason'], failure['class']) == (step, 'answer-too-large', 'registry')


@each_step
@pytest.mark.parametrize('data', [b'SSH-2.0-OpenSSH_9.2\r\n', b'\0' * 100, b'HTTP/1.1 200\r\nNo',
                                  b'HTTP/9.9 200 OK\r\n\r\n',
                                  b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n',
                                  b'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n'])
def test_what_is_no_http(rig, worker, step, path, data):
    rig.misbehave('raw', path, data_base64=base64.b64encode(data).decode())
    failure = worker.fail()
    assert (failure['step'], failure['reason'], failure['status'] > 0) == (step, 'connection-lost', b'1 200' in data)


@each_step
@pytest.mark.parametrize('target', ['https://{else_}/x', 'http://{else_}/x', 'file:///etc/passwd', '/v2/elsewhere'])
@pytest.mark.parametrize('status', [301, 307])
def test_redirections_are_not_followed(rig, worker, step, path, target, status):
    other = rig.issuer.split('//')[1]
    rig.misbehave('answer', path, status=status, headers={'Location': target.format(else_=other)})
    check(worker.fail(), step, 'registry-redirected', status)
    arrived = [(entry['server'], entry['path']) for entry in rig.requests()]
    assert ('issuer', '/x') not in arrived and ('quay', '/v2/elsewhere') not in arrived


@each_step
@pytest.mark.parametrize('status, headers, reason', [
    (429, {}, 'rate-limited'), (503, {'Retry-After': '30'}, 'rate-limited'), (503, {}, 'registry-error'),
    (500, {}, 'registry-error'), (502, {}, 'registry-closed'), (504, {}, 'registry-closed')])
def test_trouble_of_the_server_at_every_step(rig, worker, step, path, status, headers, reason):
    rig.misbehave('answer', path, status=status, headers=headers)
    failure = worker.fail()
    check(failure, step, reason, status)
    assert failure['retry_after'] == (30 * 10 ** 6 if headers else 0)


def test_content_types_are_not_believed(rig, worker):
    for kind in ('text/html', 'application/octet-stream', ''):
        rig.misbehave('change', EXCHANGE, count=1, content_type=kind)
        worker.obtain()


def test_compression_that_nobody_asked_for_is_not_unpacked(rig, worker):
    rig.misbehave('change', EXCHANGE, headers={'Content-Encoding': 'gzip'}, body_base64='H4sIAAAAAAAAAwMAAAAAAAAAAAA=')
    check(worker.fail(), 'exchange', 'answer-malformed', 200)


def test_a_connection_that_the_server_has_closed_meanwhile_is_made_anew(rig, worker):
    worker.obtain()
    rig.call('quay', listening=False)
    rig.call('quay', listening=True)
    worker.obtain()
    assert rig.audit()['exchanges'] == 2


@pytest.mark.parametrize('challenge', [
    None, '', 'Bearer', 'Bearer realm=""', 'Bearer realm="https://evil.example/auth"',
    'Bearer realm="http://{quay}/v2/auth"', 'Bearer realm="https://{quay}@evil.example/"', 'Bearer realm="open'])
def test_without_a_challenge_of_its_own_the_credential_goes_nowhere(rig, worker, challenge):
    value = challenge and challenge.format(quay=rig.quay)
    rig.misbehave('change', '/v2/', headers={'WWW-Authenticate': value})
    assert any('could not be tried' in notice for notice in worker.obtain()['notices'])
    assert rig.requests('/v2/auth') == []


def test_an_answer_that_quotes_the_request_is_not_quoted(rig, worker):
    token = rig.jwt()
    for quoted in (token, base64.b64encode(f'acme+edge:{token}'.encode()).decode()):
        rig.misbehave('answer', EXCHANGE, count=1, status=400, content_type='application/json',
                      body='{"message":"Invalid token: ' + quoted + '"}')
        failure = worker.fail(token=token)
        assert failure['class'] == 'rejected' and failure['words'] is None


def test_words_are_fit_for_a_terminal(rig, worker):
    rig.misbehave('answer', EXCHANGE, status=400, content_type='application/json',
                  body='{"message":"a\\u001b[2Jb\\u0007\\n' + 'x' * 5000 + '"}')
    words = worker.fail()['words']
    assert words.startswith('a [2Jb x') and len(words.encode()) <= 512 and words.isprintable()
