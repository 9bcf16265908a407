# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bugs that others of our kind had, each under a name of its own. Those that need more stand in the other files."""

import base64
import json
import os
import re
import stat
import time

import pytest
from fakeworker import boot_usec, failure, robot_token
from rig import DAEMON_UID, ROOT
from stressrig import (ACL, FRAGMENTS, HERE, KEY, LONG, OTHERS, PODMAN, STATE, SYSTEM, TARGETS, Strace, auth_of,
                       figures, protection)

ROBOT = 'acme+edge'
FRAGMENT = f'{FRAGMENTS}/edge.json'



def table():
    """The rows of README.md: names of bugs, and the tests that bear them."""
    with open(os.path.join(HERE, 'README.md'), encoding='utf-8') as file:
        for bugs, _, tests in re.findall(r'^\| (\S*/\S*#\d.*?|crun \S+) \| (.*?) \| (.*?) \|$', file.read(), re.M):
            yield re.findall(r'[\w.-]*#\d+|crun \S+', bugs), re.findall(r'`(\S+)` (\w+)', tests)


def test_each_bug_of_the_table_has_a_test_that_bears_its_name():
    rows, sources = list(table()), os.path.dirname(HERE)
    for bugs, tests in rows:
        named = ''
        for path, name in tests:
            with open(os.path.join(sources, path), encoding='utf-8') as file:
                text = file.read()
            assert re.search(rf'^(?:def test_|static void ){name}\(', text, re.M), f'{path} has no {name}'
            named += text
        for bug in bugs:
            number = bug.rpartition('#')[2]
            assert re.search(rf'{re.escape(bug)}\b|#{number}\b' if '#' in bug else re.escape(bug), named), bug
    assert len(rows) >= 25


# A reason of each class of failures that an attempt can end in, and the seconds of its first wait at most.
FIRST_WAITS = {'connection-failed': 5, 'registry-error': 5, 'identity-source-failed': 5, 'rate-limited': 30,
               'tls-untrusted': 60, 'tls-certificate-dates': 60, 'token-audience': 60, 'robot-unknown': 300}


@pytest.mark.limit(240)
def test_between_two_attempts_that_fail_there_is_a_wait(host):
    """hashicorp/vault#20645, #26382, #26383, #28611 and openbao/openbao#4036: the wait was computed and then left out.

    What is measured is when the worker is asked, not what the daemon says. Whether the waits are long enough shows
    when those that may come again have done so: a short run waits for the short ones, a long one for all but the last.
    """
    host.standard()
    os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    asked = {f'j{number}': [] for number in range(len(FIRST_WAITS))}
    reasons = dict(zip(asked, FIRST_WAITS))

    def refuse(request):
        asked[request['Job']].append(boot_usec() / 10**6)
        return failure(reasons[request['Job']])
    host.worker.answer = refuse
    for name in asked:
        host.job(name, more=f'Scopes=acme/{name}\n')
    host.start()
    patience = 60 if LONG else 5
    awaited = [name for name, reason in reasons.items() if FIRST_WAITS[reason] <= patience]
    host.client.poll(lambda: all(len(asked[name]) >= 2 for name in awaited), 'second attempts', patience + 30)
    for name, reason in reasons.items():
        waits = [after - before for before, after in zip(asked[name], asked[name][1:])]
        for number, wait in enumerate(waits):
            assert wait >= FIRST_WAITS[reason] * 2**number / 2, (reason, waits)
        if name not in awaited:
            job = host.client.job(name)
            assert job['NextAttempt'] - job['LastAttempt'] >= FIRST_WAITS[reason] * 10**6 / 2, reason


def wait_descriptors(host, number):
    """A write or a connection that goes on has some for a while; what was lost stays so."""
    host.client.poll(lambda: figures(host.daemon.pid)[0] <= number, f'at most {number} descriptors')


def test_chown_fails_and_no_descriptor_is_lost(host):
    """hashicorp/vault#31801, #31802: the error path of chown kept the file open."""
    host.adopted()
    trace = Strace(host.daemon.pid, '-e', 'trace=fchown', '-e', 'inject=fchown:error=EPERM')
    before = figures(host.daemon.pid)[0]
    host.refresh_all()
    host.client.wait_job('edge', State='retrying', Reason='target-unwritable')
    for _ in range(5):
        tried = trace.count('INJECTED')
        os.utime(host.path(SYSTEM))
        host.client.poll(lambda tried=tried: trace.count('INJECTED') > tried, 'another try', 60)
    wait_descriptors(host, before + 1)
    host.wait_clean()
    trace.end()
    host.wait_published()
    host.check_foreign()


