# SPDX-License-Identifier: LGPL-2.1-or-later
"""A registry that costs next to nothing: nginx with TLS and HTTP/2, as it stands in front of a Quay, which has the same
answer for everybody.
"""

import base64
import json
import os
import signal
import socket
import subprocess
import time

from fakeworker import segment
from quaysim.certificates import Authority

ROBOT = 'acme+edge'
EXCHANGE, CHALLENGE = '/oauth2/federation/robot/token', '/v2/'
LIFETIME = 12 * 3600  # nothing is to become due while something else is measured
SIGNATURE = base64.urlsafe_b64encode(bytes(range(256))).rstrip(b'=').decode()

CONFIGURATION = """
daemon off;
worker_processes auto;
pid {directory}/nginx.pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {directory}/temp;
    proxy_temp_path {directory}/temp;
    fastcgi_temp_path {directory}/temp;
    uwsgi_temp_path {directory}/temp;
    scgi_temp_path {directory}/temp;
    default_type application/json;
    server {{
        listen 127.0.0.1:{port} ssl{protocol};
        ssl_certificate {directory}/server.pem;
        ssl_certificate_key {directory}/server.key;
        location = {exchange} {{ alias {directory}/answer; }}
        location = /v2/ {{
            add_header WWW-Authenticate 'Bearer realm="https://{address}/v2/auth",service="{address}"' always;
            return 401;
        }}
        location = /v2/auth {{ return 200 '{{"token":"{token}"}}'; }}
    }}
}}
"""


def robot_token(address, lifetime):
    """As long and of the same parts as those of Quay, with a signature that is none."""
    now = int(time.time())
    context = {'version': 2, 'entity_kind': 'robot', 'entity_reference': ROBOT, 'kind': 'user', 'user': ROBOT,
               'com.apostille.roots': {}, 'com.apostille.root': '$disabled'}
    return '.'.join([segment({'alg': 'RS256', 'kid': 64 * '0', 'typ': 'JWT'}),
                     segment({'iss': 'quay', 'aud': address, 'nbf': now, 'iat': now, 'exp': now + lifetime,
                              'sub': ROBOT, 'access': {}, 'context': context}), SIGNATURE])


def identity_token():
    """As a cluster or a SPIRE server gives them."""
    now = int(time.time())
    return '.'.join([segment({'alg': 'RS256', 'kid': 40 * '0', 'typ': 'JWT'}),
                     segment({'iss': 'https://issuer.example', 'sub': 'spiffe://example/edge-1', 'aud': ['quay'],
                              'iat': now, 'exp': now + LIFETIME}), SIGNATURE])


class Registry:
    """Listens before nginx does: who connects early waits in the queue of the socket, and no port is taken by another
    meanwhile."""

    def __init__(self, directory, http2=True, lifetime=LIFETIME):
        self.directory = directory
        listener = socket.create_server(('127.0.0.1', 0), backlog=511)
        listener.setblocking(False)
        port = listener.getsockname()[1]
        self.address = f'localhost:{port}'
        os.chmod(directory, 0o755)  # nginx answers as a user of its own
        self.renew(lifetime)
        authority = Authority('bench authority')
        key, certificate = authority.server(['localhost', '127.0.0.1'], (-1, 30))
        self.ca = self.write('ca.pem', authority.pem)
        self.write('server.key', key)
        self.write('server.pem', certificate)
        configuration = self.write('nginx.conf', CONFIGURATION.format(
            directory=directory, port=port, address=self.address, exchange=EXCHANGE, token=self.token,
            protocol=' http2' if http2 else '').encode())
        # The way in which nginx hands its sockets to a new nginx when it is upgraded.
        with open(os.path.join(directory, 'nginx.log'), 'wb') as log:
            self.process = subprocess.Popen(
                ['setpriv', '--pdeathsig=TERM', 'nginx', '-c', configuration, '-p', directory], start_new_session=True,
                env={**os.environ, 'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'NGINX': f'{listener.fileno()};'},
                pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        listener.close()

    def renew(self, lifetime=LIFETIME):
        """Another token, for those who want a better one than they have."""
        self.token = robot_token(self.address, lifetime)
        self.write('answer', json.dumps({'token': self.token}).encode())

    def write(self, name, data):
        path = os.path.join(self.directory, name)
        with open(f'{path}.new', 'wb') as file:
            file.write(data)
        os.rename(f'{path}.new', path)
        return path

    def url(self, path):
        return f'https://{self.address}{path}'

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
