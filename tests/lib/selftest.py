#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests of what other tests stand on: activate.py, privatebus.py, and how tools/check counts results."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(TOP, 'tools', 'lib')]

from activate import Activated  # noqa: E402
from privatebus import PrivateBus  # noqa: E402
from results import read_junit, read_meson_log  # noqa: E402

# Answers one connection with what it was asked and what it found in its environment, or dies of it.
PROGRAM = '''
import os, socket, sys
assert os.environ['LISTEN_PID'] == str(os.getpid()) and os.environ['LISTEN_FDS'] == '1'
connection = socket.socket(fileno=3).accept()[0]
word = connection.recv(100).decode()
if word == 'fail':
    sys.exit(3)
if word == 'die':
    os.kill(os.getpid(), 9)
connection.send(f'{word} {os.getuid()} {len(os.listdir("/proc/self/fd"))}'.encode())
'''


class Scratch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix='pullauth-lib-')
        self.addCleanup(scratch.cleanup)
        self.directory = scratch.name
        os.chmod(self.directory, 0o755)
        self.socket = os.path.join(self.directory, 'socket')

    def ask(self, word):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.socket)
            connection.send(word.encode())
            return connection.recv(100).decode()


class ActivationTest(Scratch):
    def test_a_connection_starts_the_program_and_the_next_one_starts_it_again(self):
        with Activated(self.socket, [sys.executable, '-c', PROGRAM]) as program:
            self.assertIsNone(program.running)
            for count in (1, 2):
                # 0, 1, 2, the connection, and the directory that is being listed
                self.assertEqual(self.ask('hello'), f'hello {os.getuid()} 5')
                self.assertEqual(program.wait_end(count), 0)
            self.assertEqual(program.starts(), 2)
            self.assertEqual([event[0] for event in program.events], ['start', 'cpu', 'end'] * 2)
        self.assertFalse(os.path.exists(self.socket))

    def test_how_it_ended_is_told(self):
        with Activated(self.socket, [sys.executable, '-c', PROGRAM]) as program:
            self.assertEqual(self.ask('fail'), '')
            self.assertEqual(program.wait_end(1), 3)
            self.assertEqual(self.ask('die'), '')
            self.assertEqual(program.wait_end(2), -signal.SIGKILL)

    def test_what_it_took_is_told_without_what_starting_it_took(self):
        burn = ('import socket, time\nsocket.socket(fileno=3).accept()\n'
                'while time.process_time() < 0.2:\n    pass\n')
        taken = []
        for program in (burn, 'pass'):
            with Activated(self.socket, [sys.executable, '-I', '-S', '-c', program]) as running:
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(self.socket)
                running.wait_end()
                taken.append(running.cpu())
        self.assertGreaterEqual(taken[0], 0.2)
        self.assertTrue(0 < taken[1] < taken[0], taken)

    def test_a_program_that_always_fails_ends_it(self):
        log = tempfile.TemporaryFile()
        self.addCleanup(log.close)
        program = Activated(self.socket, ['/bin/false'], log=log, span=60.0)  # however slowly they come
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.socket)
            program.process.wait(60)
        self.assertEqual(program.close(), 1)
        log.seek(0)
        self.assertIn(b'20 times', log.read())

    def test_closing_ends_a_program_that_waits(self):
        program = Activated(self.socket, ['/bin/sleep', '1000'])
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.socket)
            pid = program.wait_start()
        self.assertEqual(program.close(), 0)
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)

    @unittest.skipUnless(os.geteuid() == 0, 'only root becomes another user')
    def test_program_and_socket_may_belong_to_different_users(self):
        with Activated(self.socket, ['/usr/bin/python3', '-c', PROGRAM], user=64001, socket_user=64002):
            found = os.stat(self.socket)
            self.assertEqual((found.st_uid, found.st_mode & 0o777), (64002, 0o600))
            self.assertEqual(self.ask('hello'), 'hello 64001 5')


class BusTest(Scratch):
    def call(self, bus, *arguments):
        return subprocess.run(['busctl', '--system', 'call', *arguments], env={**os.environ, **bus.environment},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def request_name(self, bus, name):
        return self.call(bus, 'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'RequestName',
                         'su', name, '0')

    def test_names_are_for_those_who_may_own_them(self):
        with PrivateBus(self.directory, owners=[('org.example.Mine', os.geteuid())], log=subprocess.DEVNULL) as bus:
            self.assertEqual(self.request_name(bus, 'org.example.Mine').stdout, 'u 1\n')
            refused = self.request_name(bus, 'org.example.Other')
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn('denied', refused.stdout)

    def test_methods_of_others_are_refused_by_default(self):
        with PrivateBus(self.directory, owners=[('org.example.Mine', os.geteuid())], log=subprocess.DEVNULL) as bus:
            refused = self.call(bus, 'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus.Monitoring',
                                'BecomeMonitor', 'asu', '0', '0')
            self.assertNotEqual(refused.returncode, 0)

    def test_a_policy_that_is_not_there_is_no_policy(self):
        with self.assertRaises(RuntimeError):
            PrivateBus(self.directory, ['/nonexistent.conf'], log=subprocess.DEVNULL)


class ResultsTest(Scratch):
    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def meson(self, result, stdout='', returncode=0):
        record = {'name': 'one', 'result': result, 'stdout': stdout, 'returncode': returncode}
        tally = read_meson_log(self.write('log.json', json.dumps(record) + '\n'))
        return tally.passed, tally.failed, tally.skipped

    def test_meson_counts_subtests(self):
        self.assertEqual(self.meson('OK', '1..3\nok 1 - a\nok 2 - b # SKIP no\nok 3 - c\n'), (2, 0, 1))
        self.assertEqual(self.meson('FAIL', '1..2\nok 1 - a\nnot ok 2 - b\n', 1), (1, 1, 0))

    def test_a_program_that_ends_badly_after_success_has_failed(self):
        self.assertEqual(self.meson('FAIL', '1..1\nok 1 - a\n', 1), (1, 1, 0))
        self.assertEqual(self.meson('ERROR', '1..2\nok 1 - a\n', 1), (1, 1, 0))
        self.assertEqual(self.meson('TIMEOUT', '', -9), (0, 1, 0))

    def test_plain_programs_count_as_one(self):
        self.assertEqual(self.meson('OK'), (1, 0, 0))
        self.assertEqual(self.meson('FAIL', 'x', 1), (0, 1, 0))
        self.assertEqual(self.meson('SKIP', 'x', 77), (0, 0, 1))

    def test_junit(self):
        cases = ('<testcase name="a"/>', '<testcase name="b"><failure message="x">y</failure></testcase>',
                 '<testcase name="c"><error/></testcase>', '<testcase name="d"><skipped message="z"/></testcase>')
        tally = read_junit(self.write('junit.xml', f'<testsuites><testsuite>{"".join(cases)}</testsuite></testsuites>'))
        self.assertEqual((tally.passed, tally.failed, tally.skipped), (1, 2, 1))


if __name__ == '__main__':
    unittest.main()
