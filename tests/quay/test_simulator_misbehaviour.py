# SPDX-License-Identifier: LGPL-2.1-or-later
"""The simulator does wrong when it is told to, for as long as it is told to, and keeps a log that can be shown."""

import base64
import concurrent.futures
import http.client
import json
import os
import select
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
import urllib.request

import jwt
import pytest
from quaysim.client import EXCHANGE, HERE, Rig, RigError, basic

ROBOT = 'acme+edge'


class Raw:
    """One connection on which an exchange was asked for, read by hand."""

    def __init__(self, rig, limit=30):
        host, port = rig.quay.split(':')
        plain = socket.create_connection((host, int(port)), limit)
        self.sock = rig.context.wrap_socket(plain, server_hostname=host, suppress_ragged_eofs=False)
        self.sock.sendall(f'GET {EXCHANGE} HTTP/1.1\r\nHost: {rig.quay}\r\nAuthorization: {basic(ROBOT, rig.jwt())}'
                          '\r\n\r\n'.encode())

    def rest(self):
        data = b''
        while True:
            piece = self.sock.recv(65536)
            if not piece:
                return data
            data += piece

    def more(self, seconds):
        self.sock.settimeout(seconds)
        return self.sock.recv(65536)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def gone(*pids, limit=20):
    """Waits until none of these processes is left."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([descriptor], [], [], limit)[0]:
                return False
        finally:
            os.close(descriptor)
    return True


def child_of(pid, name):
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                with open(f'/proc/{entry}/stat', encoding='utf-8', errors='replace') as file:
                    text = file.read()
            except OSError:
                continue
            if f'({name})' in text and text.rpartition(')')[2].split()[1] == str(pid):
                return int(entry)
    return None


# Actions

def test_a_delay_is_waited_out_and_the_answer_is_the_true_one(rig):
    rig.misbehave('delay', EXCHANGE, seconds=0.3)
    before = time.monotonic()
    assert rig.exchange().status == 200
    assert time.monotonic() - before >= 0.3


@pytest.mark.parametrize('after, last, exchanges', [('request', b'', 0), ('headers', b'\r\n\r\n', 1),
                                                    ('body', b'"token"', 1)])
def test_a_hanging_server_says_so_much_and_no_more(rig, after, last, exchanges):
    rule = rig.misbehave('hang', EXCHANGE, after=after)
    with Raw(rig) as raw:
        rig.exchanges(at_least=1)
        received = b''
        while last not in received:
            received += raw.more(30)
        with pytest.raises(socket.timeout):
            raw.more(0.2)
        assert b'}' not in received and received.endswith(b'\r\n\r\n') == (after == 'headers')
        assert rig.audit()['exchanges'] == exchanges
        rig.behave(rule)
        raw.sock.settimeout(30)
        assert raw.rest() == b''


def test_a_hang_ends_when_the_client_has_left(rig):
    rig.misbehave('hang', EXCHANGE)
    with Raw(rig):
        rig.exchanges(at_least=1)
    assert rig.exchanges(at_least=1, ended=True)[0]['outcome'] == 'misbehaved: hang'


def test_dripping_sends_all_of_it_bit_by_bit(rig):
    rule = rig.misbehave('drip', EXCHANGE, chunk=100, interval=0.001)
    assert rig.exchange().json()['token']
    rig.behave(rule)
    rig.misbehave('drip', EXCHANGE, chunk=1, interval=3600)
    with Raw(rig) as raw:
        assert len(raw.sock.recv(10)) == 1


@pytest.mark.parametrize('after', ['request', 'headers', 'body'])
def test_a_reset_is_an_error_and_a_close_is_an_end(rig, after):
    rig.misbehave('close', EXCHANGE, count=1, after=after)
    rig.misbehave('reset', EXCHANGE, count=1, after=after)
    with Raw(rig) as raw:
        data = raw.rest()
        assert data.endswith(b'\r\n\r\n') == (after == 'headers') and (data == b'') == (after == 'request')
    with Raw(rig) as raw, pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
        raw.rest()


def test_a_truncated_body_is_shorter_than_announced(rig):
    rig.misbehave('truncate', EXCHANGE)
    with pytest.raises(http.client.IncompleteRead):
        rig.exchange()


def test_broken_json_has_the_right_length(rig):
    rig.misbehave('broken-json', EXCHANGE)
    reply = rig.exchange()
    assert reply.status == 200 and reply.text.startswith('{"token":"')
    with pytest.raises(ValueError):
        reply.json()


@pytest.mark.parametrize('length', ['declared', 'chunked', 'none'])
def test_an_oversize_body_is_as_long_as_asked_for(rig, length):
    rig.misbehave('oversize-body', EXCHANGE, size=3 << 20, length=length)
    reply = rig.exchange()
    assert len(reply.json()['token']) == 3 << 20
    assert (reply.headers['Content-Length'] is not None) == (length == 'declared')
    assert reply.headers['Transfer-Encoding'] == ('chunked' if length == 'chunked' else None)


def test_oversize_headers_are_as_long_as_asked_for(rig):
    rig.misbehave('oversize-headers', EXCHANGE, size=60000, number=20)
    with Raw(rig) as raw:
        data = b''
        while b'\r\n\r\n' not in data:
            data += raw.more(30)
        assert len(data) > 1200000


def test_a_changed_answer_belongs_to_a_request_that_was_carried_out(rig):
    rig.misbehave('change', EXCHANGE, content_type='text/html', headers={'Date': 'Thu, 01 Jan 1970 00:00:00 GMT'})
    reply = rig.exchange()
    assert (reply.status, reply.type, reply.headers['Date']) == (200, 'text/html', 'Thu, 01 Jan 1970 00:00:00 GMT')
    assert reply.json()['token'] and rig.audit()['exchanges'] == 1


@pytest.mark.parametrize('status, retry_after', [(429, '7'), (503, 'Fri, 31 Dec 2100 23:59:59 GMT'), (429, None),
                                                 (503, '99999999999999999999'), (429, '-1'), (429, 'soon')])
def test_rate_limits_with_and_without_retry_after(rig, status, retry_after):
    rig.misbehave('answer', EXCHANGE, status=status, headers={'Retry-After': retry_after}, body='slow down\n')
    reply = rig.exchange()
    assert (reply.status, reply.headers['Retry-After'], reply.text) == (status, retry_after, 'slow down\n')
    assert rig.audit()['exchanges'] == 0


def test_redirects(rig):
    rig.misbehave('answer', EXCHANGE, status=302, headers={'Location': 'https://else.example/'})
    reply = rig.exchange()
    assert reply.status == 302 and reply.headers['Location'] == 'https://else.example/'


@pytest.mark.parametrize('parameters', [{'json': {'token': 7}}, {'json': []}, {'body': ''}, {'body': 'null'},
                                        {'body_base64': base64.b64encode(b'{"token":"\xff"}').decode()}], ids=str)
def test_any_body_can_take_the_place_of_the_true_one(rig, parameters):
    rig.misbehave('change', EXCHANGE, **parameters)
    reply = rig.exchange()
    assert reply.status == 200
    if 'json' in parameters:
        assert reply.json() == parameters['json']
    else:
        assert reply.body == (parameters.get('body', '').encode() or
                              base64.b64decode(parameters.get('body_base64', '')))


def test_raw_bytes_instead_of_http(rig):
    rig.misbehave('raw', EXCHANGE, data_base64=base64.b64encode(b'\0SSH-2.0\r\n').decode())
    with Raw(rig) as raw:
        assert raw.rest() == b'\0SSH-2.0\r\n'


@pytest.mark.parametrize('action, error', [('close', (ssl.SSLError, ConnectionResetError)),
                                           ('reset', ConnectionResetError), ('raw', ssl.SSLError),
                                           ('hang', socket.timeout)])
def test_trouble_before_tls(rig, action, error):
    parameters = {'data_base64': base64.b64encode(b'HTTP/1.1 400 no TLS\r\n\r\n').decode()} if action == 'raw' else {}
    rig.misbehave(action, '@connect', **parameters)
    with pytest.raises(error):
        rig.request('/v2/', timeout=0.3 if action == 'hang' else 30)


@pytest.mark.parametrize('kind, text', [('expired', 'expired'), ('not-yet-valid', 'not yet valid'),
                                        ('wrong-name', 'not valid for'), ('untrusted', 'unable to get local issuer')])
def test_certificates_that_a_client_must_refuse(rig, kind, text):
    rig.call('quay', certificate=kind)
    with pytest.raises(ssl.SSLCertVerificationError, match=text):
        rig.exchange()
    rig.call('quay', certificate='good')
    assert rig.exchange().status == 200


def test_a_registry_that_is_down_refuses_and_comes_back_at_the_same_port(rig):
    rig.call('quay', listening=False)
    with pytest.raises(ConnectionRefusedError):
        rig.exchange()
    rig.call('quay', listening=True)
    assert rig.exchange().status == 200


# Rules

def test_a_rule_holds_for_so_many_requests_after_so_many(rig):
    rig.misbehave('answer', EXCHANGE, count=2, skip=1, status=500)
    assert [rig.exchange().status for _ in range(4)] == [200, 500, 500, 200]


def test_rules_are_for_a_path_a_method_and_a_user(rig):
    rig.robot('acme+second', federation=[rig.federation_entry()])
    rig.misbehave('answer', EXCHANGE, user='acme+second', status=418)
    rig.misbehave('answer', '/v2/*', method='GET', status=503)
    assert rig.exchange().status == 200 and rig.exchange(robot='acme+second').status == 418
    assert rig.request('/v2/auth').status == 503 and rig.request('/v2/auth', 'POST').status == 405


def test_an_answer_in_place_of_the_true_one_says_what_it_was_told_to(rig):
    rig.misbehave('answer', EXCHANGE, status=400, json={'message': 'no'})
    reply = rig.exchange()
    assert (reply.status, reply.type, reply.json()) == (400, 'application/json', {'message': 'no'})
    rig.behave()
    rig.misbehave('answer', EXCHANGE, status=418)
    reply = rig.exchange()
    assert (reply.status, reply.type, reply.body) == (418, 'text/plain', b'')


def test_the_first_rule_wins_and_clearing_it_uncovers_the_next(rig):
    first = rig.misbehave('answer', EXCHANGE, status=500)
    rig.misbehave('answer', EXCHANGE, status=502)
    assert rig.exchange().status == 500
    rig.behave(first)
    assert rig.exchange().status == 502
    rig.behave()
    assert rig.exchange().status == 200


def test_a_request_that_is_held_meets_the_action_when_it_is_let_go(rig):
    rule = rig.misbehave('answer', EXCHANGE, hold=True, status=502)
    replies = []
    thread = threading.Thread(target=lambda: replies.append(rig.exchange().status))
    thread.start()
    rig.exchanges(at_least=1)
    assert not replies
    rig.let_go(rule)
    thread.join(20)
    assert replies == [502]


@pytest.mark.parametrize('rule', [('fly', '*', {}), ('delay', '*', {'hours': 1}), ('drip', '@connect', {}),
                                  ('answer', '*', {'colour': 'red'})])
def test_a_rule_that_cannot_be_is_refused(rig, rule):
    action, path, parameters = rule
    with pytest.raises(RigError):
        rig.misbehave(action, path, **parameters)


# Load, log, control

def test_a_connection_serves_many_requests(rig):
    connection = http.client.HTTPSConnection(rig.quay, context=rig.context)
    for _ in range(3):
        connection.request('GET', '/v2/')
        assert connection.getresponse().read() == b'true'
    connection.close()
    assert len({entry['connection'] for entry in rig.requests('/v2/')}) == len(rig.connections()) == 1


def test_two_hundred_connections_at_once(rig):
    token = rig.jwt()
    rig.misbehave('hang', '/v2/', after='request', seconds=3600)
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        connections = [http.client.HTTPSConnection(rig.quay, context=rig.context) for _ in range(200)]
        list(pool.map(lambda connection: connection.request('GET', '/v2/'), connections))
        rig.requests('/v2/', at_least=200)
        assert rig.exchange(token).status == 200
        rig.behave()
        statuses = list(pool.map(lambda _: rig.exchange(token).status, range(200)))
    for connection in connections:
        connection.close()
    assert statuses == [200] * 200 and rig.audit()['exchanges'] == 201


def test_the_log_has_everything_but_the_secrets(rig):
    token = rig.jwt()
    robot_token = rig.exchange(token, headers={'User-Agent': 'someone/1'}).json()['token']
    for header in (f'Bearer {token}', f'Basic {token}', token):
        rig.request(EXCHANGE, headers={'Authorization': header})
    rig.request('/v2/auth?service=x', user=ROBOT, password=robot_token)
    text = json.dumps([rig.call('requests'), rig.call('connections'), rig.call('state'), rig.audit()])
    for secret in (token, robot_token, base64.b64encode(f'{ROBOT}:{token}'.encode()).decode()):
        assert secret not in text and secret.split('.')[-1] not in text
    first = rig.exchanges(at_least=4, ended=True)[0]
    assert (first['method'], first['status'], first['outcome']) == ('GET', 200, 'answered')
    assert first['authorization']['user'] == ROBOT and ['User-Agent', 'someone/1'] in first['headers']


def test_the_log_tells_equal_secrets_from_different_ones(rig):
    for token in ('a.b.c', 'a.b.c', 'a.b.d'):
        rig.exchange(token)
    first, second, third = [entry['authorization']['hash'] for entry in rig.exchanges()]
    assert first == second != third


def test_control_speaks_plain_http_to_anyone(rig):
    with urllib.request.urlopen(f'{rig.control}/rig') as answer:
        assert json.load(answer)['quay'] == rig.quay
    request = urllib.request.Request(f'{rig.control}/misbehave', b'{"action": "reset"}', method='POST')
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)['rule'] > 0
    for wrong in ('nothing', '_rig', '__class__'):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f'{rig.control}/{wrong}', b'{}')


def test_reset_makes_everything_as_it_was(rig):
    before = rig.call('state')
    rig.robot(ROBOT, federation=[])
    rig.robot('acme+more')
    rig.call('owner', name='acme', disabled=True)
    rig.call('repository', name='acme/app', delete=True)
    rig.settings(read_only=True, token_lifetime=5)
    rig.call('rotate')
    rig.call('issuer', clock_offset=9, discovery={'issuer': 'x'}, certificate='expired', listening=False)
    rig.misbehave('reset')
    assert rig.call('state') != before
    rig.reset()
    assert rig.call('state') == before and rig.call('requests') == []


# The command

def test_the_token_file_is_fresh_private_and_can_be_spoiled(tmp_path):
    path = tmp_path / 'token'
    with Rig.start(tmp_path / 'rig', '--no-registry', '--token-file', path, '--jwt-lifetime', 2) as rig:
        assert rig.token_file == str(path) and stat.S_IMODE(path.stat().st_mode) == 0o600
        first = path.read_text(encoding='utf-8')
        assert rig.exchange(first).status == 200
        later = rig.call('token-writes')['writes'] + 1  # than what was read
        assert rig.call('token-writes', at_least=later, timeout=60)['writes'] >= later
        second = path.read_text(encoding='utf-8')
        assert second != first and jwt.decode(second, options={'verify_signature': False})['sub'] == 'host-1'
        rig.call('token-file', fresh=False)  # from here on nobody writes but us
        path.chmod(0o640)
        rig.call('token-file', text='torn')
        assert path.read_text(encoding='utf-8') == 'torn' and stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_description_is_there_when_ready_is_said_and_ports_are_as_asked(tmp_path):
    with Rig.start(tmp_path / 'rig', '--no-registry', '--audience', 'api://quay', '--subject', 'me',
                   '--token-lifetime', 60) as rig:
        assert (rig.registry, rig.token_file, rig.subject, rig.audience) == (None, None, 'me', 'api://quay')
        claims = jwt.decode(rig.exchange().json()['token'], options={'verify_signature': False})
        assert claims['exp'] - claims['iat'] == 60
        pid = rig.pid
        rig.call('stop')
        assert rig.process.wait(20) == 0
    assert gone(pid)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_simulator(tmp_path, number):
    with Rig.start(tmp_path / 'rig') as rig:
        registry = child_of(rig.pid, 'docker-registry')
        assert registry
        rig.misbehave('hang', EXCHANGE)
        with Raw(rig):
            rig.exchanges(at_least=1)
            os.kill(rig.pid, number)
            status = rig.process.wait(20)
        assert status == (-number if number == signal.SIGKILL else 0)
        assert gone(registry)


def test_nothing_outlives_a_killed_parent(tmp_path):
    code = (f'import sys; sys.path.insert(0, {HERE!r}); from quaysim.client import Rig; '
            f'print(Rig.start({str(tmp_path / "rig")!r}).pid, flush=True); sys.stdin.read()')
    with subprocess.Popen([sys.executable, '-B', '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        registry = child_of(pid, 'docker-registry')
        assert registry
        parent.kill()
    assert gone(pid, registry)
