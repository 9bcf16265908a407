# SPDX-License-Identifier: LGPL-2.1-or-later
"""Targets in the home of a user, who can do there whatever he likes."""

import json
import os
import pwd

import pytest
from mounts import silence
from rig import DAEMON_UID, DAEMON_USER, ROOT

KEY = 'quay.example.com/acme'
NAME = DAEMON_USER.pw_name
TARGET = f'user:{NAME}'
REST = '.config/containers/auth.json'


def home(host):
    """Of the user that the daemon runs as here, for it can hand nothing over to others."""
    path = host.path(DAEMON_USER.pw_dir)
    os.makedirs(path, exist_ok=True)
    os.chown(path, DAEMON_UID, DAEMON_USER.pw_gid)
    return path


def state(job, name=TARGET):
    return [row for row in job['TargetStates'] if row[0] == name][0]


def start(host, targets=TARGET):
    host.standard()
    host.job(more=f'Targets={targets}\n')
    host.start()
    return host.client


def test_a_home_gets_what_its_owner_reads(host):
    path = os.path.join(home(host), REST)
    start(host).wait_job('edge', State='fresh')
    assert list(json.loads(host.read(path.removeprefix(host.root)))['auths']) == [KEY]
    assert os.stat(path).st_mode & 0o7777 == 0o600 and os.stat(os.path.dirname(path)).st_mode & 0o7777 == 0o700
    assert os.stat(path).st_uid == DAEMON_UID
    assert state(host.client.job('edge'))[1] == path
    os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    host.reload()
    host.wait_file(path.removeprefix(host.root), lambda: json.load(open(path, encoding='utf-8'))['auths'] == {})


def a_link(path, host):
    os.makedirs(os.path.dirname(path))
    host.write('etc/containers/other.json', '{}')
    os.symlink(host.path('etc/containers/other.json'), path)


def a_second_name(path, host):
    os.makedirs(os.path.dirname(path))
    host.write('etc/containers/other.json', '{}')
    os.link(host.path('etc/containers/other.json'), path)


def a_directory_that_is_a_link(path, host):
    os.makedirs(os.path.dirname(os.path.dirname(path)))
    os.symlink(host.path('etc/containers'), os.path.dirname(path))


def a_directory_for_all(path, host):
    os.makedirs(os.path.dirname(path))
    os.chmod(os.path.dirname(path), 0o777)


def somebody_elses_file(path, host):
    os.makedirs(os.path.dirname(path))
    with open(path, 'w', encoding='utf-8') as file:
        file.write('{}')
    os.chmod(path, 0o644)
    os.chown(path, 0, 0)


def own(path, host):
    """All directories on the way, not what lies in the last one."""
    while (path := os.path.dirname(path)) != host.path(DAEMON_USER.pw_dir):
        os.chown(path, DAEMON_UID, DAEMON_USER.pw_gid, follow_symlinks=False)


@pytest.mark.parametrize('play', [a_link, a_second_name, a_directory_that_is_a_link, a_directory_for_all,
                                  pytest.param(somebody_elses_file, marks=pytest.mark.skipif(
                                      not ROOT, reason='only root makes files of others'))])
def test_what_an_owner_can_play_with_is_not_followed(host, play):
    path = os.path.join(home(host), REST)
    play(path, host)
    own(path, host)
    job = start(host, f'system {TARGET}').wait_job('edge', Reason='target-unsafe')
    assert state(job, 'system')[2] == 'published' and state(job)[2] == 'failed' and job['Hint']
    assert os.listdir(host.path('etc/containers')) in (['auth.json'], ['auth.json', 'other.json'],
                                                       ['other.json', 'auth.json'])
    if os.path.exists(host.path('etc/containers/other.json')):
        assert host.read('etc/containers/other.json') == b'{}'


@pytest.mark.skipif(not ROOT, reason='only root gives directories to groups of others')
@pytest.mark.parametrize('group, wish', [(DAEMON_USER.pw_gid + 1, {'Reason': 'target-unsafe'}),
                                         (DAEMON_USER.pw_gid, {'State': 'fresh'})])
def test_a_directory_is_written_by_no_other_group_than_the_users(host, group, wish):
    path = os.path.join(home(host), REST)
    os.makedirs(os.path.dirname(path))
    own(path, host)
    os.chown(os.path.dirname(path), DAEMON_UID, group)
    os.chmod(os.path.dirname(path), 0o775)
    start(host).wait_job('edge', **wish)
    assert os.path.exists(path) == ('State' in wish)


def test_a_file_of_ours_that_becomes_a_link_is_not_read_through(host):
    path = os.path.join(home(host), REST)
    client = start(host)
    client.wait_job('edge', State='fresh')
    host.write('etc/other.json', '{"auths": {"x.example": {"auth": "Zm9vOmJhcg=="}}}', 0o600)
    os.symlink(host.path('etc/other.json'), f'{path}.new')
    os.rename(f'{path}.new', path)  # at once, or the daemon may be faster than the second step
    client.wait_job('edge', Reason='target-unsafe')
    assert os.path.islink(path)
    os.unlink(path)
    client.wait_job('edge', State='fresh', timeout=90)
    assert list(json.loads(host.read(path.removeprefix(host.root)))['auths']) == [KEY]


