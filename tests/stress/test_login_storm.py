# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another program that rewrites the same target, without any lock, as fast as it can."""

import base64
import json
import os
import signal
import subprocess
import sys

import pytest
from stressrig import FOREIGN, HERE, KEY, LONG, SYSTEM, Strace, auth_of

ROUNDS = 100 if LONG else 8
WRITES = 5000 if LONG else 400
JOBS = 6
PLACES = ('one', 'two', 'three')


def jobs(host):
    """Several that are refreshed about every second, in one target. Returns their keys."""
    host.standard()
    os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    host.worker.lifetime = 2
    for number in range(JOBS):
        host.job(f'r{number}', more=f'Scopes=acme/r{number}\nTargets=system\n')
    return [f'quay.example.com/acme/r{number}' for number in range(JOBS)]


def check_ours(host, keys):
    """From here on nothing is fetched that does not live long, so what stands can be compared."""
    host.worker.lifetime = 3600
    wanted = {}

    def all_there():
        wanted.clear()
        for number, key in enumerate(keys):
            mine = [token for token in host.worker.tokens if f'acme+r{number}' in subject(token)]
            wanted[key] = auth_of(f'acme+r{number}', mine[-1])
        auths = host.auths()
        return all(auths.get(key, {}).get('auth') == auth for key, auth in wanted.items())
    host.client.poll(all_there, 'the last credential of each job in the target', 30)


def subject(token):
    payload = token.split('.')[1]
    return json.loads(base64.urlsafe_b64decode(payload + '=' * (-len(payload) % 4)))['sub']


class Login:
    """skopeo or podman, as somebody who logs in to places of his own."""

    def __init__(self, program, quay, directory, auth_file):
        self.program, self.quay, self.auth_file = program, quay, auth_file
        self.env = {'PATH': os.environ['PATH'], 'HOME': directory, 'XDG_RUNTIME_DIR': directory,
                    'REGISTRY_AUTH_FILE': auth_file}
        self.password = quay.robot_token('acme+edge')

    def run(self, verb, place, *options, text=None):
        done = subprocess.run([self.program, verb, *options, f'{self.quay.quay}/{place}'], env=self.env, input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        assert done.returncode == 0, f'{self.program} {verb}: {done.stdout}'

    def login(self, place):
        self.run('login', place, '--cert-dir', self.quay.cert_dir, '-u', 'acme+edge', '--password-stdin',
                 text=self.password)

    def logout(self, place):
        self.run('logout', place)


def comes_to(host, key, there):
    """Whether it comes to stand there, or to be gone: what the daemon took out in replacing the file it puts back."""
    try:
        host.client.poll(lambda: (key in host.auths()) == there, key, 10)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize('program', ['podman', 'skopeo'])
@pytest.mark.limit(3600 if LONG else 300)
def test_logins_beside_refreshes_lose_nothing_of_either(host, quay, say, program):
    """containers/image#1365, podman-container-tools/container-libs#244, containers/podman#1457 and #19215."""
    keys = jobs(host)
    host.start()
    host.client.wait(lambda: host.client.manager('NFresh') == JOBS, 'all jobs')
    other = Login(program, quay, host.directory, host.path(SYSTEM))
    lost = []
    for number in range(ROUNDS):
        for place in PLACES:
            other.login(place)
            if not comes_to(host, f'{quay.quay}/{place}', True):
                lost.append(f'login to {place} in round {number}')
        if number < ROUNDS - 1:
            other.logout(PLACES[number % 3])
            if not comes_to(host, f'{quay.quay}/{PLACES[number % 3]}', False):
                lost.append(f'logout from {PLACES[number % 3]} in round {number}')
    check_ours(host, keys)
    auths = host.auths()
    good = base64.b64encode(f'acme+edge:{other.password}'.encode()).decode()
    assert not lost, lost
    assert [auths.get(f'{quay.quay}/{place}', {}).get('auth') == good for place in PLACES] == [True] * 3
    assert {json.loads('{' + piece + '}').popitem()[0] for piece in FOREIGN} <= set(auths)
    say(f'{program}: {ROUNDS * 4 - 1} logins and logouts beside {len(host.worker.tokens)} refreshes, nothing lost')


def test_what_a_fast_writer_wrote_last_always_stands(host, say):
    """The same with a writer that does nothing else, so that the moments between two of our system calls are hit."""
    keys = jobs(host)
    host.start()
    host.client.wait(lambda: host.client.manager('NFresh') == JOBS, 'all jobs')
    done = subprocess.run([sys.executable, os.path.join(HERE, 'writer.py'), host.path(SYSTEM), str(WRITES)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=3000)
    check_ours(host, keys)
    host.client.poll(lambda: host.auths().get('writer.example.com', {}).get('number') == WRITES, 'the last write', 5)
    say(f'{WRITES} writes beside {len(host.worker.tokens)} refreshes: {done.stdout.strip()}')
    assert done.returncode == 0, done.stdout


def test_a_write_between_our_look_and_our_rename_is_not_lost(host):
    """freeipa/freeipa#2919 among others decide on what was read, not on what stands. The daemon is stopped at each sync
    until it is the one of the temporary file."""
    host.adopted()
    trace, stops = Strace(host.daemon.pid, '-e', 'trace=fsync', '-e', 'inject=fsync:signal=STOP'), 1
    host.refresh_all()
    host.client.poll(lambda: trace.count('stopped by') == stops, 'a sync')
    while not any(path.startswith('etc/containers') for path in host.leftovers()):
        stops += 1
        host.daemon.send_signal(signal.SIGCONT)
        host.client.poll(lambda: trace.count('stopped by') == stops, 'another sync')
    content = json.loads(host.read(SYSTEM))
    content['auths']['late.example.com'] = {'auth': 'Zm9vOmJhcg=='}
    host.write(SYSTEM, json.dumps(content), 0o600)
    trace.end()
    host.daemon.send_signal(signal.SIGCONT)
    host.client.poll(lambda: host.auth(SYSTEM) == auth_of('acme+edge', host.worker.tokens[-1]), 'the new credential')
    host.wait_clean()
    assert host.auth(SYSTEM, 'late.example.com'), 'what the other wrote is lost'
    assert len(host.worker.tokens) == 2 and KEY in host.auths()
