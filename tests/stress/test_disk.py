# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks that are full, read-only, forbidden or limited, for real."""

import errno
import fcntl
import os
import shutil
import struct
import subprocess

import pytest
from rig import DAEMON_UID, ROOT
from stressrig import FRAGMENTS, KEY, PODMAN, STATE, SYSTEM, TARGETS, Strace, auth_of, protection

needs_root = pytest.mark.skipif(not ROOT, reason='mounts and file attributes are for root')
DIRECTORY = os.path.dirname(SYSTEM)
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL = 0x80086601, 0x40086602, 0x10


class Full:
    """The system target on a small file system, with a neighbour who takes all of it."""
    reason = 'target-full'

    def __init__(self, host):
        self.neighbour = host.path(f'{DIRECTORY}/neighbour')

    def spoil(self):
        with open(self.neighbour, 'wb', buffering=0) as file:
            try:
                while True:
                    file.write(b'x' * 4096)
            except OSError as error:
                assert error.errno == errno.ENOSPC

    def mend(self):
        os.truncate(self.neighbour, 0)


class ReadOnly:
    reason = 'target-unwritable'

    def __init__(self, host):
        self.path = host.path(DIRECTORY)

    def spoil(self):
        subprocess.run(['mount', '-o', 'remount,ro', self.path], check=True)

    def mend(self):
        subprocess.run(['mount', '-o', 'remount,rw', self.path], check=True)


class Immutable:
    """chattr +i: not even root writes there."""
    reason = 'target-unwritable'

    def __init__(self, host):
        self.path = host.path(DIRECTORY)

    def change(self, on):
        fd = os.open(self.path, os.O_RDONLY)
        try:
            data = bytearray(8)
            fcntl.ioctl(fd, FS_IOC_GETFLAGS, data)
            flags = struct.unpack('<q', data)[0] & ~FS_IMMUTABLE_FL | (FS_IMMUTABLE_FL if on else 0)
            fcntl.ioctl(fd, FS_IOC_SETFLAGS, struct.pack('<q', flags))
        finally:
            os.close(fd)

    def spoil(self):
        self.change(True)

    def mend(self):
        self.change(False)


@pytest.fixture(params=[Full, ReadOnly, Immutable], ids=['full', 'read-only', 'immutable'])
def trouble(mounts, host, request):
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=256k,mode=0755,nr_inodes=20', 'target', host.path(DIRECTORY)],
                   check=True)
    made = request.param(host)
    yield made
    made.mend()
    host.stop()
    subprocess.run(['umount', host.path(DIRECTORY)], check=True)


def state(job, target):
    return [row for row in job['TargetStates'] if row[0] == target][0]


@needs_root
def test_a_disk_that_takes_nothing_leaves_the_old_file_whole_and_recovers_without_an_exchange(trouble, host):
    host.adopted()
    old, kept = host.read(SYSTEM), protection(host.path(SYSTEM))
    trouble.spoil()
    host.refresh_all()
    job = host.client.wait_job('edge', State='retrying', timeout=30)
    assert (job['Reason'], job['Step']) == (trouble.reason, 'publication') and job['Hint'] and job['Message']
    assert state(job, 'system')[2] == 'failed' and state(job, 'podman')[2] == 'published'
    assert host.read(SYSTEM) == old and protection(host.path(SYSTEM)) == kept
    host.wait_clean()
    exchanges = len(host.worker.requests)
    # It tries again by itself, more than once, and nothing comes of it meanwhile.
    host.client.poll(lambda: host.client.job('edge')['State'] == 'retrying', 'retrying')
    trouble.mend()
    host.wait_published()
    assert host.auth(SYSTEM) == auth_of('acme+edge', host.worker.tokens[-1])
    assert len(host.worker.requests) == exchanges == 2, 'space that returns costs an exchange'
    assert protection(host.path(SYSTEM)) == kept
    host.wait_clean()
    host.check_foreign()


@needs_root
def test_a_start_with_a_disk_that_takes_nothing_keeps_what_was_fetched_until_it_does(trouble, host):
    host.standard()
    trouble.spoil()
    old = host.read(SYSTEM)
    host.start()
    job = host.client.wait_job('edge', Reason=trouble.reason)
    assert state(job, 'podman')[2] == 'published' and host.read(SYSTEM) == old
    host.restart()
    host.client.wait_job('edge', Reason=trouble.reason)
    trouble.mend()
    host.wait_published()
    assert host.auth(SYSTEM) == host.auth(PODMAN) and len(host.worker.requests) == 1
    host.check_foreign()


