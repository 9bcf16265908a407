# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mounts of root: a namespace of one's own, where what tests mount is gone with them, however they end; and a file
system that never answers."""

import contextlib
import ctypes
import os
import stat
import subprocess

import pytest

CLONE_NEWNS, MNT_DETACH = 0x00020000, 2


def enter_namespace():
    """What is mounted from here on is seen by this thread and its children alone."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) < 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    subprocess.run(['mount', '--make-rprivate', '/'], check=True)


@contextlib.contextmanager
def silence(path, uid):
    """A file system in user space (FUSE) over a file or directory, open to all, whose owner leaves every question to it
    without an answer: who asks it waits until the end of this. Skips the test where none can be mounted."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        device = os.open('/dev/fuse', os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        pytest.skip(f'no FUSE: {error}')
    mode = stat.S_IFMT(os.lstat(path).st_mode) | 0o700
    options = f'fd={device},rootmode={mode:o},user_id={uid},group_id={uid},allow_other'
    try:
        if libc.mount(b'silence', os.fsencode(path), b'fuse.silence', 0, options.encode()) < 0:
            pytest.skip(f'no FUSE: {os.strerror(ctypes.get_errno())}')
        try:
            yield
        finally:
            libc.umount2(os.fsencode(path), MNT_DETACH)
    finally:
        os.close(device)
