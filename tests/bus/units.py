# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service manager that asks for credentials of units, as LoadCredential= from a socket does."""

import base64
import json
import secrets
import socket

from rig import SLOW

# For another user, in a process of its own: prints how many bytes came.
ASK = '''
import socket, sys
with socket.socket(socket.AF_UNIX) as asking:
    asking.bind(bytes.fromhex(sys.argv[2]))
    asking.connect(sys.argv[1])
    print(len(asking.recv(65536)))
'''


def address(unit='app.service', credential='auth.json'):
    return b'\0' + secrets.token_hex(8).encode() + f'/unit/{unit}/{credential}'.encode()


def path(host):
    return host.path('run/pullauth/credential.sock')


def connect(host, unit='app.service', credential='auth.json', name=None):
    """Connected, and told that we say nothing, which is what systemd does."""
    asking = socket.socket(socket.AF_UNIX)
    asking.bind(address(unit, credential) if name is None else name)
    asking.connect(path(host))  # without a timeout: with one, a queue that is full would be an error
    asking.settimeout(60 * SLOW)
    asking.shutdown(socket.SHUT_WR)
    return asking


def read(asking):
    """To the end."""
    with asking:
        pieces = []
        while piece := asking.recv(1 << 20):
            pieces.append(piece)
        return b''.join(pieces)


def ask(host, *names, **more):
    return read(connect(host, *names, **more))


def users(answer):
    """key → user of an auth.json."""
    return {key: base64.b64decode(entry['auth']).decode().split(':')[0]
            for key, entry in json.loads(answer).get('auths', {}).items()}


def secret(answer, key='quay.example.com/acme'):
    return base64.b64decode(json.loads(answer)['auths'][key]['auth']).decode().split(':', 1)[1]


def is_quiet(asking):
    """Nothing has come yet. What was asked before on another connection has been looked at in between."""
    asking.setblocking(False)
    try:
        asking.recv(1)
    except BlockingIOError:
        return True
    finally:
        asking.settimeout(60 * SLOW)
    return False
