# SPDX-License-Identifier: LGPL-2.1-or-later
"""The system bus of a machine, as root on the outside sees it: calls, properties, and waiting for them to change.

Waiting never polls: it subscribes first, then looks, then sleeps until a signal comes or the time is over.
"""

import contextlib

from gi.repository import Gio, GLib
from limits import slow

PROPERTIES = 'org.freedesktop.DBus.Properties'


def brief(properties):
    return str({key: value for key, value in properties.items() if value and isinstance(value, (str, int))})[:1500]


class BusError(Exception):
    def __init__(self, error):
        super().__init__(error.message)
        self.name = Gio.DBusError.get_remote_error(error)


class SystemBus:
    def __init__(self, socket):
        self.context = GLib.MainContext.new()
        self.context.push_thread_default()
        try:
            self.connection = Gio.DBusConnection.new_for_address_sync(
                f'unix:path={socket}', Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
                | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        finally:
            self.context.pop_thread_default()

    def close(self):
        with contextlib.suppress(GLib.Error):  # the bus may be gone
            self.connection.close_sync(None)

    def call(self, name, path, interface, member, arguments=None, seconds=60):
        """The results as Python values: none, one, or a tuple. `arguments` is a GLib.Variant of a tuple."""
        try:
            reply = self.connection.call_sync(name, path, interface, member, arguments, None,
                                              Gio.DBusCallFlags.NONE, int(seconds * slow() * 1000), None)
        except GLib.Error as error:
            raise BusError(error) from None
        values = reply.unpack()
        return values[0] if len(values) == 1 else values or None

    def get(self, name, path, interface, prop):
        return self.call(name, path, PROPERTIES, 'Get', GLib.Variant('(ss)', (interface, prop)))

    def get_all(self, name, path, interface):
        return self.call(name, path, PROPERTIES, 'GetAll', GLib.Variant('(s)', (interface,)))

    @contextlib.contextmanager
    def signals(self, name, path, interface, member, first_argument=None):
        """Yields wait(is_enough, seconds), which returns when is_enough() says yes; it is asked at the beginning
        and after each such signal."""
        seen = []
        self.context.push_thread_default()
        slot = self.connection.signal_subscribe(name, interface, member, path, first_argument,
                                                Gio.DBusSignalFlags.NONE, lambda *_: seen.append(True))
        # A round trip: from here on no signal is missed, also of what happens without a message of ours.
        self.call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'GetId')

        def wait(is_enough, seconds):
            over = []
            limit = GLib.timeout_source_new(int(seconds * slow() * 1000))
            limit.set_callback(lambda *_: over.append(True))
            limit.attach(self.context)
            try:
                while not is_enough(seen):
                    before = len(seen)
                    while len(seen) == before and not over:
                        self.context.iteration(True)
                    if over:
                        raise TimeoutError(f'no {member} of {path} that would do in {seconds} s')
            finally:
                limit.destroy()

        try:
            yield wait
        finally:
            self.connection.signal_unsubscribe(slot)
            self.context.pop_thread_default()

    @contextlib.contextmanager
    def expecting(self, name, path, interface, member):
        """Yields wait(): until the signal has come since the beginning of the with block."""
        with self.signals(name, path, interface, member) as wait:
            yield lambda seconds=30: wait(bool, seconds)

    def wait(self, name, path, interface, is_reached, seconds=30):
        """Waits until is_reached() says yes of all properties; returns them."""
        properties = {}

        def is_enough(_):
            properties.update(self.get_all(name, path, interface))
            return is_reached(properties)

        with self.signals(name, path, PROPERTIES, 'PropertiesChanged', interface) as wait:
            try:
                wait(is_enough, seconds)
            except TimeoutError as error:
                raise TimeoutError(f'{error}: {brief(properties)}') from None
        return properties


class Units:
    """systemd's own objects on that bus."""

    NAME, PATH, MANAGER = 'org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'

    def __init__(self, bus):
        self.bus = bus
        bus.call(self.NAME, self.PATH, self.MANAGER, 'Subscribe')

    def path(self, unit):
        return self.bus.call(self.NAME, self.PATH, self.MANAGER, 'LoadUnit', GLib.Variant('(s)', (unit,)))

    def service(self, unit):
        return self.bus.get_all(self.NAME, self.path(unit), 'org.freedesktop.systemd1.Service')

    def state(self, unit):
        return self.bus.get(self.NAME, self.path(unit), 'org.freedesktop.systemd1.Unit', 'ActiveState')

    def wait_state(self, unit, *states, seconds=30):
        return self.bus.wait(self.NAME, self.path(unit), 'org.freedesktop.systemd1.Unit',
                             lambda unit: unit['ActiveState'] in states, seconds)['ActiveState']

    def wait_substate(self, unit, *states, seconds=30):
        return self.bus.wait(self.NAME, self.path(unit), 'org.freedesktop.systemd1.Unit',
                             lambda unit: unit['SubState'] in states, seconds)['SubState']

    def wait_service(self, unit, is_reached, seconds=30):
        return self.bus.wait(self.NAME, self.path(unit), 'org.freedesktop.systemd1.Service', is_reached, seconds)
