# SPDX-License-Identifier: LGPL-2.1-or-later
"""A worker whose answers the test decides: the other end of the private door, on a thread of its own.

What it says on the wire is what model/door.c documents. It answers with a fresh credential unless `answer` is
replaced by a function from request (dict) to: a dict (the answer), None (never answer), an Exception (close the
connection), or Later (the answer comes when the test says so).
"""

import base64
import contextlib
import json
import os
import threading
import time

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

SLOW = float(os.environ.get('PULLAUTH_TEST_SLOW', '1'))
DOOR = Gio.DBusNodeInfo.new_for_xml("""<node><interface name="org.pullauth1.Worker">
  <method name="Obtain"><arg type="a{sv}" direction="in"/><arg type="a{sv}" direction="out"/></method>
  <method name="Cancel"><arg type="t" direction="in"/></method>
</interface></node>""").interfaces[0]

TYPES = {'User': 's', 'Secret': 'ay', 'Issued': 'x', 'Expires': 'x', 'ObtainedBoot': 't', 'Reason': 's', 'Step': 's',
         'HTTPStatus': 'i', 'RetryAfter': 't', 'Message': 's', 'Words': 's', 'Hint': 's', 'Issuer': 's',
         'Subject': 's', 'Algorithm': 's', 'KeyId': 's', 'Audience': 'as', 'IdentityIssued': 'x',
         'IdentityExpires': 'x', 'Notices': 'as', 'SkewKnown': 'b', 'Skew': 'x', 'IdentityTime': 't',
         'ExchangeTime': 't', 'VerificationTime': 't', 'Well': 'b', 'Trace': 'a(ssts)',
         'SecretName': 's', 'SecretType': 's', 'UID': 's', 'ResourceVersion': 's', 'Labels': 'a{ss}',
         'Annotations': 'a{ss}', 'Data': 'ay'}


def boot_usec():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


def segment(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b'=').decode()


def robot_token(robot, issued, expires, serial=0):
    """A JWT that looks like the ones a registry makes; its signature is nothing."""
    return '.'.join([segment({'alg': 'RS256', 'typ': 'JWT', 'kid': 'k'}),
                     segment({'iss': 'quay', 'aud': 'quay', 'sub': robot, 'iat': issued, 'exp': expires,
                              'jti': str(serial)}), 'c2lnbmF0dXJl'])


def failure(reason, step='exchange', message='It did not work', **more):
    return {'Reason': reason, 'Step': step, 'Message': message, **more}


def trace(registry, issuer, subject):
    """What a worker tells of a test that goes well, as far as it goes. test_end_to_end.py holds the words against the
    real one's."""
    said = [('token', 12, "from the source 'file'"), ('claims', 3, f'issuer {issuer}, subject {subject}'),
            ('dns', 1800, f'{registry}: the name has an address'), ('tcp', 11200, f'{registry}: connected'),
            ('tls', 24000, f'{registry}: the certificate is trusted'),
            ('exchange', 61000, f'{registry} gave a credential that lives 1h'),
            ('verification', 14000, f'the token endpoint of {registry} takes the credential')]
    return [(step, 'ok', usec, detail) for step, usec, detail in said]


class Later:
    """An answer that is held: the request is there once `asked` is set."""

    def __init__(self):
        self.asked = threading.Event()

    def hold(self, worker, invocation):
        self.worker, self.invocation = worker, invocation
        self.asked.set()

    def send(self, answer):
        self.worker.context.invoke_full(GLib.PRIORITY_DEFAULT,
                                        lambda *_: FakeWorker.send(self.invocation, answer) and False)


class FakeWorker:
    def __init__(self, path, owner=None):
        self.path = path
        self.lifetime = 3600
        self.requests = []  # all that were asked, in order
        self.cancelled = []
        self.tokens = []    # all secrets that were given out
        self.answer = self.credential
        self.connections = {}  # each with its registration
        self.context = GLib.MainContext.new()
        self.loop = GLib.MainLoop.new(self.context, False)
        started = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(owner, started), daemon=True)
        self.thread.start()
        if not started.wait(20 * SLOW):
            raise RuntimeError('the fake worker does not start')

    def run(self, owner, started):
        self.context.push_thread_default()
        self.server = Gio.DBusServer.new_sync(f'unix:path={self.path}', Gio.DBusServerFlags.NONE,
                                              Gio.dbus_generate_guid(), None, None)
        handler = self.server.connect('new-connection', self.on_connection)
        os.chmod(self.path, 0o600)
        if owner is not None:
            os.chown(self.path, owner, owner)
        self.server.start()
        started.set()
        self.loop.run()
        self.server.stop()
        # Its socket is closed with it: whoever waits there in the queue must not wait for ever.
        self.server.disconnect(handler)
        self.server = None
        for connection, registration in self.connections.items():
            connection.unregister_object(registration)  # which would hold us, and we it
            with contextlib.suppress(GLib.Error):  # it is being closed
                connection.get_stream().close(None)  # also one that its peer closed
        self.connections.clear()
        while self.context.iteration(False):
            pass
        self.context.pop_thread_default()

    def on_connection(self, _server, connection):
        registration = connection.register_object('/org/pullauth1/worker', DOOR, self.on_call, None, None)
        self.connections[connection] = registration
        return True

    @staticmethod
    def wait(condition, what, timeout=30):
        """What happens on the worker's thread tells nobody else."""
        deadline = time.monotonic() + timeout * SLOW
        while not condition():
            assert time.monotonic() < deadline, f'{what} did not happen within {timeout * SLOW} s'
            time.sleep(0.02)

    def is_connected(self):
        return any(not connection.is_closed() for connection in list(self.connections))

    def on_call(self, connection, _sender, _path, _interface, method, parameters, invocation):
        if method == 'Cancel':
            self.cancelled.append(parameters.unpack()[0])
            invocation.return_value(None)
            return
        request = parameters.unpack()[0]
        answer = self.answer(request)
        self.requests.append(request)
        if isinstance(answer, Exception):
            connection.close_sync(None)
        elif isinstance(answer, Later):
            answer.hold(self, invocation)
        elif answer is not None:
            self.send(invocation, answer)

    @staticmethod
    def send(invocation, answer):
        invocation.return_value(GLib.Variant('(a{sv})', (
            {key: GLib.Variant(TYPES[key], value) for key, value in answer.items()},)))

    def credential(self, request, lifetime=None, **more):
        if request.get('Kind', 'obtain') != 'obtain':
            return {'Well': True, 'Issuer': 'https://issuer.example', 'Subject': 'edge-1', **more}
        issued = int(time.time())
        expires = issued + (lifetime or self.lifetime)
        token = robot_token(request['Robot'], issued, expires, len(self.tokens))
        self.tokens.append(token)
        return {'User': request['Robot'], 'Secret': token.encode(), 'Issued': issued, 'Expires': expires,
                'ObtainedBoot': boot_usec(), 'Issuer': 'https://issuer.example', 'Subject': 'edge-1',
                'Algorithm': 'RS256', 'KeyId': 'k', 'Audience': ['quay'], 'IdentityExpires': expires, **more}

    def stop(self):
        if not self.thread.is_alive():
            return

        def quit_loop(*_):
            for connection in list(self.connections):
                if not connection.is_closed():
                    connection.close_sync(None)
            self.loop.quit()
            return False
        self.context.invoke_full(GLib.PRIORITY_DEFAULT, quit_loop)
        self.thread.join(20 * SLOW)
        if os.path.exists(self.path):
            os.unlink(self.path)
