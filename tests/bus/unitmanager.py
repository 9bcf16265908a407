# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of systemd's bus interface that reloads units, played by a test."""

from client import GLib
from stub import Stub

PATH, INTERFACE = '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'


class UnitManager(Stub):
    """`answer(unit)` is the result of the job ("done", "failed" …), None (the job goes on until end()), HOLD (no
    answer), or the name of an error and its words."""

    HOLD = 'hold'
    NAME, PATH = 'org.freedesktop.systemd1', PATH
    XML = f"""<node><interface name="{INTERFACE}">
      <method name="ReloadOrTryRestartUnit">
        <arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="o" direction="out"/>
      </method>
      <signal name="JobRemoved"><arg type="u"/><arg type="o"/><arg type="s"/><arg type="s"/></signal>
    </interface></node>"""

    def __init__(self, address, answer=lambda unit: 'done', slow=1):
        self.answer = answer
        self.asked = []  # (unit, mode, time)
        super().__init__(address, slow)

    def on_call(self, _connection, _sender, _path, _interface, _method, parameters, invocation):
        unit, mode = parameters.unpack()
        with self.changed:
            self.asked.append((unit, mode, GLib.get_monotonic_time()))
            number, answer = len(self.asked), self.answer(unit)
            if isinstance(answer, tuple):
                invocation.return_dbus_error(*answer)
            elif answer != self.HOLD:
                invocation.return_value(GLib.Variant('(o)', (f'{PATH}/job/{number}',)))
                if answer:
                    self.end(unit, answer)
            self.changed.notify_all()

    def end(self, unit, result, number=None):
        """Of the latest job, unless another one is named."""
        number = number or len(self.asked)
        self.connection.emit_signal(None, PATH, INTERFACE, 'JobRemoved', GLib.Variant(
            '(uoss)', (number, f'{PATH}/job/{number}', unit, result)))

    def wait_asked(self, n=1, timeout=40):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.asked) >= n, timeout * self.slow), self.asked