@needs_root
@pytest.mark.parametrize('place', [STATE, FRAGMENTS])
def test_a_full_disk_for_our_own_files_stops_no_refresh_and_brings_nothing_old_back(mounts, host, place):
    host.standard().start()
    host.wait_published()
    host.stop()
    os.rename(host.path(place), host.path(place) + '.before')
    os.mkdir(host.path(place))
    options = f'size=16k,mode=0700,uid={DAEMON_UID},gid={DAEMON_UID}'
    subprocess.run(['mount', '-t', 'tmpfs', '-o', options, 'ours', host.path(place)], check=True)
    subprocess.run(['cp', '-a', host.path(place) + '.before/.', host.path(place)], check=True)
    try:
        host.start()
        host.wait_published()
        filling = Full(host)
        filling.neighbour = host.path(f'{place}/.neighbour')
        filling.spoil()
        host.refresh_all()
        host.client.wait_job('edge', AttemptsEnded=1, State='fresh')
        new = auth_of('acme+edge', host.worker.tokens[-1])
        assert len(host.worker.tokens) == 2 and (host.auth(SYSTEM) == new, host.auth(PODMAN) == new) == (True, True)
        host.kill()
        host.start()
        host.wait_published()
        assert (host.auth(SYSTEM) == new, host.auth(PODMAN) == new) == (True, True), 'an older credential came back'
        assert len(host.worker.requests) == 2
        host.stop()
    finally:
        subprocess.run(['umount', '--lazy', host.path(place)], check=True)


def test_a_directory_that_could_not_be_synced_is_synced_before_the_job_is_fresh_again(host):
    """The file is in place then, and another look finds nothing to write: but a crash could undo it."""
    host.adopted()
    trace = Strace(host.daemon.pid, '-P', host.path(DIRECTORY), '-e', 'trace=fsync',
                   '-e', 'inject=fsync:error=EIO:when=1')
    host.refresh_all()
    host.client.wait_job('edge', Reason='target-unwritable')
    assert host.auth(SYSTEM) == auth_of('acme+edge', host.worker.tokens[-1])
    os.utime(host.path(SYSTEM))
    host.wait_published()
    synced = [line for line in trace.end() if 'fsync(' in line]
    assert ['INJECTED' in line for line in synced] == [True, False], synced


@needs_root
def test_credentials_that_found_no_room_leave_no_entry_without_owner(host, mounts):
    """An entry that nobody owns is never withdrawn, and dies in its place."""
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=256k,mode=0755', 'target', host.path(DIRECTORY)], check=True)
    try:
        host.adopted()
        full = Full(host)
        full.spoil()
        for _ in range(2):
            host.refresh_all()
            host.client.wait_job('edge', AttemptsEnded=1, Reason='target-full')
            host.restart()
            host.client.wait_job('edge', Reason='target-full')
        assert len(host.worker.tokens) == 3 and host.auth(SYSTEM) == auth_of('acme+edge', host.worker.tokens[0])
        os.unlink(host.path('etc/pullauth/jobs/edge.job'))
        host.reload()
        full.mend()
        host.client.poll(lambda: KEY not in host.auths(), 'the withdrawal', 90)
        host.check_foreign()
    finally:
        host.stop()
        subprocess.run(['umount', host.path(DIRECTORY)], check=True)


@pytest.mark.parametrize('error, reason', [
    ('EXDEV', 'target-unwritable'), ('EROFS', 'target-unwritable'), ('EACCES', 'target-unwritable'),
    ('EBUSY', 'target-unwritable'), ('EDQUOT', 'target-full'), ('ENOSPC', 'target-full')])
def test_a_replacing_that_is_refused_leaves_the_old_files_whole(host, error, reason):
    host.adopted()
    old = {path: (host.read(path), protection(host.path(path))) for path in TARGETS.values()}
    trace = Strace(host.daemon.pid, '-e', 'trace=renameat2', '-e', f'inject=renameat2:error={error}')
    host.refresh_all()
    job = host.client.wait_job('edge', AttemptsEnded=1, State='retrying')
    assert job['Reason'] == reason and all(row[2] == 'failed' for row in job['TargetStates'])
    assert {path: (host.read(path), protection(host.path(path))) for path in TARGETS.values()} == old
    host.wait_clean()
    trace.end()
    host.wait_published()
    assert len(host.worker.tokens) == 2 and host.auth(SYSTEM) == auth_of('acme+edge', host.worker.tokens[-1])
    host.check_foreign()


