# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes back to a client: the answer as a value, and the few shapes in which Quay and what stands before it
answer. Exceptions end a request early: Refusal carries an answer, Dropped means that none is sent."""

import http.client
import json

HTML = 'text/html'
JSON = 'application/json'


class Answer:
    def __init__(self, status, body=b'', content_type=JSON, headers=(), reason=None):
        self.status = status
        self.body = body.encode() if isinstance(body, str) else body
        self.headers = [('Content-Type', content_type)] if content_type else []
        self.headers += list(headers)
        self.reason = reason or http.client.responses.get(status, 'Unknown')
        self.content_length = None  # of an answer to HEAD that comes from another server

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def set_header(self, name, value):
        """Replaces all headers of that name; None removes them."""
        self.headers = [(key, old) for key, old in self.headers if key.lower() != name.lower()]
        if value is not None:
            self.headers.append((name, str(value)))


class Refusal(Exception):
    """The request is over and this is the answer."""

    def __init__(self, answer):
        super().__init__(answer.status)
        self.answer = answer


class Dropped(Exception):
    """A server process died or gave up: the connection closes without an answer."""


class GatewayTimeout(Exception):
    """Whoever asked something of another server waited longer than the front end lets it."""


def to_json(status, value, headers=()):
    return Answer(status, json.dumps(value, sort_keys=True, separators=(',', ':')) + '\n', JSON, headers)


def header_error(text):
    """First shape: something about the Authorization header."""
    return Refusal(to_json(401, {'error': text}))


def model_error(text):
    """Second shape: robot, federation or JWT."""
    return Refusal(to_json(400, {'message': text}))


def page(status, title, text):
    """Third shape: HTML of the application server, for what nobody caught."""
    return Answer(status, f'<html>\n  <head>\n    <title>{title}</title>\n  </head>\n  <body>\n'
                          f'    <h1><p>{title}</p></h1>\n    {text}\n  </body>\n</html>\n', HTML)


def server_error():
    return page(500, 'Internal Server Error', '')


def bad_request(text):
    answer = page(400, 'Bad Request', text)
    answer.headers.append(('Connection', 'close'))
    return answer


def not_found():
    return Answer(404, '<!doctype html>\n<html lang="en">\n  <head>\n    <meta charset="utf-8">\n'
                       '    <title>Quay</title>\n  </head>\n  <body>\n    <div id="app">404: no such page</div>\n'
                       '  </body>\n</html>\n', 'text/html; charset=utf-8')


def wrong_method(allowed='HEAD, OPTIONS, GET'):
    return Answer(405, '<!doctype html>\n<html lang=en>\n<title>405 Method Not Allowed</title>\n'
                       '<h1>Method Not Allowed</h1>\n', 'text/html; charset=utf-8', [('Allow', allowed)])


def gateway_error(status):
    title = f'{status} {http.client.responses[status]}'
    return Answer(status, f'<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>'
                          '</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n', HTML)


def read_only():
    return to_json(503, {'message': 'System is currently read-only. Pulls will succeed but all write operations '
                                    'are currently suspended.', 'is_readonly': True})


def registry_error(status, code, message, headers=()):
    """What /v2 says: a list of errors."""
    return to_json(status, {'errors': [{'code': code, 'detail': {}, 'message': message}]}, headers)
