# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source=spiffe: an agent of SPIFFE, in every way it can and cannot give a token."""

import contextlib
import itertools
import os
import socket
import threading
import time

import pytest
from workers import SLOW, worker  # noqa: F401

grpc = pytest.importorskip('grpc', reason='python3-grpcio and python3-protobuf make the stand-in for an agent')
from spiffe_agent import Agent, Svid  # noqa: E402

pytestmark = pytest.mark.limit(120)
ID = 'spiffe://example.com/host/edge-1'


@pytest.fixture
def place(tmp_path):
    """A directory that the worker may pass, whoever it is."""
    os.chmod(tmp_path, 0o755)
    return tmp_path


@pytest.fixture
def agent(rig, place):
    with Agent(str(place / 'api.sock')) as running:
        running.svids = [{'spiffe_id': ID, 'svid': rig.jwt(), 'unheard_of': 'x'}]
        yield running


def by_spiffe(path, **settings):
    return {'source': 'spiffe', 'token': None, 'settings': {'Socket': str(path), **settings}}


def test_the_svid_is_the_identity(rig, worker, agent):
    answer = worker.obtain(**by_spiffe(agent.path))
    assert answer['claims']['subject'] and answer['times']['identity'] > 0
    [(audience, spiffe_id, metadata)] = agent.requests
    assert audience == [rig.audience] and spiffe_id == ''
    assert metadata['user-agent'].startswith('pullauthd/')


def test_it_is_fetched_anew_for_each_exchange(rig, worker, agent):
    worker.obtain(**by_spiffe(agent.path))
    agent.svids[0]['svid'] = rig.jwt({'sub': 'someone else'})
    failure = worker.fail(**by_spiffe(agent.path))
    assert failure['reason'] == 'subject-not-accepted' and len(agent.requests) == 2


def test_many_at_once(worker, agent):
    requests = [worker.request(id=number, **by_spiffe(agent.path)) for number in range(1, 31)]
    answers = worker.question(*requests).answers()
    assert all('credential' in answer for answer in answers) and len(agent.requests) == 30


@pytest.fixture
def several(rig, agent):
    agent.svids = [{'spiffe_id': 'spiffe://example.com/a', 'svid': rig.jwt({'sub': 'a'})},
                   {'spiffe_id': ID, 'svid': rig.jwt(), 'hint': 'quay'},
                   {'spiffe_id': 'spiffe://example.com/c', 'svid': 'c', 'hint': 'twice'},
                   {'spiffe_id': 'spiffe://example.com/d', 'svid': 'd', 'hint': 'twice'}]
    return agent


@pytest.mark.parametrize('wish', [{'SPIFFEID': ID}, {'Hint': 'quay'}, {'SPIFFEID': ID, 'Hint': 'quay'}])
def test_one_of_several_is_chosen(worker, several, wish):
    worker.obtain(**by_spiffe(several.path, **wish))
    assert several.requests[0][1] == wish.get('SPIFFEID', '')


@pytest.mark.parametrize('wish, says, hint', [
    ({}, 'spiffe://example.com/a, ' + ID + ' (hint quay), spiffe://example.com/c (hint twice)', 'SPIFFEID= or Hint='),
    ({'Hint': 'twice'}, 'several', 'SPIFFEID= or Hint='),
    ({'Hint': 'none'}, 'none of the wanted', 'Hint='),
    ({'SPIFFEID': ID, 'Hint': 'twice'}, 'none of the wanted', 'SPIFFEID= and Hint='),
])
def test_nothing_is_guessed(worker, several, wish, says, hint):
    failure = worker.fail(**by_spiffe(several.path, **wish))
    assert (failure['reason'], failure['step']) == ('identity-source-refused', 'identity')
    assert says in failure['message'] and hint in failure['hint'] and failure['message'].count(ID) <= 1


STATUSES = {
    'CANCELLED': ('identity-source-failed', 'gave the request up', 'starting'),
    'UNKNOWN': ('identity-source-failed', 'does not say why', 'log'),
    'INVALID_ARGUMENT': ('identity-source-refused', 'does not take', 'SPIFFEID='),
    'DEADLINE_EXCEEDED': ('identity-source-failed', 'ran out of time', 'starting'),
    'NOT_FOUND': ('identity-source-refused', 'does not find', 'systemd:id:pullauth-worker.service'),
    'ALREADY_EXISTS': ('identity-source-failed', 'makes no sense', 'log'),
    'PERMISSION_DENIED': ('identity-source-refused', 'no identity for', 'systemd:id:pullauth-worker.service'),
    'RESOURCE_EXHAUSTED': ('identity-source-failed', 'too often', 'rate limits'),
    'FAILED_PRECONDITION': ('identity-source-failed', 'not in a state', 'starting'),
    'ABORTED': ('identity-source-failed', 'broke the request off', 'starting'),
    'OUT_OF_RANGE': ('identity-source-refused', 'does not take', 'log'),
    'UNIMPLEMENTED': ('identity-source-refused', 'no Workload API', 'socket_path'),
    'INTERNAL': ('identity-source-failed', 'failed', 'log'),
    'UNAVAILABLE': ('identity-source-failed', 'not available', 'starting'),
    'DATA_LOSS': ('identity-source-failed', 'lost its data', 'log'),
    'UNAUTHENTICATED': ('identity-source-refused', 'does not know who asks', 'systemd:id:pullauth-worker.service'),
}


