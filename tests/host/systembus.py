# SPDX-License-Identifier: LGPL-2.1-or-later
"""The system bus of a machine, as root on the outside sees it: calls, properties, and waiting for them to change.

Waiting never polls: it subscribes first, then looks, then sleeps until a signal comes or the time is over.
"""

from gi.repository import Gio, GLib
from limits import slow

PROPERTIES = 'org.freedesktop.DBus.Properties'


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

    def wait(self, name, path, interface, is_reached, seconds=30):
        """Waits until is_reached() says yes of all properties; returns them."""
        changes = []
        self.context.push_thread_default()
        slot = self.connection.signal_subscribe(name, PROPERTIES, 'PropertiesChanged', path, interface,
                                                Gio.DBusSignalFlags.NONE, lambda *_: changes.append(True))
        over = []
        limit = GLib.timeout_source_new(int(seconds * slow() * 1000))
        limit.set_callback(lambda *_: over.append(True))
        limit.attach(self.context)
        try:
            properties = self.get_all(name, path, interface)
            while not is_reached(properties):
                changes.clear()
                while not changes:
                    if over:
                        raise TimeoutError(f'{path} of {name} did not get there in {seconds} s: {properties}')
                    self.context.iteration(True)
                properties = self.get_all(name, path, interface)
            return properties
        finally:
            limit.destroy()
            self.connection.signal_unsubscribe(slot)
            self.context.pop_thread_default()


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
