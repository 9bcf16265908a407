# SPDX-License-Identifier: LGPL-2.1-or-later
"""A caller on the bus that can wait: for signals, never for time alone."""

import contextlib
import os
import time

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

NAME, ROOT = 'org.pullauth1', '/org/pullauth1'
MANAGER, JOB = 'org.pullauth1.Manager', 'org.pullauth1.Job'
PROPERTIES = 'org.freedesktop.DBus.Properties'


@contextlib.contextmanager
def being(uid, gid):
    """Who connects meanwhile is this user, and in no other group: the bus looks at the moment of connecting alone."""
    before = os.geteuid(), os.getegid(), os.getgroups()
    os.setgroups([])
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(before[0])
        os.setegid(before[1])
        os.setgroups(before[2])


class Pending:
    """A call that has no answer yet."""

    def __init__(self, client, name, path, interface, method, parameters):
        self.client, self.what = client, method
        self.reply = self.error = None
        client.connection.call(name, path, interface, method, parameters, None, Gio.DBusCallFlags.NONE,
                               700000 * client.slow, None, self.on_reply)

    def on_reply(self, connection, result):
        try:
            self.reply = connection.call_finish(result).unpack()
        except GLib.Error as error:
            self.error = (Gio.dbus_error_get_remote_error(error), error.message)

    @property
    def done(self):
        """Looks at what has come: an answer that came before that to a later call counts."""
        while self.client.context.iteration(False):
            pass
        return self.reply is not None or self.error is not None

    def settle(self, timeout=20):
        """Waits for the answer, whatever it is."""
        late = []
        source = GLib.timeout_add(int(timeout * 1000 * self.client.slow), lambda: late.append(True) or False)
        while not self.done and not late:
            self.client.context.iteration(True)
        if not late:
            GLib.source_remove(source)
        assert self.done, f'{self.what} gave no answer'
        return self

    def finish(self, timeout=20):
        """Returns what the call returns; an error is an AssertionError."""
        self.settle(timeout)
        assert not self.error, self.error
        return self.reply[0] if len(self.reply) == 1 else self.reply

    def failure(self, timeout=20):
        """The error that the call ends in."""
        try:
            reply = self.finish(timeout)
        except AssertionError:
            if self.error:
                return self.error
            raise
        raise AssertionError(f'no error but {reply!r}')


class Client:
    def __init__(self, address, slow=1, user=None):
        """`user`: (uid, gid), for root alone."""
        flags = Gio.DBusConnectionFlags
        with being(*user) if user else contextlib.nullcontext():
            self.connection = Gio.DBusConnection.new_for_address_sync(
                address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
        self.context = GLib.MainContext.default()
        self.slow = slow
        self.signals = []  # (path, interface, member, arguments)
        self.subscription = self.connection.signal_subscribe(None, None, None, None, None, Gio.DBusSignalFlags.NONE,
                                                             self.on_signal)
        self.owner()  # a round trip: from here on no signal is missed

    def close(self):
        """Gives its descriptors back: a thousand tests run in one process."""
        self.connection.signal_unsubscribe(self.subscription)
        with contextlib.suppress(GLib.Error):  # the bus may be gone
            self.connection.close_sync(None)

    def on_signal(self, _connection, _sender, path, interface, member, parameters):
        self.signals.append((path, interface, member, parameters.unpack()))

    def call(self, interface, method, signature=None, *arguments, path=ROOT, name=NAME):
        parameters = GLib.Variant(f'({signature})', arguments) if signature else None
        reply = self.connection.call_sync(name, path, interface, method, parameters, None,
                                          Gio.DBusCallFlags.NONE, 20000 * self.slow, None).unpack()
        return reply[0] if len(reply) == 1 else reply

    def call_with_descriptor(self, method, signature, *arguments):
        """A call whose answer has a descriptor in it: the values, and the descriptor in their place."""
        reply, descriptors = self.connection.call_with_unix_fd_list_sync(
            NAME, ROOT, MANAGER, method, GLib.Variant(f'({signature})', arguments), None, Gio.DBusCallFlags.NONE,
            20000 * self.slow, None, None)
        values = list(reply.unpack())
        at = reply.get_type_string().index('h') - 1
        values[at] = descriptors.get(values[at])
        return values

    def begin(self, interface, method, signature=None, *arguments, path=ROOT, name=NAME):
        """The same without waiting for the answer."""
        return Pending(self, name, path, interface, method,
                       GLib.Variant(f'({signature})', arguments) if signature else None)

    def error_of(self, *arguments, **more):
        """The D-Bus name and the text of the error that a call ends in."""
        try:
            reply = self.call(*arguments, **more)
        except GLib.Error as error:
            return Gio.dbus_error_get_remote_error(error), error.message
        raise AssertionError(f'no error but {reply!r}')

    def wait(self, condition, what='it', timeout=20):
        """Returns what `condition` returns once that is true; looks again at each signal."""
        deadline = time.monotonic() + timeout * self.slow
        late = []
        while True:
            seen = len(self.signals)
            found = condition()
            if found:
                return found
            left = deadline - time.monotonic()
            if left <= 0 or late:
                raise AssertionError(f'{what} did not happen within {timeout * self.slow} s, signals: '
                                     f'{[signal[:3] for signal in self.signals[-5:]]}')
            source = GLib.timeout_add(max(1, int(left * 1000)), lambda: late.append(True) or False)
            while len(self.signals) == seen and not late:
                self.context.iteration(True)
            if not late:
                GLib.source_remove(source)

    def poll(self, condition, what, timeout=20):
        """For what no signal tells of; wait() is the better one."""
        deadline = time.monotonic() + timeout * self.slow
        while not condition():
            assert time.monotonic() < deadline, f'{what} did not happen within {timeout * self.slow} s'
            time.sleep(0.02)

    def owner(self):
        return self.call('org.freedesktop.DBus', 'NameHasOwner', 's', NAME, path='/org/freedesktop/DBus',
                         name='org.freedesktop.DBus')

    def manager(self, member=None):
        if member:
            return self.call(PROPERTIES, 'Get', 'ss', MANAGER, member)
        return self.call(PROPERTIES, 'GetAll', 's', MANAGER)

    def path(self, name):
        return self.call(MANAGER, 'GetJob', 's', name)

    def job(self, name, member=None):
        if member:
            return self.call(PROPERTIES, 'Get', 'ss', JOB, member, path=self.path(name))
        return self.call(PROPERTIES, 'GetAll', 's', JOB, path=self.path(name))

    def jobs(self):
        return {row[0]: row for row in self.call(MANAGER, 'ListJobs')}

    def wait_job(self, name, timeout=20, **wanted):
        """Waits until the properties have these values (a function: until it says yes)."""
        last = {}

        def matches():
            last.clear()
            last.update(self.job(name))
            return all(check(last[key]) if callable(check) else last[key] == check for key, check in wanted.items())
        try:
            self.wait(matches, f'job {name} with {wanted}', timeout)
        except AssertionError as error:
            shown = {key: last.get(key) for key in ('State', 'Reason', 'Message', 'Hint', 'TargetStates', *wanted)}
            raise AssertionError(f'{error}; last seen {shown}') from None
        return dict(last)
