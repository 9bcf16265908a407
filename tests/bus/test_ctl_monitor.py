# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauthctl monitor: lines, JSON lines, and a picture on a terminal."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios

import pytest
from ctl_rig import PROGRAM, SLOW, WRAPPER, CtlRig, fresh, retrying, soon


@pytest.fixture
def rig():
    made = CtlRig()
    try:
        made.start()
        made.mock.job('edge', **fresh())
        made.mock.job('lab', **retrying())
        yield made
    finally:
        made.close()


class Watcher:
    """The tool with a pipe for its output; each line is waited for."""

    def __init__(self, rig, *arguments):
        self.process = subprocess.Popen([*WRAPPER, PROGRAM, 'monitor', *arguments], env=rig.environment({}),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.rest = b''

    def line(self):
        while b'\n' not in self.rest:
            assert select.select([self.process.stdout], [], [], 30 * SLOW)[0], 'no more lines'
            piece = os.read(self.process.stdout.fileno(), 65536)
            assert piece, self.process.stderr.read()
            self.rest += piece
        line, self.rest = self.rest.split(b'\n', 1)
        return line.decode()

    def text(self):
        """Without the time of the day."""
        clock, text = self.line().split(' ', 1)
        assert len(clock) == 8
        return text

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(30 * SLOW), self.process.stderr.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def test_news_are_lines(rig):
    with Watcher(rig) as watcher:
        assert watcher.text().startswith('edge: fresh, 43min left of 1h, refresh in 17min')
        assert watcher.text().startswith('lab: retrying, 13min left of 1h')
        rig.mock.job('edge', State='refreshing')
        assert watcher.text().startswith('edge: refreshing, ')
        rig.mock.emit('edge', 'Failed', 'timeout', 'exchange', 'No answer')
        assert watcher.text() == 'edge: exchange failed: No answer (timeout)'
        rig.mock.emit('lab', 'Withdrawn', ['system', 'podman'])
        assert watcher.text() == 'lab: withdrawn from system, podman'
        rig.mock.emit('lab', 'Expired')
        assert watcher.text() == 'lab: expired'
        rig.mock.job('new', **fresh())
        assert watcher.text().startswith('new: fresh')
        rig.mock.remove('new')
        assert watcher.text() == 'new: removed'
        assert watcher.end() == (0, '')


def test_json_lines_hold_whole_jobs_and_events(rig):
    with Watcher(rig, '--json=pretty', 'edge') as watcher:
        first = json.loads(watcher.line())
        assert (first['event'], first['name'], first['job']['state']) == ('job', 'edge', 'fresh')
        rig.mock.job('lab', State='expired')  # not asked for
        rig.mock.job('edge', Notices=['x'])
        changed = json.loads(watcher.line())
        assert (changed['event'], changed['job']['notices']) == ('changed', ['x'])
        rig.mock.emit('edge', 'Refreshed', soon(60))
        event = json.loads(watcher.line())
        assert event['event'] == 'refreshed' and event['expires'].endswith('Z') and 'job' not in event
        rig.mock.remove('edge')
        assert json.loads(watcher.line())['event'] == 'removed'
        assert watcher.end(signal.SIGTERM) == (0, '')


def test_it_goes_on_over_a_restart_of_the_daemon(rig):
    with Watcher(rig, 'edge') as watcher:
        watcher.text()
        rig.mock.close()
        assert watcher.text() == 'pullauthd: ended, waiting for it'
        rig.start().job('edge', **fresh())
        assert watcher.text() == 'pullauthd: is there again'
        assert watcher.text().startswith('edge: fresh')


def test_a_reader_that_has_enough_ends_it(rig):
    with Watcher(rig) as watcher:
        watcher.text()
        watcher.process.stdout.close()
        rig.mock.emit('edge', 'Expired')
        assert watcher.process.wait(30 * SLOW) == 0
        assert watcher.process.stderr.read() == b''
        watcher.process.stdout = open(os.devnull, 'rb')


def test_names_that_mean_nothing_are_told_of(rig):
    ran = rig.ctl('monitor', 'egge')
    assert (ran.returncode, ran.stdout) == (4, '') and "did you mean 'edge'" in ran.stderr


def on_screen(rig, columns, rows, until, **environment):
    """What is written to a terminal until `until` is there and q was pressed."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
        os.execvpe([*WRAPPER, PROGRAM][0], [*WRAPPER, PROGRAM, 'monitor'], rig.environment(environment))
    written, pressed = b'', False
    while select.select([terminal], [], [], 60 * SLOW)[0]:
        try:
            written += os.read(terminal, 65536)
        except OSError:
            break
        if until in written and not pressed:
            pressed = True
            os.write(terminal, b'q')
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), written.decode().replace('\r\n', '\n')


def test_a_terminal_gets_a_picture_and_is_given_back(rig):
    status, shown = on_screen(rig, 80, 24, b'edge', NO_COLOR='1')
    assert status == 0
    assert shown.startswith('\033[?1049h') and shown.endswith('\033[?25h\033[?1049l')
    picture = shown.split('\033[H')[1].replace('\033[K', '')
    assert '2 jobs: 1 fresh, 1 retrying' in picture
    assert picture.index('lab') < picture.index('edge')  # in trouble comes first
    assert max(len(line) for line in picture.split('\033')[0].splitlines()) <= 80


def test_a_small_terminal_says_that_there_is_more(rig):
    for number in range(30):
        rig.mock.job(f'job-{number:02}', **fresh())
    _, shown = on_screen(rig, 100, 12, b'more', NO_COLOR='1')
    picture = shown.split('\033[H')[1].split('\033[J')[0].replace('\033[K', '')
    assert '… and ' in picture and picture.count('\n') <= 12
