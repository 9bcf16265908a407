# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine's polkit: its rules, and what it is like without one."""

import contextlib
import subprocess

UNIT = 'polkit.service'
NAME, PATH, AUTHORITY = ('org.freedesktop.PolicyKit1', '/org/freedesktop/PolicyKit1/Authority',
                         'org.freedesktop.PolicyKit1.Authority')


class Polkit:
    def __init__(self, machine):
        self.machine = machine

    def start(self):
        """Returns when it has its name: only who runs tells that its rules have changed."""
        self.machine.run('systemctl', 'start', UNIT)

    @contextlib.contextmanager
    def rule(self, name, text):
        """A file in rules.d for the time of a with block; polkit has read it when that begins."""
        path = f'/etc/polkit-1/rules.d/{name}'
        self.start()
        with self.machine.bus.expecting(NAME, PATH, AUTHORITY, 'Changed') as wait:
            self.machine.write(path, text)
            wait()
        try:
            yield
        finally:
            self.start()
            with self.machine.bus.expecting(NAME, PATH, AUTHORITY, 'Changed') as wait:
                self.machine.remove(path)
                wait()

    @contextlib.contextmanager
    def gone(self):
        """Not there, and not to be started by a question."""
        self.machine.run('systemctl', 'mask', '--runtime', '--now', UNIT)
        try:
            yield
        finally:
            self.machine.run('systemctl', 'unmask', '--runtime', UNIT)
            self.start()

    @contextlib.contextmanager
    def asked(self):
        """Yields wait(): until another question was sent to it, which it need not have read."""
        match = f'--match=type=method_call,interface={AUTHORITY},member=CheckAuthorization'
        with self.machine.started('busctl', 'monitor', '--json=short', match, stderr=subprocess.STDOUT) as monitor:
            monitor.stdout.readline()  # it looks from here on
            yield monitor.stdout.readline

    @contextlib.contextmanager
    def frozen(self):
        """There, and answers nothing."""
        self.start()
        self.machine.run('systemctl', 'kill', '--signal=STOP', UNIT)
        try:
            yield
        finally:
            self.machine.run('systemctl', 'kill', '--signal=CONT', UNIT)
