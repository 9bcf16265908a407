# SPDX-License-Identifier: LGPL-2.1-or-later
"""A polkit whose rules are a function of the test, and that remembers what it was asked."""

import threading

from client import Gio, GLib

XML = """<node><interface name="org.freedesktop.PolicyKit1.Authority">
  <method name="CheckAuthorization">
    <arg type="(sa{sv})" direction="in"/><arg type="s" direction="in"/><arg type="a{ss}" direction="in"/>
    <arg type="u" direction="in"/><arg type="s" direction="in"/><arg type="(bba{ss})" direction="out"/>
  </method>
  <method name="CancelCheckAuthorization"><arg type="s" direction="in"/></method>
</interface></node>"""
DO_NOT_QUEUE, OWNER = 4, 1  # DBUS_NAME_FLAG_DO_NOT_QUEUE, DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER


class Polkitd:
    """`rule(action, details)` is True, False, None (yes after a dialog), BROKEN (an error) or HOLD (no answer
    before release())."""

    HOLD = 'hold'
    BROKEN = 'broken'

    def __init__(self, address, rule=lambda action, details: False, slow=1):
        self.address = address
        self.rule = rule
        self.slow = slow
        self.questions = []  # (action, details)
        self.cancelled = []
        self.held = []
        self.owner = False
        self.changed = threading.Condition()
        ready = threading.Event()
        self.loop = None
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(20 * slow) and self.owner, 'another polkit has the name'

    def run(self, ready):
        context = GLib.MainContext.new()
        context.push_thread_default()
        flags = Gio.DBusConnectionFlags
        connection = Gio.DBusConnection.new_for_address_sync(
            self.address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
        connection.register_object('/org/freedesktop/PolicyKit1/Authority',
                                   Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0], self.on_call, None, None)
        result = connection.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                                      'RequestName', GLib.Variant('(su)', ('org.freedesktop.PolicyKit1', DO_NOT_QUEUE)),
                                      None, Gio.DBusCallFlags.NONE, -1, None)
        self.owner = result.unpack() == (OWNER,)
        self.loop = GLib.MainLoop.new(context, False)
        # From inside the loop: a quit() that comes before run() is lost, and the name would stay taken.
        started = GLib.idle_source_new()
        started.set_callback(lambda _: ready.set())
        started.attach(context)
        self.loop.run()
        connection.close_sync(None)

    def stop(self):
        self.loop.quit()
        self.thread.join(20 * self.slow)
        assert not self.thread.is_alive()

    def on_call(self, _connection, _sender, _path, _interface, method, parameters, invocation):
        with self.changed:
            if method == 'CheckAuthorization':
                _subject, action, details, _flags, _id = parameters.unpack()
                self.questions.append((action, details))
                verdict = self.rule(action, details)
                if verdict == self.HOLD:
                    self.held.append(invocation)
                else:
                    self.answer(invocation, verdict)
            else:
                self.cancelled.append(parameters.unpack()[0])
                invocation.return_value(None)
            self.changed.notify_all()

    @staticmethod
    def answer(invocation, verdict):
        if verdict == Polkitd.BROKEN:
            invocation.return_dbus_error('org.freedesktop.PolicyKit1.Error.Failed', 'polkit is broken')
            return
        invocation.return_value(GLib.Variant('((bba{ss}))', ((verdict is True, verdict is None, {}),)))

    def wait_asked(self, n=1, timeout=20):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.questions) >= n, timeout * self.slow), self.questions

    def wait_cancelled(self, n=1, timeout=20):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.cancelled) >= n, timeout * self.slow), self.questions

    def release(self, verdict=True):
        """Answers what is held."""
        with self.changed:
            held, self.held = self.held, []
        for invocation in held:
            self.answer(invocation, verdict)
