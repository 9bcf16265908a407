# SPDX-License-Identifier: LGPL-2.1-or-later
"""One user calls every method as fast as the bus takes it: others are answered, and refreshes go on. Times are shown,
not judged."""

import pwd
import subprocess
import time

import pytest
from rig import DAEMON_UID, ROOT, SLOW, STRANGER_UID, as_user

MANAGER = 'org.pullauth1.Manager'
SECONDS = 4
pytestmark = pytest.mark.skipif(not ROOT, reason='calls as several users can be made by root alone')

FLOOD = '''if True:
    import gi, sys, time
    from gi.repository import Gio, GLib
    flags = Gio.DBusConnectionFlags
    end = time.monotonic() + float(sys.argv[2])
    calls = [('ListJobs', None), ('GetMetrics', None), ('GetJob', GLib.Variant('(s)', ('edge',))),
             ('RefreshJob', GLib.Variant('(s)', ('edge',))), ('RefreshAll', None), ('Reload', None),
             ('GetCredential', GLib.Variant('(s)', ('edge',))), ('RenderTarget', GLib.Variant('(s)', ('system',))),
             ('WaitJobs', GLib.Variant('(ast)', (['edge'], 60000000)))]
    connections = [Gio.DBusConnection.new_for_address_sync(
        sys.argv[1], flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None) for _ in range(8)]
    context, open_calls, sent = GLib.MainContext.default(), [0], 0
    def done(connection, result):
        open_calls[0] -= 1
        try:
            connection.call_finish(result)
        except GLib.Error:
            pass
    while time.monotonic() < end:
        while open_calls[0] < 400:
            method, arguments = calls[sent % len(calls)]
            connections[sent % 8].call('org.pullauth1', '/org/pullauth1', 'org.pullauth1.Manager', method, arguments,
                                       None, 0, 30000, None, done)
            open_calls[0] += 1
            sent += 1
        context.iteration(True)
    print(sent)
'''


def other_user():
    return next(entry.pw_uid for entry in pwd.getpwall()
                if entry.pw_uid not in (0, DAEMON_UID, STRANGER_UID) and entry.pw_uid < 60000)


def test_a_flood_of_one_user_stops_nobody_else(edge):
    polkit = edge.polkit()
    flood = subprocess.Popen(['/usr/bin/python3', '-c', FLOOD, edge.address, str(SECONDS)], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, text=True, env=edge.environment(), **as_user(STRANGER_UID))
    times = []
    try:
        end = time.monotonic() + SECONDS
        while flood.poll() is None and (time.monotonic() < end or not times):
            started = time.monotonic()
            assert edge.client.jobs()['edge']
            times.append(time.monotonic() - started)
        before = edge.client.job('edge', 'Refreshes')
        edge.client.call(MANAGER, 'RefreshAll')
        edge.client.wait_job('edge', timeout=60, Refreshes=lambda n: n > before)
        result = edge.run_as(other_user(), 'busctl', '--system', 'call', 'org.pullauth1', '/org/pullauth1', MANAGER,
                             'WaitJobs', 'ast', '0', '0')
        assert result.returncode == 0, result.stderr
        sent = int(flood.communicate(timeout=120 * SLOW)[0])
    finally:
        flood.kill()
        flood.wait()
    times.sort()
    print(f'# flood of {sent} calls in {SECONDS} s: {len(times)} calls of another user answered, median '
          f'{times[len(times) // 2] * 1000:.1f} ms, longest {times[-1] * 1000:.1f} ms')
    assert polkit and edge.client.job('edge', 'State') == 'fresh'
