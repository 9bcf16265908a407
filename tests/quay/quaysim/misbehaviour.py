# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a server can be told to do wrong, and for how long.

A rule names a server, a path pattern and an action, and holds for the next `count` requests that match, or
until it is cleared. Actions get a Wire (the connection, one level below HTTP) and a function that makes the true
answer; most of them do carry out the request and only spoil what comes back, as real trouble does. README.md
has the table of actions and their parameters.
"""

import base64
import fnmatch
import inspect
import threading

from quaysim.answers import Answer, to_json

FOREVER = 3600.0
CONNECT = '@connect'  # as the path of a rule: before TLS, whatever is asked afterwards


class Rule:
    def __init__(self, number, rule):
        unknown = set(rule) - {'action', 'server', 'path', 'method', 'user', 'count', 'skip', 'hold', 'parameters'}
        if unknown:
            raise ValueError(f'unknown in a rule: {", ".join(sorted(unknown))}')
        self.number = number
        self.action = rule['action']
        self.server = rule.get('server', 'quay')
        self.path = rule.get('path', '*')
        self.method = rule.get('method')
        self.user = rule.get('user')
        self.left = rule.get('count')
        self.skip = rule.get('skip', 0)
        self.parameters = rule.get('parameters', {})
        self.hits = 0
        self.released = threading.Event()
        self.let_go = threading.Event()
        if not rule.get('hold'):
            self.let_go.set()
        known = CONNECT_ACTIONS if self.path == CONNECT else ACTIONS
        if self.action not in known:
            raise ValueError(f'{self.action} is none of {", ".join(sorted(known))}')
        try:
            inspect.signature(known[self.action]).bind(None, self, None, **self.parameters)
            if self.action in ('change', 'answer'):
                inspect.signature(changed).bind(None, **self.parameters)
        except TypeError as error:
            raise ValueError(f'{self.action}: {error}') from error

    def matches(self, server, path, method, user):
        return (self.server in (server, '*') and (path == CONNECT) == (self.path == CONNECT)
                and fnmatch.fnmatchcase(path, self.path) and (self.method is None or self.method == method)
                and (self.user is None or self.user == user))

    def describe(self):
        return {'rule': self.number, 'action': self.action, 'server': self.server, 'path': self.path,
                'left': self.left, 'hits': self.hits}


class Rules:
    """First match wins, in the order in which the rules were made."""

    def __init__(self):
        self.lock = threading.Lock()
        self.rules = []
        self.made = 0

    def add(self, description):
        with self.lock:
            self.made += 1
            rule = Rule(self.made, description)
            self.rules.append(rule)
            return rule

    def clear(self, number=None):
        """Also lets go of the connections that hang because of a cleared rule."""
        with self.lock:
            gone = [rule for rule in self.rules if number in (None, rule.number)]
            self.rules = [rule for rule in self.rules if rule not in gone]
        for rule in gone:
            rule.released.set()
            rule.let_go.set()

    def let_go(self, number):
        with self.lock:
            found = [rule for rule in self.rules if rule.number == number]
        for rule in found:
            rule.let_go.set()

    def take(self, server, path, method=None, user=None):
        with self.lock:
            for rule in self.rules:
                if rule.left == 0 or not rule.matches(server, path, method, user):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                if rule.left is not None:
                    rule.left -= 1
                rule.hits += 1
                return rule
        return None

    def describe(self):
        with self.lock:
            return [rule.describe() for rule in self.rules]


def part(wire, answer, after):
    """Sends the answer up to a point: nothing, its head, or its head and half of its body."""
    if after in ('headers', 'body'):
        wire.head(answer)
    if after == 'body':
        wire.send(answer.body[:len(answer.body) // 2])


def delay(wire, rule, produce, seconds=1.0, before=False):
    """`before`: the server is slow to begin; otherwise it has done its work and is slow to say so."""
    answer = None if before else produce()
    wire.wait(seconds, rule.released)
    wire.answer(answer or produce())


def connect_delay(wire, rule, produce, seconds=FOREVER):
    wire.wait(seconds, rule.released)


def hang(wire, rule, produce, after='request', seconds=FOREVER):
    if after != 'request':
        part(wire, produce(), after)
    wire.wait(seconds, rule.released)
    wire.close()


def drip(wire, rule, produce, chunk=1, interval=0.1):
    data = wire.rendered(produce())
    for start in range(0, len(data), chunk):
        wire.send(data[start:start + chunk])
        if start + chunk < len(data) and not wire.wait(interval, rule.released):
            break


def reset(wire, rule, produce, after='request'):
    if after != 'request':
        part(wire, produce(), after)
    wire.reset()


def close(wire, rule, produce, after='request'):
    if after != 'request':
        part(wire, produce(), after)
    wire.close()


def truncate(wire, rule, produce):
    """All headers, the length of the whole, half of the body."""
    close(wire, rule, produce, 'body')


def broken_json(wire, rule, produce):
    """As if whoever wrote the JSON had stopped, and the length had been computed afterwards."""
    answer = produce()
    answer.body = answer.body[:len(answer.body) // 2]
    wire.answer(answer)


def oversize_body(wire, rule, produce, size=8 << 20, length='declared'):
    """Well-formed JSON with one huge string. `length`: declared, chunked, or none (until the end)."""
    answer = produce()
    answer.body = b'{"token":"' + b'a' * size + b'"}\n'
    if length == 'declared':
        wire.answer(answer)
        return
    answer.set_header('Transfer-Encoding', 'chunked' if length == 'chunked' else None)
    answer.set_header('Connection', None if length == 'chunked' else 'close')
    wire.head(answer, declare=False)
    for start in range(0, len(answer.body), 65536):
        data = answer.body[start:start + 65536]
        wire.send(b'%x\r\n%s\r\n' % (len(data), data) if length == 'chunked' else data)
    wire.send(b'0\r\n\r\n' if length == 'chunked' else b'')
    wire.close()


def oversize_headers(wire, rule, produce, size=1 << 20, number=1):
    answer = produce()
    for filler in range(number):
        answer.headers.append((f'X-Filler-{filler}', 'a' * size))
    wire.answer(answer)


def changed(answer, status=None, headers=None, body=None, body_base64=None, json=None, content_type=None,
            reason=None):
    """The same answer with what is given put in its place."""
    base = to_json(status or answer.status, json) if json is not None else answer
    made = Answer(status or answer.status, base.body, None, base.headers,
                  reason or (None if status else answer.reason))
    if body is not None:
        made.body = body.encode()
    if body_base64 is not None:
        made.body = base64.b64decode(body_base64)
    if content_type is not None:
        made.set_header('Content-Type', content_type or None)
    for name, value in (headers or {}).items():
        made.set_header(name, value)
    return made


def change(wire, rule, produce, **parameters):
    """The request is carried out, the answer differs."""
    wire.answer(changed(produce(), **parameters))


def answer(wire, rule, produce, status=200, **parameters):
    """The request is not carried out: something in front of the server answers."""
    wire.answer(changed(Answer(status, '', 'text/plain'), status=status, **parameters))


def raw(wire, rule, produce, data_base64=''):
    """Any bytes in place of an answer, then the end of the connection."""
    wire.send(base64.b64decode(data_base64))
    wire.close()


ACTIONS = {'delay': delay, 'hang': hang, 'drip': drip, 'reset': reset, 'close': close, 'truncate': truncate,
           'broken-json': broken_json, 'oversize-body': oversize_body, 'oversize-headers': oversize_headers,
           'change': change, 'answer': answer, 'raw': raw}
CONNECT_ACTIONS = {'delay': connect_delay, **{name: ACTIONS[name] for name in ('hang', 'reset', 'close', 'raw')}}


def perform(wire, rule, produce):
    wire.wait(FOREVER, rule.let_go)
    (CONNECT_ACTIONS if rule.path == CONNECT else ACTIONS)[rule.action](wire, rule, produce, **rule.parameters)