def test_every_status_of_grpc_has_its_class(worker, agent):
    assert set(STATUSES) == {code.name for code in grpc.StatusCode} - {'OK'}
    for name, (reason, says, hint) in STATUSES.items():
        agent.answer = lambda _, context, name=name: context.abort(grpc.StatusCode[name], 'wörds of\nthe agent: 100%')
        failure = worker.fail(**by_spiffe(agent.path))
        assert (failure['reason'], failure['step']) == (reason, 'identity'), name
        assert says in failure['message'] and hint in failure['hint'], name
        assert failure['words'] == 'wörds of the agent: 100%', name


def test_an_agent_without_an_entry_for_this_host(worker, agent):
    agent.svids = []
    failure = worker.fail(**by_spiffe(agent.path))
    assert failure['reason'] == 'identity-source-refused' and failure['words'] == 'no identity issued'


def test_another_service_on_the_socket(worker, agent):
    """It says no before it has read the question to its end, and libcurl may then see no more than that the question
    could not be put."""
    agent.service = lambda _: None
    failure = worker.fail(**by_spiffe(agent.path))
    assert failure['reason'].startswith('identity-source-') and 'Socket= is the socket_path' in failure['hint']


@pytest.mark.parametrize('header, reason, hint', [
    ({'alg': 'ES256', 'key': 'ec', 'kid': 'ec'}, 'token-algorithm', 'jwt_key_type = "rsa-2048"'),
    ({'remove': ['iss']}, 'token-claim-missing', 'jwt_issuer'),
    ({'claims': {'iss': 'http://oidc.example.com'}}, 'token-issuer', 'jwt_issuer'),
    ({'claims': {'aud': ['other']}}, 'token-audience', 'Audience='),
    ({'offset': -7200}, 'token-expired', ''),
])
def test_a_token_that_quay_cannot_take_comes_with_the_setting_of_the_server(rig, worker, agent, header, reason, hint):
    agent.svids[0]['svid'] = rig.jwt(**header)
    failure = worker.fail(**by_spiffe(agent.path))
    assert failure['reason'] == reason and hint in failure['hint']
    assert not rig.exchanges()


# What no agent should send, as whole answers of gRPC.
@pytest.mark.parametrize('message, reason, says', ids=itertools.count(), argvalues=[
    (b'', 'identity-source-failed', 'no identity in it'),
    (b'\x0a\x7f', 'identity-source-failed', 'cannot be read'),
    (b'\x0a\x02\x0a\x05', 'identity-source-failed', 'cannot be read'),
    (b'\x0b\x0c', 'identity-source-failed', 'cannot be read'),
    (b'\xff' * 64, 'identity-source-failed', 'cannot be read'),
    (b'\x08\x01', 'identity-source-failed', 'no identity in it'),
    (Agent.message([{'spiffe_id': ID}]), 'token-empty', 'empty'),
    (Agent.message([{'spiffe_id': ID, 'svid': 'not a token'}]), 'token-malformed', 'no JWT'),
    (Agent.message([{'spiffe_id': ID, 'svid': 'x' * 10_000_000}]), 'identity-source-failed', 'larger than any'),
])
def test_messages_that_are_no_use(worker, agent, message, reason, says):
    agent.answer = lambda *_: message
    failure = worker.fail(**by_spiffe(agent.path))
    assert (failure['reason'], failure['step']) == (reason, 'identity') and says in failure['message']


@pytest.mark.parametrize('pauses, says, seconds', [
    (lambda: [0, 0], 'not the one message', 20),
    (lambda: [], 'not the one message', 20),
    (lambda: itertools.repeat(0), 'larger than any', 20),
    (lambda: itertools.repeat(0.1), 'no whole answer within 1s', 1),
])
def test_answers_that_are_no_single_message_or_never_end(worker, agent, pauses, says, seconds):
    agent.streams = pauses
    failure = worker.fail(**by_spiffe(agent.path, Timeout=str(seconds * 1_000_000)))
    assert failure['reason'] == 'identity-source-failed' and says in failure['message']