def test_a_credential_that_cannot_be_published_is_not_fetched_again(host):
    """hashicorp/vault#22575, #26844: what was fetched counted as success, so failing to use it slowed nothing."""
    broken = b'{"auths": nonsense'
    host.standard()
    host.write(SYSTEM, broken, 0o640)
    host.start()
    host.client.wait_job('edge', State='retrying', Reason='target-malformed')
    for _ in range(10):
        host.write(SYSTEM, broken, 0o640)
    host.client.poll(lambda: host.client.job('edge')['State'] == 'retrying', 'retrying')
    job = host.client.job('edge')
    assert len(host.worker.requests) == 1 and job['Refreshes'] == 0 and job['LastSuccess'] == 0
    assert host.read(SYSTEM) == broken
    host.write(SYSTEM, '{}')
    job = host.wait_published()
    assert len(host.worker.requests) == 1 and job['Refreshes'] == 1


def test_what_ended_while_nobody_ran_is_withdrawn_first(host):
    """spiffe/spire#1562, #2061, #2065, #1257, #1000, #1847: ended while down, and served; health said all was well."""
    host.standard()
    host.worker.lifetime = 2
    host.start()
    host.wait_published()
    host.kill()
    ends = [json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))['exp'] for token in host.worker.tokens]
    host.client.poll(lambda: time.time() > max(ends) + 1, 'the end of the credential')
    host.worker.answer = lambda request: failure('connection-failed')
    host.start()
    job = host.client.wait_job('edge', State='expired')
    assert job['Reason'] and all(row[2] != 'published' for row in job['TargetStates'])
    host.client.poll(lambda: not any(host.auth(path) for path in TARGETS.values()), 'the withdrawal')
    assert not os.path.exists(host.path(FRAGMENT))
    host.check_foreign()


@pytest.mark.parametrize('path', [SYSTEM, PODMAN, FRAGMENT])
def test_an_expired_copy_in_a_store_of_ours_loses_against_the_valid_one(host, path):
    """kubernetes/kubernetes#65991, #78758, #92676, #96256: noticed the end, then loaded the ended one from a store."""
    host.standard().start()
    host.wait_published()
    host.kill()
    now, good = int(time.time()), auth_of(ROBOT, host.worker.tokens[-1])
    content = json.loads(host.read(path))
    content['auths'][KEY]['auth'] = auth_of(ROBOT, robot_token(ROBOT, now - 3600, now - 60))
    old = protection(host.path(path))
    early = host.write(path, json.dumps(content), stat.S_IMODE(old[2]))
    os.chown(early, old[0], old[1])
    host.worker.answer = lambda request: failure('connection-failed')
    host.start()
    host.client.wait_job('edge', State='fresh')
    host.client.poll(lambda: all(host.auth(path) == good for path in TARGETS.values()), 'the valid one everywhere')
    assert len(host.worker.requests) == 1


@pytest.mark.parametrize('path', [SYSTEM, FRAGMENT])
def test_an_older_copy_in_a_store_of_ours_loses_though_it_is_valid(host, path):
    """The same with a backup that was put back, or a write that failed: of two that are valid the later one stands."""
    host.adopted()
    before = host.read(path)
    host.worker.lifetime += 60  # later also if it comes within the same second
    host.refresh_all()
    host.client.wait_job('edge', AttemptsEnded=1, State='fresh')
    host.kill()
    host.worker.answer = lambda request: failure('connection-failed')
    old = protection(host.path(path))
    os.chown(host.write(path, before, stat.S_IMODE(old[2])), old[0], old[1])
    host.start()
    host.client.wait_job('edge', State='fresh')
    good = auth_of(ROBOT, host.worker.tokens[-1])
    host.client.poll(lambda: all(host.auth(path) == good for path in TARGETS.values()), 'the later one everywhere')


