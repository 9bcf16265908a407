# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mount namespace of one's own, for root: what tests mount is gone with them, however they end."""

import ctypes
import subprocess

CLONE_NEWNS = 0x00020000


def enter_namespace():
    """What is mounted from here on is seen by this thread and its children alone."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) < 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    subprocess.run(['mount', '--make-rprivate', '/'], check=True)