@pytest.fixture
def listener(place):
    """A socket that is no agent: send(bytes) is what each connection gets before it ends."""
    with socket.socket(socket.AF_UNIX) as own:
        path = str(place / 'other.sock')
        own.bind(path)
        os.chmod(path, 0o777)
        own.listen()
        own.settimeout(60)
        yield own


def serve(listener, data):
    def run():
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):  # it was enough
            connection.recv(65536)
            connection.sendall(data)
            # Closed while something is unread, it would be an error of writing at the other end.
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize('data', ids=itertools.count(), argvalues=[
    b'', b'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n', b'SSH-2.0-x\r\n', b'\0' * 9,
    b'\0\0\x06\x04\0\0\0\0\0\0\3\xff\xff\xff\xff', b'\xff' * 100_000,
])
def test_what_speaks_no_http2(worker, listener, data):
    thread = serve(listener, data)
    failure = worker.fail(**by_spiffe(listener.getsockname()))
    thread.join()
    assert failure['reason'] == 'identity-source-failed' and 'speaks no gRPC' in failure['message']
    assert listener.getsockname() in failure['message']


def test_what_never_answers(worker, listener):
    failure = worker.fail(**by_spiffe(listener.getsockname(), Timeout=str(int(SLOW * 1_000_000))))
    assert failure['reason'] == 'identity-source-failed' and 'no whole answer within' in failure['message']


def test_no_agent_is_there(worker, place, listener):
    failure = worker.fail(**by_spiffe(place / 'none.sock'))
    assert failure['reason'] == 'identity-source-failed' and 'No such file' in failure['message']
    assert 'Socket=' in failure['hint']
    listener.close()
    failure = worker.fail(**by_spiffe(place / 'other.sock'))
    assert failure['reason'] == 'identity-source-failed' and 'Connection refused' in failure['message']


def test_an_agent_that_restarts(worker, agent):
    """With a connection kept, with none, and again with one."""
    worker.obtain(**by_spiffe(agent.path))
    agent.stop()
    assert worker.fail(**by_spiffe(agent.path))['reason'] == 'identity-source-failed'
    agent.start()
    worker.obtain(**by_spiffe(agent.path))


def test_an_agent_that_ends_while_it_is_asked(worker, agent):
    asked = threading.Event()

    def answer(_, context):
        asked.set()
        gone = threading.Event()
        context.add_callback(gone.set)
        gone.wait(60)
        return b''
    agent.answer = answer
    question = worker.question(worker.request(**by_spiffe(agent.path)))
    assert asked.wait(60)
    agent.stop()
    [answer] = question.answers()
    assert answer['failure']['reason'] == 'identity-source-failed' and answer['failure']['hint']


def test_a_request_that_is_cancelled_leaves_no_connection(worker, agent):
    asked, gone = threading.Event(), threading.Event()

    def answer(_, context):
        context.add_callback(gone.set)
        asked.set()
        gone.wait(60)
        return b''
    agent.answer = answer
    question = worker.question(worker.request(**by_spiffe(agent.path)))
    assert asked.wait(60)
    question.vanish()
    assert gone.wait(60)


def test_the_token_stays_out_of_what_is_said(rig, worker, agent):
    token = rig.jwt()
    agent.answer = lambda _, context: context.abort(grpc.StatusCode.UNKNOWN, 'x')
    worker.fail(**by_spiffe(agent.path))
    agent.answer = None
    agent.svids[0]['svid'] = token
    worker.obtain(**by_spiffe(agent.path))
    assert token not in worker.said() and Svid.DESCRIPTOR.name


def connections(path):
    """Of the agent, with whomever (the columns of /proc/net/unix, see proc(5))."""
    with open('/proc/net/unix', encoding='ascii', errors='replace') as file:
        rows = [line.split() for line in file]
    return sum(1 for row in rows if row[-1] == path and row[5] == '03')


def test_no_connection_is_left_behind(worker, agent, place):
    def is_clean_after(**settings):
        worker.ask(kind='explain', **by_spiffe(agent.path, **settings))
        deadline = time.monotonic() + 20
        while connections(agent.path) > 0 and time.monotonic() < deadline:
            time.sleep(0.02)  # what the agent does with an end of file tells nobody
        return connections(agent.path) == 0
    assert is_clean_after()
    agent.answer = lambda _, context: context.abort(grpc.StatusCode.UNAVAILABLE, '')
    assert is_clean_after()
    agent.streams = lambda: itertools.repeat(0)
    assert is_clean_after()
    agent.streams = lambda: itertools.repeat(0.1)
    assert is_clean_after(Timeout='100000')
