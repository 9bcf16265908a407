# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where tests keep what is dear to make: for `tools/check`, which tells its suites, and for suites that run alone."""

import os

PLACES = ('/var/cache/pullauth-tests', os.path.expanduser('~/.cache/pullauth-tests'),
          f'/tmp/pullauth-tests-{os.getuid()}')


def place():
    """The first directory that can be written: that of PULLAUTH_TEST_CACHE, or a usual one. None if there is none."""
    for path in filter(None, (os.environ.get('PULLAUTH_TEST_CACHE'), *PLACES)):
        try:
            os.makedirs(path, mode=0o700, exist_ok=True)
        except OSError:
            continue
        if os.access(path, os.W_OK):
            return path
    return None
