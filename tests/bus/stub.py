# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service on the bus that a test plays itself: a connection with a name, an object, and a loop in a thread."""

import contextlib
import threading

from client import NAME, ROOT, Gio, GLib

DO_NOT_QUEUE, OWNER = 4, 1  # DBUS_NAME_FLAG_DO_NOT_QUEUE, DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER


class Stub:
    """Calls come to on_call(), in that thread."""

    NAME = PATH = XML = None

    def __init__(self, address, slow=1):
        self.address = address
        self.slow = slow
        self.owner = False
        self.changed = threading.Condition()
        ready = threading.Event()
        self.connection = self.loop = None
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(20 * slow) and self.owner, f'another {self.NAME} is there'

    def run(self, ready):
        context = GLib.MainContext.new()
        context.push_thread_default()
        flags = Gio.DBusConnectionFlags
        self.connection = Gio.DBusConnection.new_for_address_sync(
            self.address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
        interface = Gio.DBusNodeInfo.new_for_xml(self.XML).interfaces[0]
        registered = self.connection.register_object(self.PATH, interface, self.on_call, None, None)
        result = self.connection.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                                           'RequestName', GLib.Variant('(su)', (self.NAME, DO_NOT_QUEUE)), None,
                                           Gio.DBusCallFlags.NONE, -1, None)
        self.owner = result.unpack() == (OWNER,)
        self.loop = GLib.MainLoop.new(context, False)
        # From inside the loop: a quit() that comes before run() is lost, and the name would stay taken.
        started = GLib.idle_source_new()
        started.set_callback(lambda _: ready.set())
        started.attach(context)
        self.loop.run()
        self.connection.unregister_object(registered)  # which would hold us, and we it
        with contextlib.suppress(GLib.Error):  # the bus may be gone
            self.connection.close_sync(None)
        while context.iteration(False):
            pass
        context.pop_thread_default()
        self.connection = self.loop = None

    def wait_heard(self):
        """Returns once the daemon has dealt with all that we sent before: what one connection sends comes in order."""
        self.connection.call_sync(NAME, ROOT, 'org.freedesktop.DBus.Peer', 'Ping', None, None,
                                  Gio.DBusCallFlags.NO_AUTO_START, 20000 * self.slow, None)

    def stop(self):
        loop = self.loop
        if loop:
            loop.quit()
        self.thread.join(20 * self.slow)
        assert not self.thread.is_alive()

    def on_call(self, _connection, _sender, _path, _interface, method, parameters, invocation):
        raise NotImplementedError
