# SPDX-License-Identifier: LGPL-2.1-or-later
"""Secrets that went through the worker are not found in it afterwards, nor in anything it wrote."""

import base64
import json
import os
import re
import subprocess

import pytest
from quaysim.client import EXCHANGE
from workers import BUILD, ROBOT, SLOW, Worker, worker  # noqa: F401

pytestmark = pytest.mark.limit(120)


def writable_memory(pid):
    with open(f'/proc/{pid}/maps', encoding='ascii') as maps, open(f'/proc/{pid}/mem', 'rb') as memory:
        for line in maps:
            found = re.match(r'([0-9a-f]+)-([0-9a-f]+) rw.p', line)
            if found:
                start, end = (int(number, 16) for number in found.groups())
                memory.seek(start)
                try:
                    yield memory.read(end - start)
                except OSError:
                    pass


def pieces(secret):
    """Parts of it that are long enough to be no accident, as they are and as Basic authentication sends them."""
    basic = base64.b64encode(f'{ROBOT}:{secret}'.encode())
    for text in (secret.encode(), basic):
        for start in range(len(text) // 4, len(text) - 64, len(text) // 4):
            yield text[start:start + 48]


def copies(pid, secrets):
    memory = list(writable_memory(pid))
    return {name: sum(block.count(piece) for block in memory for piece in pieces(secret))
            for name, secret in secrets.items()}


@pytest.fixture
def readable():
    if os.geteuid() != 0:
        pytest.skip('the memory of a process that is not dumpable belongs to root')


def wipes():
    """Only the allocator of the real program erases what libraries free."""
    shown = subprocess.run(['meson', 'introspect', '--buildoptions', BUILD], stdout=subprocess.PIPE)
    options = {option['name']: option['value'] for option in json.loads(shown.stdout or '[]')}
    return options.get('wipe-heap') is True and options.get('b_sanitize') == 'none'


needs_wiping = pytest.mark.skipif(not wipes(), reason='this build does not erase what libraries free')

TROUBLE = {
    'success': None,
    'refused': {'action': 'answer', 'path': EXCHANGE, 'status': 400, 'body': '{"message":"Invalid token: no"}'},
    'server error': {'action': 'answer', 'path': EXCHANGE, 'status': 500, 'body': '<title>Error</title>'},
    'closed': {'action': 'close', 'path': EXCHANGE},
    'reset': {'action': 'reset', 'path': EXCHANGE, 'after': 'body'},
    'timeout': {'action': 'hang', 'path': EXCHANGE, 'after': 'body'},
    'broken': {'action': 'broken-json', 'path': EXCHANGE},
    'too large': {'action': 'oversize-body', 'path': EXCHANGE},
    'credential refused': {'action': 'answer', 'path': '/v2/auth', 'status': 401},
    'verification hangs': {'action': 'hang', 'path': '/v2/auth'},
}


@needs_wiping
@pytest.mark.parametrize('trouble', TROUBLE, ids=lambda name: name.replace(' ', '-'))
def test_nothing_of_a_secret_stays_in_memory(rig, worker, readable, trouble):
    if TROUBLE[trouble]:
        rig.misbehave(**TROUBLE[trouble])
    token, secrets = rig.jwt(), {}
    read, write = os.pipe()
    hangs = TROUBLE[trouble] and TROUBLE[trouble]['action'] == 'hang'
    request = worker.request(token=token, **({'timeout': int(2000 * SLOW)} if hangs else {}))
    answer = worker.question(request, secrets=write).answers()[0]
    os.close(write)
    with open(read, encoding='ascii') as file:
        credential = file.read().strip()
    assert ('credential' in answer) == (trouble == 'success') == bool(credential)
    secrets['identity'] = token
    if credential:
        secrets['credential'] = credential
    # The next request has the worker's event loop go on: what is freed by the end of the connection is freed by then.
    worker.fail(token='')
    assert copies(worker.running, secrets) == {name: 0 for name in secrets}


@needs_wiping
def test_the_search_finds_what_is_there(rig, worker, readable):
    rig.misbehave('hang', EXCHANGE)
    token = rig.jwt()
    question = worker.question(worker.request(token=token))
    rig.exchanges(at_least=1)
    assert copies(worker.running, {'identity': token})['identity'] > 0
    question.vanish()


def test_it_can_be_neither_dumped_nor_traced(rig, worker):
    worker.obtain()
    pid = worker.running
    with open(f'/proc/{pid}/limits', encoding='ascii') as limits:
        assert re.search(r'Max core file size +0 +0 ', limits.read())
    if os.geteuid() == 0:
        assert os.stat(f'/proc/{pid}/environ').st_uid == 0


def test_what_it_writes_at_the_highest_log_level_holds_no_secret(rig, tmp_path):
    env = {**os.environ, 'PULLAUTH_LOG_LEVEL': 'debug', 'SYSTEMD_LOG_LEVEL': 'debug'}
    with Worker(tmp_path, rig, env=env) as running:
        token = rig.jwt()
        running.obtain(token=token)
        running.fail(token=rig.jwt(alg='ES256'))
        said = running.said()
    assert 'edge' in said
    for secret in (token, base64.b64encode(f'{ROBOT}:{token}'.encode()).decode()):
        assert not any(piece.decode() in said for piece in pieces(secret))
    assert 'eyJ' not in said


def test_arguments_and_environment_hold_no_secret(rig, worker):
    worker.obtain()
    for name in ('cmdline', 'environ'):
        with open(f'/proc/{worker.running}/{name}', 'rb') as file:
            assert b'eyJ' not in file.read()
