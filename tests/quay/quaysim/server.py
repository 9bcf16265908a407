# SPDX-License-Identifier: LGPL-2.1-or-later
"""An HTTP/1.1 server over TLS, one thread per connection, that can misbehave at every point of an exchange.

A Listener owns the port and hands each connection to a Handler; the Handler parses requests, writes the log and
asks the Listener's `respond(request)` for an Answer. What Quay or the issuer say is decided elsewhere.
"""

import email.utils
import http.server
import select
import socket
import ssl
import struct
import threading
import time
import urllib.parse

from quaysim import answers, misbehaviour

HEADER_LINE = 8190  # what the application server before Quay takes in one header line
REQUEST_LINE = 4094
IDLE = 300
PATIENCE = 20


class Closed(Exception):
    """The connection has been closed on purpose."""


class Request:
    def __init__(self, handler, body):
        self.method = handler.command
        self.target = handler.path
        parts = urllib.parse.urlsplit(handler.path)
        self.path = urllib.parse.unquote(parts.path)
        self.raw_path = parts.path
        self.query = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        self.headers = handler.headers.items()
        self.body = body
        self.memory = handler.memory  # lives as long as the connection
        self.trouble = None           # the exception behind a 500, for the log

    def header(self, name, default=None):
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    def parameter(self, name, default=None):
        return next((value for key, value in self.query if key == name), default)