def test_a_target_changed_behind_our_back_costs_no_second_exchange(host):
    """freeipa/freeipa#5825, #2919: decided on remembered dates and not on the file, and renewed twice."""
    host.standard().start()
    host.wait_published()
    good = auth_of(ROBOT, host.worker.tokens[-1])
    for text in ('{}', json.dumps({'auths': {KEY: {'auth': auth_of(ROBOT, 'else')}}}), None):
        if text is None:
            os.unlink(host.path(SYSTEM))
        else:
            host.write(SYSTEM, text, 0o600)
        host.client.poll(lambda: os.path.exists(host.path(SYSTEM)) and host.auth(SYSTEM) == good, 'mending')
    host.kill()
    host.write(SYSTEM, '{}', 0o600)
    host.start()
    host.client.poll(lambda: host.auth(SYSTEM) == good, 'mending at the start')
    assert len(host.worker.requests) == 1


@pytest.mark.parametrize('mask', [0o000, 0o077, 0o777])
def test_a_first_start_under_an_odd_umask_makes_nothing_that_others_can_read(host, mask):
    """hashicorp/nomad#11900: world-readable secrets. DataDog/datadog-agent#1295, #1558: the wrong owner at first."""
    host.umask = mask
    host.standard()
    os.unlink(host.path(SYSTEM))
    host.start()
    host.wait_published()
    for path in (SYSTEM, PODMAN, FRAGMENT, f'{STATE}/state.json'):
        st = os.stat(host.path(path))
        assert (path, stat.S_IMODE(st.st_mode), st.st_uid) == (path, 0o600, DAEMON_UID)
    for path in (FRAGMENTS, STATE, os.path.dirname(PODMAN)):
        assert (path, stat.S_IMODE(os.stat(host.path(path)).st_mode)) == (path, 0o700)


def test_what_protects_an_old_file_protects_the_new_one(host):
    """DataDog/datadog-agent#1558: the mode was taken from another file."""
    host.standard()
    before = protection(host.path(SYSTEM))
    os.setxattr(host.path(SYSTEM), 'user.note', b'by hand')
    host.umask = 0o000
    host.start()
    host.wait_published()
    kept = protection(host.path(SYSTEM))
    assert set(before[3]) < set(kept[3]) and ('user.note', b'by hand') in kept[3] and kept[:3] == before[:3]
    assert ACL in dict(kept[3]) and (not ROOT or kept[:2] == (0, OTHERS))


def test_the_age_of_an_identity_is_asked_of_its_file_each_time(host):
    """rossoctl/rossoctl#1899: a proof kept in memory had ended in a long sleep, and nothing went on."""
    host.adopted()
    host.token('another.token.text')
    host.refresh_all()
    host.client.wait_job('edge', AttemptsEnded=1)
    assert bytes(host.worker.requests[-1]['Token']) == b'another.token.text'


@pytest.mark.skipif(not ROOT, reason='a boot clock of its own is for root')
def test_a_credential_that_ended_while_the_host_slept_is_not_served(host):
    """huacnlee/omamail#238: measured by a clock that stands still in a suspended host, it served what had ended.

    For the daemon that is started anew the boot clock has gone on by five hours, the monotonic one has not, and the
    real one says that the credential is good: somebody set it back.
    """
    host.standard().start()
    host.wait_published()
    host.stop()
    host.worker.answer = lambda request: failure('connection-failed')
    host.launch = ['unshare', '--time', '--boottime', str(5 * 3600), '--']
    host.start()
    host.client.wait_job('edge', State='expired')
    host.client.poll(lambda: not any(host.auth(path) for path in TARGETS.values()), 'the withdrawal')
    host.check_foreign()


@pytest.mark.parametrize('skew', [-300, 300])
def test_a_credential_of_a_registry_whose_clock_differs_is_as_good(host, skew):
    """kubernetes/kubernetes#97680: what was issued just now was judged by a local clock that was fast."""
    good = host.worker.credential

    def skewed(request):
        issued = int(time.time()) + skew
        return {**good(request), 'Issued': issued, 'Expires': issued + 3600,
                'Secret': robot_token(ROBOT, issued, issued + 3600).encode()}
    host.worker.answer = skewed
    host.standard().start()
    job = host.wait_published()
    life = job['NextAttempt'] - job['LastAttempt']
    assert 0 < life <= 0.8 * 3600 * 10**6, 'the next one is due by the life of this one, not by its dates'
    host.restart()
    again = host.wait_published()
    assert len(host.worker.requests) == 1 and abs(again['NextAttempt'] - job['NextAttempt']) < 10**6