SILENT = [(0, 'target-unwritable', 'mount point'), (1, 'target-unsafe', 'another file system'),
          (2, 'target-unsafe', 'another file system')]


@pytest.mark.skipif(not ROOT, reason='only root mounts for all')
@pytest.mark.parametrize('up, reason, said', SILENT, ids=['file', 'directory', 'its parent'])
def test_a_file_system_of_the_users_is_not_waited_for(host, up, reason, said):
    """With user_allow_other in fuse.conf a user can have one that everybody is let into, and none is answered."""
    path = os.path.join(home(host), REST)
    host.write(path.removeprefix(host.root), '{}', 0o600)
    place = os.path.join(path, *['..'] * up)
    with silence(os.path.normpath(place), DAEMON_UID):
        job = start(host, f'system {TARGET}').wait_job('edge', Reason=reason)
        assert state(job, 'system')[2] == 'published' and said in state(job)[3]
    host.client.wait_job('edge', State='fresh', timeout=90)


@pytest.mark.skipif(not ROOT, reason='only root mounts for all')
def test_nor_a_file_of_it_in_the_place_of_a_directory(host):
    place = os.path.join(home(host), os.path.dirname(REST))
    host.write(place.removeprefix(host.root), '{}', 0o600)
    with silence(place, DAEMON_UID):
        job = start(host, f'system {TARGET}').wait_job('edge', Reason='target-unsafe')
        assert state(job, 'system')[2] == 'published' and place in state(job)[3]


@pytest.mark.skipif(not ROOT, reason='only root mounts for all')
@pytest.mark.parametrize('up, reason, said', SILENT, ids=['file', 'directory', 'its parent'])
def test_nor_one_that_comes_later(host, up, reason, said):
    path = os.path.join(home(host), REST)
    start(host).wait_job('edge', State='fresh')
    with silence(os.path.normpath(os.path.join(path, *['..'] * up)), DAEMON_UID):
        host.client.call('org.pullauth1.Manager', 'RefreshAll')
        assert said in state(host.client.wait_job('edge', Reason=reason))[3]
        host.reload()
        assert list(host.client.jobs()) == ['edge']
    host.client.wait_job('edge', State='fresh', timeout=90)


def test_a_user_who_is_not_there_may_come(host):
    job = start(host, 'system user:nobody-of-this-name').wait_job('edge', Reason='target-unwritable')
    assert 'no such user' in state(job, 'user:nobody-of-this-name')[3] and state(job, 'system')[2] == 'published'


def test_root_has_a_target_of_its_own(host):
    job = start(host, 'user:root').wait_job('edge', Reason='target-missing')
    assert "'podman'" in job['Message']


def test_a_restart_finds_what_stands_in_a_home(host):
    home(host)
    client = start(host)
    client.wait_job('edge', State='fresh')
    host.stop()
    os.unlink(host.path('run/pullauth/fragments/edge.json'))
    host.start()
    host.client.wait_job('edge', State='fresh')
    assert len(host.worker.requests) == 1


@pytest.mark.skipif(not ROOT, reason='the home of root belongs to root')
def test_the_second_place_of_podman_is_only_for_a_home_that_is_there(host):
    start(host, 'podman').wait_job('edge', State='fresh')
    os.mkdir(host.path('root'), 0o700)
    os.chown(host.path('root'), pwd.getpwnam('nobody').pw_uid, 0)
    host.client.call('org.pullauth1.Manager', 'RefreshAll')
    job = host.client.wait_job('edge', Reason='target-unsafe')
    assert '/root' in state(job, 'podman')[3]


@pytest.fixture
def settings(host):
    """Root keeps its settings somewhere else, and has a link to them."""
    for path in ('root', 'root/dotfiles', 'root/dotfiles/containers'):
        os.mkdir(host.path(path), 0o755)
        os.chown(host.path(path), 0, 0)
    os.symlink('dotfiles', host.path('root/.config'))
    return host


@pytest.mark.skipif(not ROOT, reason='the home of root belongs to root')
def test_a_link_in_the_home_of_root_is_told_of_and_fails_no_job(settings):
    job = start(settings, 'system podman').wait_job('edge', State='fresh')
    assert state(job, 'podman')[2] == 'published' and job['Reason'] == ''
    said = state(job, 'podman')[3]
    assert settings.path('root/.config') + ' is a symbolic link' in said and 'podman.target' in said
    assert state(job, 'system')[3] == '' and settings.log().count('is done without') == 1
    assert list(settings.auths('run/containers/0/auth.json')) == [KEY]
    assert os.listdir(settings.path('root/dotfiles/containers')) == []


@pytest.mark.skipif(not ROOT, reason='the home of root belongs to root')
def test_a_link_in_the_home_of_root_that_goes_is_noticed(settings):
    """What it comes to is up to the rights of the daemon, which here is not root."""
    start(settings, 'podman').wait_job('edge', State='fresh')
    os.unlink(settings.path('root/.config'))
    settings.client.wait_job('edge', TargetStates=lambda rows: 'symbolic link' not in rows[0][3])
