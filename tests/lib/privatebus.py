#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A system bus of one's own: dbus-daemon on a unix socket, as strict as the system's bus.

Names may be owned, and methods called, only as policy files say: those that are given (the project's
dbus/org.pullauth1.conf), and the few rules of `owners` and `open_names`. Programs reach it when
DBUS_SYSTEM_BUS_ADDRESS is the address.

    privatebus.py DIRECTORY [--policy FILE]… [--own NAME=UID]… [--open NAME]…

prints the address on standard output once the bus listens, and then is the bus, until SIGTERM.
"""

import argparse
import os
import select
import shutil
import subprocess
import sys
import time
from xml.sax.saxutils import escape, quoteattr

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
    <deny send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"
          send_member="UpdateActivationEnvironment"/>
  </policy>
{rules}
</busconfig>
"""


def configuration(socket, policies=(), owners=(), open_names=(), monitors=()):
    """policies: files to include. owners: (name, uid) that may own it. open_names: anyone may own and call them.
    monitors: users that may listen to everything, if they are root or the bus's own."""
    rules = [f'  <include>{escape(os.path.abspath(path))}</include>' for path in policies]
    rules += [f'  <policy user="{int(uid)}"><allow own={quoteattr(name)}/></policy>' for name, uid in owners]
    rules += [f'  <policy context="default"><allow own={quoteattr(name)}/>'
              f'<allow send_destination={quoteattr(name)}/></policy>' for name in open_names]
    rules += [f'  <policy user="{int(uid)}"><allow send_destination="org.freedesktop.DBus" '
              'send_interface="org.freedesktop.DBus.Monitoring"/></policy>' for uid in monitors]
    return CONFIGURATION.format(socket=escape(socket), rules='\n'.join(rules))


def prepare(directory, policies=(), owners=(), open_names=(), monitors=()):
    """Writes DIRECTORY/bus.conf and returns the command that runs the bus."""
    directory = os.path.realpath(directory)
    os.makedirs(directory, exist_ok=True)
    os.chmod(directory, 0o755)  # every uid may connect
    path = os.path.join(directory, 'bus.conf')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(configuration(os.path.join(directory, 'bus'), policies, owners, open_names, monitors))
    os.chmod(path, 0o644)
    program = shutil.which('dbus-daemon', path=os.environ.get('PATH', '') + ':/usr/bin:/bin')
    if not program:
        raise FileNotFoundError('no dbus-daemon here')
    return [program, f'--config-file={path}', '--nofork', '--nopidfile', '--print-address=1']


class PrivateBus:
    """A running bus; `address` is for DBUS_SYSTEM_BUS_ADDRESS. Ends with close() or at the end of `with`."""

    def __init__(self, directory, policies=(), log=None, **rules):
        self.process = subprocess.Popen(prepare(directory, policies, **rules), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        self.address = self.first_line(30 * float(os.environ.get('PULLAUTH_TEST_SLOW', '1')))

    def first_line(self, timeout):
        deadline, data = time.monotonic() + timeout, b''
        while b'\n' not in data:
            ready = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))[0]
            piece = os.read(self.process.stdout.fileno(), 4096) if ready else b''
            if not piece:
                self.close()
                raise RuntimeError('dbus-daemon did not start')
            data += piece
        return data.decode().strip()

    @property
    def environment(self):
        return {'DBUS_SYSTEM_BUS_ADDRESS': self.address}

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.process.stdout.closed:
            self.close()


def main():
    parser = argparse.ArgumentParser(description='runs a strict bus on a unix socket')
    parser.add_argument('directory')
    parser.add_argument('--policy', action='append', default=[])
    parser.add_argument('--own', action='append', default=[], metavar='NAME=UID')
    parser.add_argument('--open', action='append', default=[], metavar='NAME')
    options = parser.parse_args()
    owners = [tuple(rule.rsplit('=', 1)) for rule in options.own]
    try:
        command = prepare(options.directory, options.policy, owners, options.open)
    except FileNotFoundError as error:
        sys.exit(f'privatebus: {error}')
    os.execv(command[0], command)


if __name__ == '__main__':
    main()
