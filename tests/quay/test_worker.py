# SPDX-License-Identifier: LGPL-2.1-or-later
"""The worker and a Quay that works: what it asks, what it answers, how much it can do at once."""

import base64
import os
import socket
import threading
import time

import pytest
from quaysim.certificates import Authority
from quaysim.client import EXCHANGE
from quaysim.log import digest
from workers import ROBOT, SLOW, Worker, worker  # noqa: F401

pytestmark = pytest.mark.limit(120)


def paths(rig):
    return [entry['path'] for entry in rig.requests(server='quay')]


def header(entry, name):
    return [value for key, value in entry['headers'] if key.lower() == name.lower()]


# One credential

def test_an_identity_becomes_a_credential(rig, worker):
    answer = worker.obtain()
    credential = answer['credential']
    assert credential['user'] == ROBOT and credential['secret_size'] > 500
    assert credential['expires'] - credential['issued'] == 3600
    assert abs(credential['issued'] - time.time()) < 60
    assert answer['notices'] == [] and 'failure' not in answer
    assert answer['times']['exchange'] > 0 and answer['times']['verification'] > 0


def test_the_secret_is_the_token_that_quay_gave(rig, worker):
    read, write = os.pipe()
    answer = worker.question(worker.request(), secrets=write).answers()[0]
    os.close(write)
    with open(read, encoding='ascii') as file:
        secret = file.read().strip()
    sent = rig.requests('/v2/auth')[-1]['authorization']
    assert sent['user'] == ROBOT and sent['hash'] == digest(secret)
    assert len(secret) == answer['credential']['secret_size'] and secret.count('.') == 2


def test_it_costs_one_exchange_and_no_row_beside_it(rig, worker):
    worker.obtain()
    audit = rig.audit()
    assert (audit['exchanges'], audit['logins'], len(audit['rows'])) == (1, 0, 1)
    assert paths(rig) == [EXCHANGE, '/v2/', '/v2/auth']


def test_the_token_endpoint_is_asked_as_the_challenge_says_and_with_a_scope(rig, worker):
    worker.obtain(scopes=[f'{rig.quay}/acme/app'])
    assert rig.requests('/v2/auth')[0]['query'] == [['service', rig.quay], ['scope', 'repository:acme/app:pull']]


def test_requests_carry_what_they_must_and_nothing_else(rig, worker):
    token = rig.jwt()
    worker.obtain(token=token)
    exchange, version, auth = rig.requests(server='quay')
    assert exchange['authorization']['user'] == ROBOT and exchange['authorization']['hash'] == digest(token)
    assert version['authorization'] is None and auth['authorization']['user'] == ROBOT
    for entry in (exchange, version, auth):
        names = {name.lower() for name, _ in entry['headers']}
        assert names <= {'host', 'authorization', 'user-agent', 'accept'}, names
        assert header(entry, 'user-agent')[0].startswith('pullauthd/')
        assert entry['method'] == 'GET' and entry['body_length'] == 0


def test_the_claims_of_the_identity_come_back(rig, worker):
    claims = worker.obtain()['claims']
    assert (claims['issuer'], claims['subject'], claims['audience']) == (rig.issuer, rig.subject, [rig.audience])
    assert claims['algorithm'] == 'RS256' and claims['key_id'] and claims['expires'] - claims['issued'] == 600


def test_blanks_around_the_identity_do_no_harm(rig, worker):
    worker.obtain(token=rig.jwt() + ' \r\n\n')


def test_without_an_audience_none_is_demanded(rig, worker):
    worker.obtain(audience=None)


def test_a_short_life_is_taken_from_the_token(rig, worker):
    rig.set_lifetime(60)
    credential = worker.obtain()['credential']
    assert credential['expires'] - credential['issued'] == 60


def test_a_repository_that_may_not_be_pulled_is_worth_a_notice(rig, worker):
    assert worker.obtain(scopes=[f'{rig.quay}/acme/app'])['notices'] == []
    notices = worker.obtain(scopes=[f'{rig.quay}/other/app'])['notices']
    assert len(notices) == 1 and 'other/app' in notices[0]


