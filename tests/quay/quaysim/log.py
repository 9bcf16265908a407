# SPDX-License-Identifier: LGPL-2.1-or-later
"""The record of connections and requests, without the secrets that were in them."""

import base64
import binascii
import hashlib
import threading
import time

SECRET_HEADERS = ('authorization', 'proxy-authorization', 'cookie')


def digest(secret):
    """Enough of a hash to tell two secrets apart in a test, no way back from it."""
    return 'sha256:' + hashlib.sha256(secret.encode('utf-8', 'surrogateescape')).hexdigest()[:16]


def authorization(value):
    """The scheme, the user name of Basic, and a hash of the rest."""
    scheme, _, rest = value.strip().partition(' ')
    seen = {'scheme': scheme.lower(), 'length': len(value), 'hash': digest(rest)}
    if seen['scheme'] == 'basic':
        try:
            user, colon, password = base64.b64decode(rest).decode().partition(':')
        except (binascii.Error, ValueError):
            return seen
        if colon:
            seen.update(user=user, hash=digest(password))
    return seen


class Log:
    def __init__(self):
        self.changed = threading.Condition()
        self.requests = []
        self.connections = []
        self.numbers = 0

    def clear(self):
        with self.changed:
            self.requests, self.connections = [], []
            self.changed.notify_all()

    def connected(self, server, peer):
        with self.changed:
            self.numbers += 1
            entry = {'connection': self.numbers, 'server': server, 'time': time.time(), 'peer': peer, 'tls': None,
                     'error': None}
            self.connections.append(entry)
            self.changed.notify_all()
            return entry

    def arrived(self, server, connection, request):
        headers, known = [], None
        for name, value in request.headers:
            if name.lower() in SECRET_HEADERS:
                headers.append([name, digest(value)])
                if name.lower() == 'authorization':
                    known = authorization(value)
            else:
                headers.append([name, value])
        with self.changed:
            self.numbers += 1
            entry = {'number': self.numbers, 'server': server, 'connection': connection, 'time': time.time(),
                     'method': request.method, 'path': request.path, 'query': request.query, 'headers': headers,
                     'authorization': known, 'body_length': len(request.body), 'status': None, 'outcome': None}
            self.requests.append(entry)
            self.changed.notify_all()
            return entry

    def update(self, entry, **values):
        with self.changed:
            entry.update(values)
            self.changed.notify_all()

    def matching(self, path=None, server=None, method=None, since=0, ended=False):
        return [dict(entry) for entry in self.requests
                if (path is None or entry['path'] == path) and (server is None or entry['server'] == server)
                and (method is None or entry['method'] == method) and entry['number'] > since
                and (not ended or entry['outcome'] is not None)]

    def wait(self, at_least, timeout, **filters):
        """All that match, once there are so many; fewer if the time was over."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                found = self.matching(**filters)
                left = deadline - time.monotonic()
                if len(found) >= at_least or left <= 0:
                    return found
                self.changed.wait(left)
