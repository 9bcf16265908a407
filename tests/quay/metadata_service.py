# SPDX-License-Identifier: LGPL-2.1-or-later
"""A metadata service as clouds have it: plain http, strict about what it is asked.

A service is a function from a Question to (status, headers, body). What it does not like it notes in `complaints`,
which the fixture holds to be empty, so that a wrong question cannot hide behind a right answer. `body` may be an
iterator: then each piece goes out as it comes, and the connection is the end.
"""

import http.server
import json
import socket
import threading
import urllib.parse


class Question:
    def __init__(self, handler, body):
        self.method, self.target, self.body = handler.command, handler.path, body
        parts = urllib.parse.urlsplit(handler.path)
        self.path = parts.path
        self.query = urllib.parse.parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        self.headers = [(key.lower(), value) for key, value in handler.headers.items()]

    def header(self, name):
        """None if it is not there exactly once."""
        found = [value for key, value in self.headers if key == name.lower()]
        return found[0] if len(found) == 1 else None


def to_json(status, value):
    return status, {'Content-Type': 'application/json'}, json.dumps(value).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def respond(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        status, headers, answer = self.server.service.take(Question(self, body))
        self.close_connection = True
        self.send_response(status)
        whole = isinstance(answer, bytes)
        length = {'Content-Length': len(answer)} if whole else {}
        for key, value in {**headers, **length, 'Connection': 'close'}.items():
            self.send_header(key, value)
        self.end_headers()
        try:
            for piece in [answer] if whole else answer:
                self.wfile.write(piece)
        except OSError:
            pass  # it was enough

    do_GET = do_POST = do_PUT = respond

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class Service:
    def __init__(self, decide):
        self.decide = decide
        self.complaints, self.asked, self.port = [], [], 0
        self.server = self.kept = None
        self.go_on()
        self.url = f'http://127.0.0.1:{self.port}'

    def take(self, question):
        self.asked.append(question)
        return self.decide(question)

    def complain(self, text, status=400):
        self.complaints.append(text)
        return to_json(status, {'error': 'invalid_request', 'error_description': text})

    def go_on(self):
        """Starts, or starts again on the same port."""
        if self.server is None:
            self.server = Server(('127.0.0.1', self.port), Handler)
            self.server.service, self.port = self, self.server.server_address[1]
            self.let_go()
            threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def pause(self):
        """Connections are refused, the port stays ours."""
        if self.server is not None:
            self.server.shutdown()
            self.server.socket.shutdown(socket.SHUT_RDWR)
            self.kept = socket.socket()
            self.kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.kept.bind(('127.0.0.1', self.port))
            self.server.server_close()
            self.server = None

    def let_go(self):
        if self.kept:
            self.kept.close()
            self.kept = None

    def close(self):
        self.pause()
        self.let_go()