def test_a_quay_that_calls_itself_something_else_is_worth_a_notice_and_gets_no_credential(rig, worker):
    rig.settings(server_hostname='quay.example.com:8443')
    notices = worker.obtain()['notices']
    assert any('quay.example.com:8443' in notice for notice in notices)
    assert any('another host' in notice for notice in notices)
    assert paths(rig) == [EXCHANGE, '/v2/']


@pytest.mark.parametrize('offset', [-300, 300])
def test_clocks_that_differ_do_no_harm_and_are_measured(rig, worker, offset):
    rig.set_clock(offset)
    answer = worker.obtain(token=rig.jwt(lifetime=3600, offset=min(0, offset)))
    assert abs(answer['skew'] / 1e6 - offset) < 60
    assert answer['credential']['expires'] - answer['credential']['issued'] == 3600
    assert any('The clock of' in notice and ('ahead of' if offset > 0 else 'behind') in notice
               for notice in answer['notices'])


def test_clocks_that_agree_are_not_worth_a_word(rig, worker):
    answer = worker.obtain()
    assert abs(answer['skew']) < 10e6 and answer['notices'] == []


# Nothing of the environment has a say

class Proxy(threading.Thread):
    """A proxy that knows CONNECT and counts; or one that refuses."""

    def __init__(self, refusal=None):
        super().__init__(daemon=True)
        self.refusal = refusal
        self.heads = []
        self.sock = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self.sock.getsockname()[1]}'
        self.start()

    def run(self):
        while True:
            connection, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        head = b''
        while b'\r\n\r\n' not in head:
            data = connection.recv(4096)
            if not data:
                return
            head += data
        self.heads.append(head.decode('latin-1'))
        if self.refusal:
            connection.sendall(self.refusal)
            connection.close()
            return
        host, _, port = head.split()[1].decode().rpartition(':')
        there = socket.create_connection((host, int(port)))
        connection.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')
        other = threading.Thread(target=pump, args=(there, connection), daemon=True)
        other.start()
        pump(connection, there)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_proxies_and_passwords_of_the_environment_are_not_used(rig, tmp_path):
    proxy = Proxy()
    (tmp_path / '.netrc').write_text(f'machine {rig.quay.split(":")[0]} login wrong password wrong\n')
    (tmp_path / '.netrc').chmod(0o600)
    names = ('http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY')
    env = {**os.environ, **{name: proxy.url for name in names}, 'HOME': str(tmp_path),
           'NETRC': str(tmp_path / '.netrc')}
    with Worker(tmp_path, rig, env=env) as running:
        running.obtain()
    assert proxy.heads == []
    assert rig.requests('/v2/')[0]['authorization'] is None


def test_the_proxy_of_the_job_is_used_and_does_not_see_the_identity(rig, worker):
    proxy = Proxy()
    worker.obtain(proxy=proxy.url.replace('http://', 'http://user:pass@'))
    assert len(proxy.heads) == 1 and proxy.heads[0].startswith(f'CONNECT {rig.quay} ')
    assert f'Proxy-Authorization: Basic {base64.b64encode(b"user:pass").decode()}' in proxy.heads[0]
    assert '\r\nAuthorization' not in proxy.heads[0]


@pytest.mark.parametrize('refusal', [b'HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n',
                                     b'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'])
def test_a_proxy_that_refuses_is_a_connection_that_failed(rig, worker, refusal):
    failure = worker.fail(proxy=Proxy(refusal).url)
    assert (failure['reason'], failure['class']) == ('connection-failed', 'transport')


def test_a_proxy_that_is_none_is_a_matter_of_configuration(rig, worker):
    failure = worker.fail(proxy='socks5://127.0.0.1:1')
    assert (failure['reason'], failure['step']) == ('configuration-invalid', 'configuration')


# Many at a time

def test_a_hundred_requests_at_once_all_succeed(rig, worker):
    requests = [worker.request(id=number, token=rig.jwt(), timeout=int(60000 * SLOW)) for number in range(100)]
    answers = worker.question(*requests).answers()
    assert sorted(answer['id'] for answer in answers) == list(range(100))
    assert all('credential' in answer for answer in answers)
    assert rig.audit()['exchanges'] == 100 and worker.running and worker.starts() == 1