class Wire:
    """One connection below HTTP: what misbehaviour writes to, or ends."""

    def __init__(self, sock, clock, head_only=False):
        self.sock = sock
        self.clock = clock
        self.head_only = head_only
        self.status = None

    def send(self, data):
        if data:
            self.sock.sendall(data)

    def render_head(self, answer, declare=True):
        self.status = answer.status
        lines = [f'HTTP/1.1 {answer.status} {answer.reason}']
        if answer.header('Date') is None:
            lines.append(f'Date: {email.utils.formatdate(self.clock(), usegmt=True)}')
        lines += [f'{name}: {value}' for name, value in answer.headers]
        if declare and answer.header('Content-Length') is None and answer.status != 204:
            length = len(answer.body) if answer.content_length is None else answer.content_length
            lines.append(f'Content-Length: {length}')
        return ('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1', 'replace')

    def rendered(self, answer):
        head = self.render_head(answer)
        return head if self.head_only else head + answer.body

    def head(self, answer, declare=True):
        self.send(self.render_head(answer, declare))

    def answer(self, answer):
        self.send(self.rendered(answer))
        if (answer.header('Connection') or '').lower() == 'close':
            self.close()

    def wait(self, seconds, released):
        """Waits until the time is over or the rule is cleared. False if the client has left meanwhile."""
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self.sock.fileno(), select.POLLIN | select.POLLRDHUP)
        while not released.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            if any(event & (select.POLLRDHUP | select.POLLHUP | select.POLLERR)
                   for _, event in poll.poll(min(left, 0.05) * 1000)):
                return False
        return True

    def close(self):
        raise Closed

    def reset(self):
        """Ends the connection with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        raise ConnectionResetError


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = IDLE

    def __init__(self, sock, peer, listener, connection):
        self.connection_number = connection
        self.memory = {}
        super().__init__(sock, peer, listener)

    def log_message(self, format, *args):
        """Nothing on standard error: the log has it all."""

    def send_error(self, code, message=None, explain=None):
        """What the base class finds wrong with a request is an HTML 400 here, as before Quay."""
        self.close_connection = True
        answer = answers.bad_request(str(message or 'Bad Request'))
        self.connection.sendall(Wire(self.connection, self.server.clock).rendered(answer))

    def read_body(self):
        if 'chunked' in self.headers.get('Transfer-Encoding', '').lower():
            body = b''
            while True:
                size = int(self.rfile.readline().split(b';')[0], 16)
                body += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return body
        return self.rfile.read(int(self.headers.get('Content-Length') or 0))

    def refused_early(self):
        if len(self.requestline) > REQUEST_LINE:
            return answers.bad_request('Request Line is too large')
        if any(len(name) + len(value) + 2 > HEADER_LINE for name, value in self.headers.items()):
            return answers.bad_request('limit request headers fields size')
        return None

    def serve(self):
        try:
            request = Request(self, self.read_body())
        except (OSError, ValueError):
            self.close_connection = True
            return
        entry = self.server.log.arrived(self.server.name, self.connection_number, request)
        user = (entry['authorization'] or {}).get('user')
        rule = self.server.rules.take(self.server.name, request.path, request.method, user)
        wire = Wire(self.connection, self.server.clock, head_only=request.method == 'HEAD')
        outcome = 'answered' if rule is None else f'misbehaved: {rule.action}'

        def produce():
            return self.refused_early() or self.server.respond(request)

        try:
            if rule is None:
                wire.answer(produce())
            else:
                misbehaviour.perform(wire, rule, produce)
        except answers.Dropped:
            self.close_connection, outcome = True, 'dropped'
        except Closed:
            self.close_connection = True
        except (OSError, ValueError) as error:
            self.close_connection = True
            outcome = outcome if isinstance(error, ConnectionResetError) and rule else f'{outcome}, client left'
        finally:
            self.server.log.update(entry, status=wire.status, outcome=outcome, trouble=request.trouble)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve


class Listener:
    """A port with TLS on it. `respond` turns a Request into an Answer or raises Refusal or Dropped."""

    def __init__(self, name, host, port, certificates, log, rules, clock):
        self.name, self.host = name, host
        self.certificates, self.log, self.rules, self.clock = certificates, log, rules, clock
        self.certificate = 'good'
        self.decide = None
        self.open = set()
        self.changed = threading.Condition()  # of `open`
        self.sock = self.bound(port)
        self.port = self.sock.getsockname()[1]
        self.thread = None

    def bound(self, port):
        sock = socket.socket(socket.AF_INET6 if ':' in self.host else socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.host, port))
        return sock

    @property
    def address(self):
        return f'[{self.host}]:{self.port}' if ':' in self.host else f'{self.host}:{self.port}'

    def start(self):
        if self.thread is None:
            self.sock.listen(1024)
            self.thread = threading.Thread(target=self.accept, args=(self.sock,), daemon=True)
            self.thread.start()

    def pause(self):
        """The port stays ours, connections to it are refused and those that exist are cut."""
        if self.thread is not None:
            self.sock.shutdown(socket.SHUT_RDWR)
            self.thread.join()
            before, self.sock, self.thread = self.sock, self.bound(self.port), None
            before.close()
            self.cut()

    def cut(self):
        """Ends the connections that exist."""
        with self.changed:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def forget(self):
        """Nothing of what was asked before is carried out, or told, after this. Who comes meanwhile may stay."""
        with self.changed:
            before = set(self.open)
            self.cut()
            if not self.changed.wait_for(lambda: not before & self.open, PATIENCE):
                raise ValueError(f'{self.name}: what was asked before does not end')

    def accept(self, sock):
        while True:
            try:
                connection, peer = sock.accept()
            except OSError:
                return
            with self.changed:
                self.open.add(connection)
            threading.Thread(target=self.serve, args=(connection, peer), daemon=True).start()

    def respond(self, request):
        try:
            return self.decide(request)
        except answers.Refusal as refusal:
            return refusal.answer
        except answers.Dropped:
            raise
        except Exception as error:  # what nobody caught is a 500, there as here
            request.trouble = f'{type(error).__name__}: {error}'
            return answers.server_error()

    def serve(self, sock, peer):
        entry = self.log.connected(self.name, peer[1])
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(IDLE)
            rule = self.rules.take(self.name, misbehaviour.CONNECT)
            if rule is not None:
                self.log.update(entry, error=f'misbehaved: {rule.action}')
                misbehaviour.perform(Wire(sock, self.clock), rule, None)
            sock = self.wrapped(sock)
            sock.do_handshake()
            self.log.update(entry, tls=sock.version())
            Handler(sock, peer, self, entry['connection'])
        except (OSError, Closed) as error:
            if entry['tls'] is None and entry['error'] is None:
                self.log.update(entry, error=str(error))
        finally:
            self.end(sock)
            with self.changed:
                self.open.discard(sock)
                self.changed.notify_all()

    def wrapped(self, plain):
        """The descriptor goes over to another object: whoever cuts connections finds the one or the other."""
        context = self.certificates.contexts[self.certificate]
        with self.changed:
            self.open.discard(plain)
            sock = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            self.open.add(sock)
            return sock

    @staticmethod
    def end(sock):
        """Closes; with a close notification, so that clients can tell the end from an attack."""
        try:
            lingers = sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)[:4] != b'\0\0\0\0'
            if isinstance(sock, ssl.SSLSocket) and not lingers:
                sock.setblocking(False)
                sock.unwrap().shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            pass
        sock.close()
