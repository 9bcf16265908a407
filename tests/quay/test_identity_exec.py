# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source=exec: programs that print the host's token, in every way they can and cannot."""

import json
import os

import pytest
from sleeper import sleeper  # noqa: F401
from workers import wait_gone, wait_until, worker  # noqa: F401

pytestmark = pytest.mark.limit(120)


def by_exec(script, *arguments, **settings):
    """A request whose token is printed by a shell script; "$1" is its first argument."""
    words = ['/bin/sh', '-c', script, 'sh', *arguments]
    command = ' '.join("'" + word.replace("'", "'\\''") + "'" for word in words)
    return {'source': 'exec', 'token': None, 'settings': {'Command': command, **settings}}


@pytest.fixture
def place(tmp_path):
    """A directory that the worker may write into, whoever it is."""
    os.chmod(tmp_path, 0o777)
    return tmp_path


@pytest.mark.parametrize('shape', ['%s', '%s\n', '{"token":"%s"}', '{"status":{"token":"%s"}}\n',
                                   '{"WebIdentityToken":"%s","Expiration":1}', '{"id_token":"%s","access_token":"x"}'])
def test_what_a_program_prints_is_the_identity(rig, worker, place, shape):
    path = place / 'answer'
    path.write_text(shape % rig.jwt())
    answer = worker.obtain(**by_exec('cat "$1"', str(path)))
    assert answer['claims']['subject'] and answer['times']['identity'] > 0


def test_it_has_no_environment_of_ours_and_no_input(rig, worker, place):
    (place / 'token').write_text(rig.jwt())
    worker.obtain(**by_exec('cat; env > "$1/env"; cat "$1/token"', str(place)))
    names = {line.split('=')[0] for line in (place / 'env').read_text().splitlines()}
    assert names - {'PWD', 'SHLVL', '_', 'OLDPWD'} == {'PATH', 'LANG', 'HOME'}


@pytest.mark.parametrize('script, reason, says, words', [
    ('echo one >&2; echo the vault is sealed >&2; exit 3', 'identity-source-failed', 'status 3', 'the vault is sealed'),
    ('kill -9 $$', 'identity-source-failed', 'signal KILL', None),
    ('cat /dev/zero', 'identity-source-failed', 'more than', None),
    ('true', 'token-empty', 'empty', None),
    ('echo hello world', 'token-malformed', 'no JWT', None),
    ('echo "{}"', 'token-malformed', 'without a token', None),
    ('echo "{\\"token\\":"', 'token-malformed', 'whole JSON', None),
])
def test_a_program_that_gives_no_token(worker, script, reason, says, words):
    failure = worker.fail(**by_exec(script))
    assert (failure['reason'], failure['step']) == (reason, 'identity') and says in failure['message']
    assert failure.get('words') == words


def test_a_program_that_is_not_there(worker):
    failure = worker.fail(source='exec', token=None, settings={'Command': '/nonexistent/get-token'})
    assert failure['reason'] == 'identity-source-failed' and 'Command=' in failure['hint']
    assert '/nonexistent/get-token' in failure['message'] and 'No such file' in failure['message']


def test_a_program_that_forks_and_hangs_is_gone_in_time(sleeper, place):
    """Its time is over once it has said what it says."""
    program = by_exec('setsid sleep 1000 & echo waiting >&2; echo $$ $! > "$1/new"; mv "$1/new" "$1/pids"; wait',
                      str(place), Timeout=str(20_000_000))
    question = sleeper.question(sleeper.request(timeout=60000, **program))
    wait_until((place / 'pids').exists, 'a program that waits')
    sleeper.clock.suspend(21)
    answer, = question.answers()
    failure = answer['failure']
    assert failure['reason'] == 'identity-source-failed' and 'was killed' in failure['message']
    assert failure['words'] == 'waiting'
    wait_gone((place / 'pids').read_text().split())


def test_programs_beside_each_other_leave_each_others_helpers_alone(rig, worker, place):
    (place / 'token').write_text(rig.jwt())
    slow = by_exec('''sh -c 'sleep 1000 & echo $! > "$0/pids"' "$1"
setsid sh -c 'sleep 1000 & echo $! >> "$0/pids"' "$1"
touch "$1/ready"
until [ -e "$1/go" ]; do sleep 0.01; done
kill -0 $(cat "$1/pids") && cat "$1/token"''', str(place))
    quick = by_exec('until [ -e "$1/ready" ]; do sleep 0.01; done; cat "$1/token"', str(place))
    question = worker.question(worker.request(id=1, **slow), worker.request(id=2, **quick))
    first = question.answer()
    assert first['id'] == 2 and 'credential' in first
    (place / 'go').touch()
    second, = question.answers()
    assert second['id'] == 1 and 'credential' in second, second
    pids = (place / 'pids').read_text().split()
    assert len(pids) == 2
    wait_gone(pids)


def of_programs(pid):
    """Descriptors that only programs bring; those of connections go a little after their last answer."""
    links = []
    for entry in os.scandir(f'/proc/{pid}/fd'):
        try:
            links.append(os.readlink(entry.path))
        except FileNotFoundError:
            continue
    return sorted(link.split(':')[0] for link in links if link.startswith(('pipe:', 'anon_inode:[pidfd]')))


def test_descriptors_and_children_stay_as_they_are(rig, worker, place):
    (place / 'token').write_text(rig.jwt())
    worker.obtain()
    worker_pid, before = worker.running, of_programs(worker.running)
    requests = [worker.request(id=number, **by_exec(script, str(place)))
                for number, script in enumerate(['cat "$1/token"', 'exit 1', 'sleep 0.1 & cat "$1/token"'] * 10, 1)]
    answers = worker.question(*requests).answers()
    assert sum('credential' in answer for answer in answers) == 20 and len(answers) == 30
    assert worker.running == worker_pid

    def is_as_before():
        with open(f'/proc/{worker_pid}/task/{worker_pid}/children', encoding='ascii') as file:
            return of_programs(worker_pid) == before and file.read().split() == []
    wait_until(is_as_before, 'the end of the programs')


def test_the_secret_of_the_program_stays_out_of_the_log(rig, worker, place):
    token = rig.jwt()
    (place / 'token').write_text(json.dumps({'token': token}))
    worker.obtain(**by_exec('cat "$1/token"; cat "$1/token" >&2', str(place)))
    assert token not in worker.said()