def test_without_a_free_descriptor_nothing_is_lost_and_it_recovers(host):
    """curl 2025-0665 and its like: out of descriptors, the wrong ones are closed or what stands is given up."""
    host.adopted()
    old, before = host.read(SYSTEM), figures(host.daemon.pid)[0]
    calls = 'openat,openat2,socket,timerfd_create,inotify_init1,dup,accept4'
    trace = Strace(host.daemon.pid, '-e', f'trace={calls}', '-e', f'inject={calls}:error=EMFILE')
    os.utime(host.path(SYSTEM))
    host.client.wait_job('edge', Reason='target-unwritable')
    host.refresh_all()
    host.client.wait_job('edge', AttemptsEnded=lambda n: n >= 1)
    assert host.read(SYSTEM) == old
    host.wait_clean()
    trace.end()
    host.client.wait_job('edge', State='fresh', Refreshes=1, timeout=90)
    assert host.auth(SYSTEM) == auth_of(ROBOT, host.worker.tokens[-1]) == host.auth(PODMAN)
    wait_descriptors(host, before + 1)
    host.check_foreign()


def test_a_leftover_that_an_attacker_made_is_not_followed(host):
    """A temporary name of ours that is a link, a directory or a pipe is no temporary file and stays."""
    host.standard()
    names = [f'.pullauth-auth.json.{number:016x}' for number in range(4)]
    directory = os.path.dirname(SYSTEM)
    os.symlink('auth.json', host.path(f'{directory}/{names[0]}'))
    os.mkdir(host.path(f'{directory}/{names[1]}'))
    os.mkfifo(host.path(f'{directory}/{names[2]}'))
    host.write(f'{directory}/{names[3]}', 'a killed writer left it', 0o600)
    host.start()
    host.wait_published()
    assert sorted(os.listdir(host.path(directory))) == [*names[:3], 'auth.json']
    host.check_foreign()


STATES = {
    'torn': lambda path, text: path.write(b'\0torn'),
    'cut': lambda path, text: path.write(text[:len(text) // 2]),
    'empty': lambda path, text: None,
    'newer': lambda path, text: path.write(text.replace(b'"version": 2', b'"version": 3')),
    'open': lambda path, text: (path.write(text), os.fchmod(path.fileno(), 0o666)),
}


@pytest.mark.parametrize('spoil', STATES)
def test_a_state_file_that_cannot_be_used_is_set_aside(host, spoil):
    """slackhq/nebula#732: a program that ends because of what it cannot help uses up its starts."""
    host.standard().start()
    host.wait_published()
    host.stop()
    text = host.read(f'{STATE}/state.json')
    with open(host.path(f'{STATE}/state.json'), 'wb') as file:
        STATES[spoil](file, text)
    spoiled = host.read(f'{STATE}/state.json')
    host.start()
    host.wait_published()
    assert len(host.worker.requests) == 1, 'what stands in the fragment is as good without the state'
    assert host.read(f'{STATE}/state.json.unusable') == spoiled and 'set aside' in host.log()
    assert host.stop() == 0 and json.loads(host.read(f'{STATE}/state.json'))['version'] == 2
    host.check_foreign()


def test_a_token_of_the_future_or_of_1970_destroys_nothing(host):
    """Azure/iotedge#4062, lf-edge/eve#1456, #2281: wrong dates were taken for a refusal, and everything removed."""
    host.standard().start()
    host.wait_published()
    good = auth_of(ROBOT, host.worker.tokens[-1])
    for issued, expires in ((0, 3600), (int(time.time()) - 7200, int(time.time()) - 3600)):
        host.worker.answer = lambda request, i=issued, e=expires: {
            **host.worker.credential(request), 'Issued': i, 'Expires': e, 'ObtainedBoot': boot_usec(),
            'Secret': robot_token(ROBOT, i, e).encode()}
        host.restart()
        host.wait_published()
        before = len(host.worker.requests)
        host.refresh_all()
        host.client.wait_job('edge', AttemptsEnded=1)
        assert len(host.worker.requests) == before + 1
        host.client.poll(lambda: host.auth(SYSTEM) is not None, 'a credential')
    assert host.client.job('edge')['State'] in ('fresh', 'retrying')