def test_one_slow_registry_holds_up_nobody_else(rig, worker):
    rig.misbehave('hang', EXCHANGE, count=1)
    question = worker.question(worker.request(id=1))
    rig.exchanges(at_least=1)
    worker.obtain(id=2)
    assert question.process.poll() is None
    question.vanish()


def test_the_requests_of_one_credential_share_a_connection(rig, worker):
    worker.obtain()
    assert len(rig.connections()) == 1 and len(rig.requests(server='quay')) == 3


def test_requests_of_one_batch_share_connections(rig, worker):
    """While one of them lasts, those that come meanwhile need not connect anew, nor read the authorities
    (curl/curl#1110, #9620: that was nearly all that a transfer cost)."""
    rig.misbehave('hang', EXCHANGE, count=1)
    question = worker.question(worker.request(id=1))
    rig.exchanges(at_least=1)
    for number in range(2, 7):
        worker.obtain(id=number)
    assert len(rig.connections()) == 2
    question.vanish()


def test_requests_that_trust_differently_share_none(rig, worker):
    rig.misbehave('hang', EXCHANGE, count=1)
    question = worker.question(worker.request(id=1))
    rig.exchanges(at_least=1)
    worker.obtain(id=2)
    worker.obtain(id=3, ca=worker.ca + '\n# other bytes, same certificates\n')
    assert len(rig.connections()) == 3
    question.vanish()


def test_another_authority_is_no_reason_to_trust_what_the_first_one_signed(rig, worker):
    rig.misbehave('hang', EXCHANGE, count=1)
    question = worker.question(worker.request(id=1))
    rig.exchanges(at_least=1)
    worker.obtain(id=2)
    assert worker.fail(id=3, ca=other_authority().decode())['reason'] == 'tls-untrusted'
    worker.obtain(id=4)
    question.vanish()


def other_authority():
    return Authority('somebody else').pem


# Whom it was for

def test_a_cancelled_request_says_so_and_lets_go_of_its_connection(rig, worker):
    rig.misbehave('hang', EXCHANGE, user=ROBOT)
    rig.robot('acme+quick', federation=[rig.federation_entry()])
    rule = rig.misbehave('delay', EXCHANGE, user='acme+quick', seconds=0, hold=True)
    question = worker.question(worker.request(id=7), worker.request(id=8, robot='acme+quick'),
                               cancels=[{'cancel': 7, 'after': 1}, {'cancel': 99, 'after': 1}])
    rig.exchanges(at_least=2)
    rig.let_go(rule)
    answers = {answer['id']: answer for answer in question.answers()}
    assert 'credential' in answers[8]
    assert answers[7]['error'] == 'org.pullauth1.Worker.Cancelled'
    rig.exchanges(at_least=2, ended=True)  # one that hangs ends only when its client leaves
    worker.obtain(id=7, robot='acme+quick')


def test_a_client_that_vanishes_takes_its_requests_along(rig, worker):
    rig.misbehave('hang', EXCHANGE)
    question = worker.question(*[worker.request(id=number) for number in range(5)])
    rig.exchanges(at_least=5)
    question.vanish()
    rig.exchanges(at_least=5, ended=True)
    rig.behave()
    worker.obtain()
    assert worker.running and worker.starts() == 1


def test_the_same_id_twice_is_refused_while_it_is_in_use(rig, worker):
    rig.misbehave('hang', EXCHANGE)
    question = worker.question(worker.request(id=3), worker.request(id=3))
    answer = question.answer()
    assert (answer['id'], answer['error']) == (3, 'org.freedesktop.DBus.Error.InvalidArgs')
    question.vanish()


def test_two_clients_may_use_the_same_id(rig, worker):
    rig.misbehave('hang', EXCHANGE, count=1)
    question = worker.question(worker.request(id=3))
    rig.exchanges(at_least=1)
    worker.obtain(id=3)
    question.vanish()


def test_what_this_worker_does_not_know_is_said(rig, worker):
    for key in ('source', 'exchange'):
        failure = worker.fail(**{key: 'tomorrow'})
        assert (failure['reason'], failure['step']) == ('configuration-invalid', 'configuration')
        assert 'tomorrow' in failure['message']
    assert rig.requests() == []
