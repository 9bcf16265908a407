# SPDX-License-Identifier: LGPL-2.1-or-later
"""Readers that never see anything but a whole file, while the daemon is killed again and again amid its work."""

import json
import os
import random
import subprocess
import sys
import threading
import time

import pytest
from rig import SLOW
from stressrig import HERE, LONG, PODMAN, SYSTEM

KILLS = 1000 if LONG else 30
JOBS = 8
HOST_OF = 'quay.example.com'


class Reader:
    def __init__(self, keys, *paths):
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, 'reader.py'), json.dumps(keys), *paths],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def end(self):
        """How many readings there were; fails if one of them did."""
        said = self.process.communicate(timeout=20 * SLOW)[0].strip()
        assert self.process.returncode == 0, said
        return int(said)


class Skopeo:
    """skopeo, asking who it would be, in a loop on a thread."""

    def __init__(self, host, path):
        self.host, self.path, self.ending, self.count, self.bad = host, path, threading.Event(), 0, []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ending.is_set():
            try:
                done = subprocess.run(['skopeo', 'login', '--get-login', '--authfile', self.path,
                                       f'{HOST_OF}/acme/r0'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, timeout=60,
                                      env={'PATH': os.environ['PATH'], 'HOME': self.host.directory})
            except subprocess.TimeoutExpired:
                self.bad.append('skopeo does not end')
                return
            self.count += 1
            if done.returncode != 0 or done.stdout.strip() != 'acme+r0':
                self.bad.append(done.stdout)
            self.ending.wait(0.1)

    def end(self):
        self.ending.set()
        self.thread.join(60)
        assert not self.bad, self.bad[0]
        return self.count


@pytest.mark.limit(3600 if LONG else 300)
def test_no_read_fails_while_the_daemon_is_killed_at_random(host, say):
    """containers/podman#11347 among others: "unexpected end of JSON input" beside a writer."""
    seed = int(os.environ.get('PULLAUTH_STRESS_SEED', time.time_ns() % 10**9))
    dice = random.Random(seed)
    host.standard()
    os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    keys = [f'{HOST_OF}/acme/r{number}' for number in range(JOBS)]
    for number in range(JOBS):
        host.job(f'r{number}', more=f'Scopes=acme/r{number}\n')
    host.start()
    host.client.wait(lambda: host.client.manager('NFresh') == JOBS, 'all jobs')
    host.client.poll(lambda: set(keys) <= set(host.auths(PODMAN) or {}), 'the other target')
    readers = [Reader([*keys, 'docker.io', 'ghcr.io/org'], host.path(SYSTEM)), Reader(keys, host.path(PODMAN)),
               Skopeo(host, host.path(SYSTEM))]
    for _ in range(KILLS):
        host.refresh_all()
        time.sleep(dice.uniform(0, 0.12))  # what is random here is the moment of the kill
        host.kill()
        host.start()
    counts = [reader.end() for reader in readers]
    host.client.wait(lambda: host.client.manager('NFresh') == JOBS, 'all jobs')
    host.client.poll(lambda: all(host.auth(SYSTEM, key) == host.auth(PODMAN, key) for key in keys), 'agreement')
    host.check_foreign()
    say(f'{KILLS} kills, {len(host.worker.tokens)} credentials, readings {counts[0]} + {counts[1]}, '
        f'{counts[2]} of skopeo, none failed (seed {seed})')
    assert min(counts) > 0
