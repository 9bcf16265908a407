# SPDX-License-Identifier: LGPL-2.1-or-later
"""The control API: plain http on loopback, one operation per path, JSON in and out.

POST /NAME with an object of parameters does something, GET /NAME?key=value only looks. README.md lists them.
"""

import base64
import http.server
import json
import threading
import urllib.parse


class Operations:
    """Each public method is one path, with `-` in place of `_`."""

    def __init__(self, rig, ended):
        self._rig = rig
        self._ended = ended
        self._stopping = False

    def rig(self):
        return self._rig.describe()

    def state(self):
        return {**self._rig.state.describe(), 'issuer': self._rig.issuer.describe(),
                'misbehaviour': self._rig.rules.describe()}

    def reset(self, clock_offset=0):
        self._rig.reset(clock_offset)
        return {}

    def settings(self, **values):
        self._rig.state.configure(**values)
        return dict(self._rig.state.settings)

    def robot(self, name, delete=False, **values):
        if delete:
            with self._rig.state.lock:
                self._rig.state.robots.pop(name, None)
            return {}
        robot = self._rig.state.put_robot(name, **values)
        return {**robot.describe(), 'static_token': robot.static_token}

    def owner(self, name, disabled):
        with self._rig.state.lock:
            (self._rig.state.disabled.add if disabled else self._rig.state.disabled.discard)(name)
        return {}

    def repository(self, name, public=False, delete=False):
        with self._rig.state.lock:
            if delete:
                self._rig.state.repositories.pop(name, None)
            else:
                self._rig.state.repositories[name] = {'public': public}
        return {}

    def push(self, repository, tag='latest', files=None, programs=None):
        """A new image in the registry; its repository must be known to Quay as well. Programs come in base64."""
        if not self._rig.registry:
            raise ValueError('there is no registry')
        self._rig.pusher.push(repository, tag, {name: text.encode() for name, text in (files or {}).items()},
                              {name: base64.b64decode(text) for name, text in (programs or {}).items()})
        return {}

    def misbehave(self, **rule):
        return {'rule': self._rig.rules.add(rule).number}

    def let_go(self, rule):
        self._rig.rules.let_go(rule)
        return {}

    def clear(self, rule=None):
        self._rig.rules.clear(rule)
        return {}

    def requests(self, at_least=0, timeout=0, since=0, ended=False, **filters):
        return self._rig.log.wait(int(at_least), float(timeout), since=int(since), ended=ended, **filters)

    def connections(self):
        with self._rig.log.changed:
            return [dict(entry) for entry in self._rig.log.connections]

    def forget(self):
        self._rig.log.clear()
        return {}

    def audit(self):
        with self._rig.state.lock:
            return {'rows': list(self._rig.state.audit), 'logins': self._rig.state.count('login_success'),
                    'exchanges': self._rig.state.count('federated_robot_token_exchange')}

    def jwt(self, **parameters):
        return {'jwt': self._rig.issuer.mint(**parameters)}

    def robot_token(self, robot, **parameters):
        return {'token': self._rig.signer.robot_token(robot, **parameters)}

    def issuer(self, **parameters):
        self._rig.issuer.configure(**parameters)
        return self._rig.issuer.describe()

    def rotate(self, keep_old=False):
        return {'kid': self._rig.issuer.rotate(keep_old)}

    def quay(self, certificate=None, listening=None):
        listener = self._rig.quay_listener
        if certificate is not None:
            if certificate not in listener.certificates.contexts:
                raise ValueError(f'certificate is one of {", ".join(listener.certificates.contexts)}')
            listener.certificate = certificate
        if listening is not None:
            (listener.start if listening else listener.pause)()
        return {'certificate': listener.certificate, 'listening': listener.thread is not None}

    def token_file(self, fresh=None, text=None, **parameters):
        """Writes the token file at once, with a JWT of these parameters or with any text. `fresh`: goes on."""
        if not self._rig.token_file:
            raise ValueError('there is no token file')
        self._rig.token_file.write(text=text, fresh=fresh, **parameters)
        return {'writes': self._rig.token_file.writes}

    def token_writes(self, at_least=0, timeout=0):
        """How often the token file has been written, once it was so often or the time is over."""
        return {'writes': self._rig.token_file.wait(at_least, timeout)}

    def stop(self):
        self._stopping = True  # once the answer is out
        return {}


READING = ('rig', 'state', 'requests', 'connections', 'audit')


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, format, *args):
        """Nothing on standard error."""

    def reply(self, status, value):
        body = (json.dumps(value) + '\n').encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def perform(self, name, parameters):
        try:
            operation = getattr(self.server.operations, name.replace('-', '_'), None)
            if name.startswith('_') or operation is None:
                self.reply(404, {'error': f'no operation {name}'})
            else:
                self.reply(200, operation(**parameters))
            if self.server.operations._stopping:
                self.server.operations._ended.set()
        except (TypeError, ValueError, KeyError) as error:
            self.reply(400, {'error': f'{type(error).__name__}: {error}'})

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        name = parts.path.strip('/') or 'rig'
        if name not in READING:
            self.reply(405, {'error': 'POST it'})
        else:
            self.perform(name, dict(urllib.parse.parse_qsl(parts.query)))

    def do_POST(self):
        try:
            parameters = json.loads(self.rfile.read(int(self.headers.get('Content-Length') or 0)) or b'{}')
        except ValueError as error:
            self.reply(400, {'error': str(error)})
            return
        self.perform(urllib.parse.urlsplit(self.path).path.strip('/'), parameters)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


class Control:
    def __init__(self, rig, ended):
        self.server = Server(('127.0.0.1', 0), Handler)
        self.server.operations = Operations(rig, ended)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
