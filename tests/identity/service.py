# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stand-ins for services that give identities: https servers in this process, strict about what they are sent, with the
certificates and the misbehaviour of the simulated Quay.

A service is a class with a method `decide(request)` that returns an Answer. Whatever it does not like it notes in
`complaints`, which the fixture holds to be empty, so that a wrong request cannot hide behind a right answer.
"""

import json
import os
import ssl
import time
import urllib.parse

from quaysim.answers import to_json
from quaysim.log import Log
from quaysim.misbehaviour import Rules
from quaysim.server import Listener


class OneContext:
    """The server's certificate of the rig; with `client_ca`, clients have to show one of theirs."""

    def __init__(self, rig, client_ca=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(rig.directory, 'good.pem'), os.path.join(rig.directory, 'good.key'))
        context.set_alpn_protocols(['http/1.1'])
        if client_ca:
            context.load_verify_locations(cadata=client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        self.contexts = {'good': context}
        self.by_certificate = client_ca is not None


class Service:
    def __init__(self, rig, client_ca=None):
        self.rig, self.complaints, self.asked = rig, [], []
        self.rules = Rules()
        self.log = Log()
        self.listener = Listener('service', '127.0.0.1', 0, OneContext(rig, client_ca), self.log, self.rules, time.time)
        self.listener.decide = self.take
        self.listener.start()

    @property
    def address(self):
        return self.listener.address

    @property
    def url(self):
        return f'https://{self.address}'

    def take(self, request):
        self.asked.append(request)
        return self.decide(request)

    def misbehave(self, action, path='*', **parameters):
        self.rules.add({'action': action, 'server': 'service', 'path': path, 'parameters': parameters})

    def complain(self, text):
        self.complaints.append(text)
        return to_json(400, {'error': 'invalid_request', 'error_description': text})

    def close(self):
        self.rules.clear()
        self.listener.pause()
        self.listener.sock.close()


def form_of(request):
    """The fields of a form, each once."""
    fields = urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
    assert len(dict(fields)) == len(fields), 'a field stands there twice'
    return dict(fields)


def json_of(request):
    return json.loads(request.body)
