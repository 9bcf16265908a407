# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real worker behind a socket, asked through the test client `obtain`, and fixtures for it."""

import atexit
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time

import pytest
from activate import Activated

BUILD = os.environ.get('PULLAUTH_BUILD', 'build')
SLOW = float(os.environ.get('PULLAUTH_TEST_SLOW', '1'))
WRAPPER = shlex.split(os.environ.get('PULLAUTH_TEST_WRAPPER', ''))


def for_everybody(*paths):
    """Copies of programs: build directories may be closed to the other users that some tests are."""
    directory = tempfile.mkdtemp(prefix='pullauth-programs-')
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    os.chmod(directory, 0o755)
    return [shutil.copy(path, directory) for path in paths]


PROGRAM, OBTAIN = for_everybody(os.path.join(BUILD, 'src', 'worker', 'pullauth-worker'),
                                os.path.join(BUILD, 'tests', 'quay', 'obtain'))
ROBOT = 'acme+edge'


def wait_until(condition, what, timeout=20):
    """For what happens to processes, which tell nobody."""
    deadline = time.monotonic() + timeout * SLOW
    while not condition():
        assert time.monotonic() < deadline, f'{what} did not happen within {timeout * SLOW} s'
        time.sleep(0.02)


def wait_gone(pids):
    """What was killed is collected when the kernel lets go of it, which may be after the answer."""
    assert pids
    wait_until(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in pids), 'the end of them')


def secret_hash(secret):
    """As `obtain` prints it: the length goes before the bytes."""
    data = secret.encode()
    return hashlib.sha256(len(data).to_bytes(8, 'big') + data).hexdigest()


class Question:
    """One run of `obtain`: requests go out with start(), answers are read as they come."""

    def __init__(self, path, requests, cancels=(), secrets=None):
        arguments = [OBTAIN]
        if secrets is not None:
            arguments.append(f'--secret-fd={secrets}')
        self.process = subprocess.Popen([*arguments, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        pass_fds=[] if secrets is None else [secrets])
        for line in [*requests, *cancels]:
            self.process.stdin.write(json.dumps(line) + '\n')
        self.process.stdin.close()

    def answer(self):
        """The next answer; None after the last."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def answers(self):
        found = [json.loads(line) for line in self.process.stdout]
        self.close()
        return found

    def vanish(self):
        self.process.kill()
        self.close()

    def close(self):
        self.process.wait()
        self.process.stdout.close()


class Worker(Activated):
    """Keyword arguments of ask() change the default request, which is right in every respect."""

    def __init__(self, directory, rig, idle='60s', prefix=(), **parameters):
        """`prefix`: a command that executes the worker in the end."""
        self.rig = rig
        with open(rig.ca, encoding='ascii') as file:
            self.ca = file.read()
        self.reports = os.path.join(directory, 'stderr')
        with open(self.reports, 'ab') as log:
            super().__init__(os.path.join(directory, 'worker.sock'), [*prefix, *WRAPPER, PROGRAM, f'--idle={idle}'],
                             log=log, **parameters)

    def request(self, **changes):
        request = {'id': 1, 'job': 'edge', 'source': 'file', 'audience': self.rig.audience, 'exchange': 'quay',
                   'registry': self.rig.quay, 'robot': ROBOT, 'ca': self.ca, 'timeout': int(30000 * SLOW),
                   'scopes': [f'{self.rig.quay}/acme'], **changes}
        if 'token' not in request:
            request['token'] = self.rig.jwt()
        return {key: value for key, value in request.items() if value is not None}

    def question(self, *requests, **parameters):
        return Question(self.path, requests, **parameters)

    def ask(self, **changes):
        """One request, one answer."""
        found = self.question(self.request(**changes)).answers()
        assert len(found) == 1, found
        return found[0]

    def obtain(self, **changes):
        """One request that has to succeed."""
        answer = self.ask(**changes)
        assert 'credential' in answer, answer
        return answer

    def fail(self, **changes):
        """One request that has to fail; returns the failure."""
        answer = self.ask(**changes)
        assert 'failure' in answer, answer
        failure = answer['failure']
        assert failure['message'] and failure['hint']
        return failure

    def said(self):
        """What the worker wrote to its standard error."""
        with open(self.reports, encoding='utf-8') as file:
            return file.read()


@pytest.fixture
def worker(rig):
    """One worker per test. Whatever it says of its own memory (sanitizers) fails the test."""
    with tempfile.TemporaryDirectory(prefix='pullauth-worker-') as directory:
        with Worker(directory, rig) as running:
            yield running
        said = running.said()
        assert 'Sanitizer' not in said and 'runtime error' not in said, said
        ends = [event for event in running.events if event[0] == 'end']
        assert all(event[2] == 0 for event in ends), running.events