@pytest.mark.parametrize('error, reason, told', [
    ('ENOSPC', 'target-full', 'No space left'), ('EDQUOT', 'target-full', 'quota'),
    ('EIO', 'target-unwritable', 'Input/output error'), ('EROFS', 'target-unwritable', 'No such file')])
def test_a_directory_that_cannot_be_made_is_told_of_with_what_is_in_the_way(host, error, reason, told):
    host.adopted()
    directory = os.path.dirname(PODMAN)
    trace = Strace(host.daemon.pid, '-e', 'trace=mkdirat', '-e', f'inject=mkdirat:error={error}')
    shutil.rmtree(host.path(directory))
    host.refresh_all()
    job = host.client.wait_job('edge', Reason=reason)
    assert told in job['Message'] and directory in job['Message']
    trace.end()
    host.wait_published()


@pytest.mark.parametrize('error', ['EINVAL', 'ENOSYS', 'EOPNOTSUPP'])
def test_a_file_system_that_cannot_exchange_files_is_written_all_the_same(host, error):
    host.adopted()
    kept = protection(host.path(SYSTEM))
    trace = Strace(host.daemon.pid, '-e', 'trace=renameat2', '-e', f'inject=renameat2:error={error}')
    host.refresh_all()
    host.client.wait_job('edge', AttemptsEnded=1, State='fresh')
    trace.end()
    assert host.auth(SYSTEM) == host.auth(PODMAN) == auth_of('acme+edge', host.worker.tokens[-1])
    assert protection(host.path(SYSTEM)) == kept
    host.wait_clean()
    host.check_foreign()


@needs_root
def test_a_file_that_is_a_mount_of_its_own_is_left_alone_with_a_word_about_it(host, mounts):
    """As containers have it, where single files are bound into them."""
    host.standard()
    old = host.read(SYSTEM)
    subprocess.run(['mount', '--bind', host.path(SYSTEM), host.path(SYSTEM)], check=True)
    try:
        host.start()
        job = host.client.wait_job('edge', Reason='target-unwritable')
        assert 'mount its directory instead' in job['Message'] and host.read(SYSTEM) == old
        host.wait_clean()
    finally:
        host.stop()
        subprocess.run(['umount', host.path(SYSTEM)], check=True)


def test_an_editor_that_writes_in_place_is_waited_for(host):
    """Half a file is no file to be mended, also if a refresh falls into it, and what is in the other half stays."""
    host.adopted()
    text = host.read(SYSTEM)
    changed = text.replace(b'"unknown":', b'"edited": true, "unknown":').replace(host.auth(SYSTEM).encode(), b'AAAA')
    with open(host.path(SYSTEM), 'r+b', buffering=0) as file:
        file.truncate()
        file.write(changed[:len(changed) // 2])
        host.refresh_all()
        host.client.wait_job('edge', Reason='target-malformed')
        file.write(changed[len(changed) // 2:])
    host.wait_published()
    good = auth_of('acme+edge', host.worker.tokens[-1])
    host.client.poll(lambda: host.auth(SYSTEM) == good, 'mending')
    assert b'"edited": true' in host.read(SYSTEM) and len(host.worker.requests) == 2
    host.check_foreign()


def test_a_directory_that_may_not_be_written(host):
    """As a plain user, without the capability that the service has."""
    host.capabilities = ''
    host.standard().start()
    job = host.client.wait_job('edge', Reason='target-unwritable')
    assert job['State'] == 'retrying' and state(job, 'system')[2] == 'failed' and KEY not in host.auths()
    host.check_foreign()


def test_a_limit_on_file_sizes_ends_nothing(host):
    """RLIMIT_FSIZE also sends SIGXFSZ, which ends a program that does not expect it."""
    host.launch = ['prlimit', '--fsize=2048', '--']
    host.standard()
    host.put_system(host.read(SYSTEM).decode().replace('"unknown":', '"padding": "%s", "unknown":' % ('x' * 4000)))
    old = host.read(SYSTEM)
    host.start(wait=False)
    host.client.poll(lambda: host.daemon.poll() is not None or KEY in (host.auths(PODMAN) or {}), 'the other target')
    assert host.daemon.poll() is None, 'the daemon ended'
    host.notify.wait('READY=1', 90, host.daemon)  # and on the bus
    job = host.client.wait_job('edge', Reason='target-full')
    assert job['State'] == 'retrying' and state(job, 'podman')[2] == 'published'
    assert host.read(SYSTEM) == old
    host.wait_clean()
    host.check_foreign()
