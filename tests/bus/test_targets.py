# SPDX-License-Identifier: LGPL-2.1-or-later
"""Targets that are broken, unsafe, full, shared or somebody else's."""

import base64
import json
import os
import time

import pytest
from client import Gio, GLib

KEY = 'quay.example.com/acme'
SYSTEM, PODMAN = 'etc/containers/auth.json', 'run/containers/0/auth.json'


def state(job, target):
    return [row for row in job['TargetStates'] if row[0] == target][0]


@pytest.mark.parametrize('content', [
    b'{"auths": {', b'[]', b'nonsense', b'{"auths": []}', b'{"auths": {"a": 1, "a": 2}}', b'\xff\xfe',
    b'{"a":"\\u0000"}', b'{} {}', b'{"auths": null}',
])
def test_a_target_that_is_not_understood_is_left_untouched(host, content):
    host.write(SYSTEM, content)
    before = os.stat(host.path(SYSTEM))
    host.standard().start()
    job = host.client.wait_job('edge', Reason='target-malformed')
    assert state(job, 'system')[2] == 'failed' and SYSTEM in state(job, 'system')[3]
    assert state(job, 'podman')[2] == 'published' and KEY in host.auths(PODMAN)
    assert job['State'] == 'retrying' and job['Step'] == 'publication' and job['Hint']
    after = os.stat(host.path(SYSTEM))
    assert host.read(SYSTEM) == content and (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert len(host.worker.requests) == 1
    host.write(SYSTEM, '{}')
    host.client.wait_job('edge', State='fresh', timeout=90)
    assert KEY in host.auths() and len(host.worker.requests) == 1, 'a file that is mended costs no exchange'


def test_a_target_that_all_can_read_is_told_of(host):
    """Its mode is kept, as that of whoever made it."""
    host.write(SYSTEM, '{}')
    os.chmod(host.path(SYSTEM), 0o644)
    host.standard().start()
    job = host.client.wait_job('edge', State='fresh')
    assert state(job, 'system')[2] == 'published' and f"'chmod o= {host.path(SYSTEM)}'" in state(job, 'system')[3]
    assert state(job, 'podman')[3] == '' and os.stat(host.path(SYSTEM)).st_mode & 0o777 == 0o644
    os.chmod(host.path(SYSTEM), 0o600)
    host.client.wait(lambda: state(host.client.job('edge'), 'system')[3] == '', 'the end of the note')


def a_directory(host):
    os.mkdir(host.path(SYSTEM))


def a_link(host):
    host.write('etc/elsewhere.json', '{}')
    os.symlink('../elsewhere.json', host.path(SYSTEM))


def a_fifo(host):
    os.mkfifo(host.path(SYSTEM))


def an_open_directory(host):
    os.chmod(host.path('etc/containers'), 0o777)


@pytest.mark.parametrize('spoil', [a_directory, a_link, a_fifo, an_open_directory])
def test_a_target_that_is_not_safe_is_refused(host, spoil):
    host.standard()
    spoil(host)
    host.start()
    job = host.client.wait_job('edge', Reason='target-unsafe')
    assert state(job, 'system')[2] == 'failed' and state(job, 'podman')[2] == 'published'
    if spoil is a_link:
        assert host.read('etc/elsewhere.json') == b'{}' and os.path.islink(host.path(SYSTEM))


def test_an_empty_target_file_is_filled(host):
    host.write(SYSTEM, b'')
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    assert list(host.auths()) == [KEY]


def test_a_new_target_is_private_and_an_old_one_keeps_its_mode(host):
    host.write(PODMAN, b'{}', 0o640)
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    assert os.stat(host.path(SYSTEM)).st_mode & 0o7777 == 0o600
    assert os.stat(host.path(PODMAN)).st_mode & 0o7777 == 0o640
    assert not [name for name in os.listdir(host.path('etc/containers')) if name.startswith('.pullauth')]


FOREIGN = json.dumps({'auths': {KEY: {'auth': base64.b64encode(b'somebody:password').decode()}}}).encode()


def test_an_entry_of_somebody_else_is_not_taken(host):
    host.write(SYSTEM, FOREIGN)
    host.standard().start()
    job = host.client.wait_job('edge', Reason='target-conflict')
    assert host.read(SYSTEM) == FOREIGN and state(job, 'podman')[2] == 'published'
    assert KEY in state(job, 'system')[3] and 'TakeOver=yes' in job['Hint']
    host.job(more='TakeOver=yes\n')
    host.reload()
    host.client.wait_job('edge', State='fresh', timeout=90)
    assert host.read(SYSTEM) != FOREIGN and len(host.worker.requests) == 1


def test_many_jobs_that_change_at_once_cost_few_writes(host):
    host.standard()
    for number in range(40):
        host.job(f'job{number:02}', more=f'Scopes=acme/r{number}\n')
    replaced = []
    monitor = Gio.File.new_for_path(host.path('etc/containers')).monitor_directory(Gio.FileMonitorFlags.WATCH_MOVES)
    monitor.connect('changed', lambda _m, _f, other, kind: replaced.append(other.get_basename() if other else None)
                    if kind == Gio.FileMonitorEvent.RENAMED else None)
    begun = time.monotonic()
    host.start()
    host.client.wait(lambda: host.client.manager('NFresh') == 41, 'all jobs', 60)
    spent = time.monotonic() - begun
    while not replaced or GLib.MainContext.default().pending():
        GLib.MainContext.default().iteration(True)
    assert len(host.auths()) == 41
    # A write and then nothing for a fifth of a second: where jobs come in slowly there are more.
    assert 0 < replaced.count('auth.json') <= max(12, 2 + 5 * spent)


def test_a_write_beside_us_is_not_lost(edge):
    """Another tool adds an entry and drops ours: the next publication keeps theirs and puts ours back."""
    edge.write(SYSTEM, json.dumps({'auths': {'docker.io': {'auth': 'Zm9vOmJhcg=='}}}), 0o600)
    edge.client.call('org.pullauth1.Manager', 'RefreshAll')
    edge.client.wait_job('edge', AttemptsEnded=2, State='fresh')
    assert sorted(edge.auths()) == ['docker.io', KEY]
