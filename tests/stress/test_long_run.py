# SPDX-License-Identifier: LGPL-2.1-or-later
"""Thousands of refreshes, and thousands that fail: descriptors and memory of both processes stay flat."""

import json
import os

import pytest
import rig
from activate import Activated
from fakeworker import failure
from rig import DAEMON_UID, ROOT, WRAPPER, program
from stressrig import LONG, SYSTEM, auth_of, figures

REFRESHES = 10000 if LONG else 300
JOBS = 40
ROOM = 512  # KiB; what the allocator keeps differs by that between two looks


def crowd(host, number=JOBS, more=''):
    """Jobs whose credentials live for two seconds, so that each is refreshed about every second."""
    host.standard()
    os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    host.worker.lifetime = 2
    for job in range(number):
        host.job(f'r{job}', more=f'Scopes=acme/r{job}\n{more}')
    host.start()
    host.client.wait(lambda: len(host.client.jobs()) == number, 'the jobs')


def forget(host):
    """What the rig remembers would grow as well."""
    host.client.signals.clear()
    host.worker.requests.clear()


def watch(host, count, done, look=None):
    """Figures of the daemon after each tenth, the first left out, until done() has grown by `count`."""
    shown, begin = [], done()
    for step in range(1, 11):
        host.client.poll(lambda wanted=begin + count * step // 10: done() >= wanted, 'the next tenth', 600)
        forget(host)
        shown.append(look() if look else figures(host.daemon.pid))
    return shown[1:]


def check_flat(shown, say, what, descriptors_room=4):
    """A file may just be being written, so descriptors have some room, and of the last looks the lowest counts: what is
    lost is seen in each."""
    descriptors, memory = [row[0] for row in shown], [row[1] for row in shown]
    say(f'{what}: descriptors {min(descriptors)} to {max(descriptors)}, resident {memory[0]} KiB at first, '
        f'{max(memory)} at most, {memory[-1]} at the end')
    assert min(descriptors[-3:]) <= min(descriptors) + descriptors_room
    assert min(memory[-3:]) <= memory[0] + ROOM


@pytest.mark.limit(3600 if LONG else 300)
def test_refreshes_leave_nothing_behind(host, say):
    crowd(host)
    shown = watch(host, REFRESHES, lambda: len(host.worker.tokens))
    check_flat(shown, say, f'{REFRESHES} refreshes of {JOBS} jobs')
    assert 'changed by another program' not in host.log(), 'our own writes are taken for others\''
    host.check_foreign()


@pytest.mark.limit(3600 if LONG else 300)
def test_refreshes_leave_nothing_behind_in_daemon_or_worker(host, quay, say):
    """Both as they are, with TLS to a simulated Quay. It is slow, so jobs are many and tokens live just long enough."""
    jobs, count = 60, 10000 if LONG else 100
    quay.reset()
    quay.set_lifetime(4)
    host.standard()
    host.worker.stop()
    os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    host.token(quay.jwt(lifetime=4 * 3600))
    with open(quay.ca, encoding='ascii') as ca:
        host.write('etc/pullauth/ca.pem', ca.read())
    for job in range(jobs):
        host.job(f'r{job}', 'acme+edge', quay.quay, f'Scopes=acme/r{job}\nCAFile=/etc/pullauth/ca.pem\n')
    user = {'socket_user': DAEMON_UID, 'user': rig.STRANGER_UID} if ROOT else {}
    with Activated(host.worker.path, [*WRAPPER, program(host.directory, 'pullauth-worker'), '--idle=60s'],
                   env=host.environment(), **user) as worker:
        host.start()

        def look():
            quay.call('forget')
            return figures(host.daemon.pid), figures(worker.running)
        shown = watch(host, count, lambda: quay.audit()['exchanges'], look)
        assert worker.starts() == 1 and not quay.audit()['logins']
        check_flat([row[0] for row in shown], say, f'{count} refreshes through TLS, daemon')
        # A connection for each request that is under way, and one that is kept for a moment. A leak makes thousands.
        check_flat([row[1] for row in shown], say, f'{count} refreshes through TLS, worker', 2 * jobs)
        quay.set_lifetime(3600)
        host.refresh_all()  # some may wait, for minutes where the machine is slow
        host.client.wait(lambda: host.client.manager('NFresh') == jobs, 'all jobs', 60)
        host.check_foreign()
        host.stop()


@pytest.mark.limit(3600 if LONG else 300)
def test_an_unwritable_target_leaves_nothing_behind(host, say):
    """hashicorp/vault#28876 and hashicorp/consul-template#1644: memory and time grew with each renewal that could not
    be written; hashicorp/vault#31801: a descriptor was lost each time."""
    host.put_system('{"auths": nonsense')
    old = host.read(SYSTEM)
    crowd_text = host.standard
    host.standard = lambda: (crowd_text(), host.put_system('{"auths": nonsense'))
    crowd(host)
    count = 10000 if LONG else 100
    shown = watch(host, count, lambda: len(host.worker.tokens))
    check_flat(shown, say, f'{count} refreshes that one target does not take')
    assert host.read(SYSTEM) == old


@pytest.mark.limit(3600 if LONG else 300)
def test_failing_attempts_leave_nothing_behind(host, say):
    """Each is asked for, as soon as that has an effect: their own pace would take hours."""
    host.worker.answer = lambda request: failure('connection-failed')
    crowd(host)

    def ended():
        left = [row for row in host.client.jobs().values() if row[4] != 'refreshing']
        if len(left) == JOBS:
            host.refresh_all()
        return sum(host.client.job(f'r{job}', 'AttemptsEnded') for job in range(JOBS))
    count = 1000 if LONG else JOBS
    shown = watch(host, count, ended)
    check_flat(shown, say, f'{count} failing attempts')


@pytest.mark.limit(3600 if LONG else 300)
def test_reloads_leave_nothing_behind(host, say):
    """hashicorp/consul#12607: each reload left a renewer behind, which went on."""
    host.adopted()
    reloads, done = 1000 if LONG else 30, [0]

    def reload():
        host.job(more=f'# {done[0]}\nMinimumRemaining={10 + done[0] % 2}min\n')
        host.reload()
        done[0] += 1
        return done[0]
    shown = watch(host, reloads, reload)
    check_flat(shown, say, f'{reloads} reloads')
    assert len(host.worker.tokens) == 1, 'a reload that changes no exchange makes none'
    host.client.call('org.pullauth1.Manager', 'RefreshAll')
    host.client.wait_job('edge', AttemptsEnded=1, State='fresh')
    assert len(host.worker.tokens) == 2 and host.auth(SYSTEM) == auth_of('acme+edge', host.worker.tokens[-1])
    assert json.loads(host.read(SYSTEM))


@pytest.mark.skipif(not LONG, reason='waits for a minute, in the long run only')
def test_readiness_comes_in_time_though_the_worker_is_silent(host):
    """What waits for the service, boot among it, waits no longer than the daemon's own bound."""
    host.standard()
    host.worker.answer = lambda request: None
    host.start()
    assert 'The name on the system bus is not to be had' not in host.log()
    assert 'Some first refreshes are still under way' in host.log()
