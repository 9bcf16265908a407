# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs in Go that judge ours: parts of what others run, by the modules of a go.sum that lies beside.

Each is built once, by the ordinary go, into the tests' cache. Where that cannot be, the test is skipped.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile

import keep
import pytest

BUILD_LIMIT = 600


def recipe(directory, package):
    text = hashlib.sha256(package.encode())
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), 'rb') as file:
            text.update(f'{name}\n'.encode() + file.read())
    return text.hexdigest()[:16]


def build(directory, package, place):
    """Outside of the sources; appears whole. A go that is too old says so, and does not fetch another one."""
    with tempfile.TemporaryDirectory(prefix='go-draft-', dir=os.path.dirname(place)) as draft:
        sources = shutil.copytree(directory, os.path.join(draft, 'sources'))
        env = {**os.environ, 'GOTOOLCHAIN': 'local', 'GOFLAGS': '-buildvcs=false -mod=readonly', 'CGO_ENABLED': '0'}
        done = subprocess.run(['go', 'build', '-trimpath', '-o', os.path.join(draft, 'program'), package], cwd=sources,
                              env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=BUILD_LIMIT)
        if done.returncode != 0:
            pytest.skip(f'go cannot build {package} of {os.path.basename(directory)}: {done.stdout.strip()[-300:]}')
        os.rename(os.path.join(draft, 'program'), place)


def program(directory, package='.'):
    """Its path. Whoever comes second waits for the first."""
    if not shutil.which('go'):
        pytest.skip(f'go is not there, and with it no judge ({os.path.basename(directory)})')
    cache = keep.place() or pytest.fail('no place for what go builds, set PULLAUTH_TEST_CACHE')
    place = os.path.join(cache, f'{os.path.basename(directory)}-{recipe(directory, package)}')
    with open(f'{place}.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.access(place, os.X_OK):
            build(directory, package, place)
    return place
