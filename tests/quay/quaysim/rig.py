# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts the parts together: certificates, issuer, Quay, registry, control, and a token file that stays fresh."""

import json
import os
import secrets
import tempfile
import threading

from quaysim.api import Api
from quaysim.certificates import Certificates
from quaysim.control import Control
from quaysim.issuer import Issuer
from quaysim.log import Log
from quaysim.misbehaviour import Rules
from quaysim.quay import Quay
from quaysim.registry import Backend, Pusher, Registry
from quaysim.server import Listener
from quaysim.state import Robot, State
from quaysim.tokens import Signer
from quaysim.verification import IssuerClient

IMAGES = {'acme/app': False, 'acme/public': True, 'other/app': False}  # repository → public


def write_atomically(path, text):
    """A new file in the place of the old one; owner and mode of the old one stay."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)), prefix='.quaysim-')
    with open(descriptor, 'w', encoding='utf-8') as file:
        file.write(text)
        try:
            old = os.stat(path)
            os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fchmod(file.fileno(), old.st_mode & 0o7777)
        except FileNotFoundError:
            os.fchmod(file.fileno(), 0o600)
    os.rename(temporary, path)


class TokenFile:
    """Keeps a valid JWT in a file, as a host's identity agent does."""

    def __init__(self, path, issuer):
        self.path, self.issuer = path, issuer
        self.stopped = threading.Event()
        self.fresh = True
        self.changed = threading.Condition()
        self.writes = 0
        self.write()
        threading.Thread(target=self.keep, daemon=True).start()

    def write(self, text=None, fresh=None, **parameters):
        with self.changed:
            self.fresh = self.fresh if fresh is None else fresh
            write_atomically(self.path, self.issuer.mint(**parameters) if text is None else text)
            self.writes += 1
            self.changed.notify_all()

    def wait(self, at_least, timeout):
        with self.changed:
            self.changed.wait_for(lambda: self.writes >= at_least, timeout)
            return self.writes

    def keep(self):
        while not self.stopped.wait(self.issuer.defaults['lifetime'] / 2):
            with self.changed:
                if self.fresh:
                    self.write()


class Rig:
    def __init__(self, options, ended):
        self.directory = os.path.abspath(options.dir)
        os.makedirs(self.directory, exist_ok=True)  # readable: clients of other users want the CA
        self.log, self.rules = Log(), Rules()
        self.certificates = Certificates(self.directory, options.host)
        self.state = State(settings={'token_lifetime': options.token_lifetime},
                           repositories={name: {'public': public} for name, public in IMAGES.items()})
        shared = (self.certificates, self.log, self.rules)
        self.quay_listener = Listener('quay', options.host, options.port, *shared, self.state.now)
        self.issuer_listener = Listener('issuer', options.host, options.issuer_port, *shared, lambda: self.issuer.now())
        self.issuer = Issuer(self.issuer_listener, options.subject, options.audience, options.jwt_lifetime)
        entry = {'issuer': self.issuer.url, 'subject': options.subject, 'audiences': [options.audience]}
        for name in options.robot or ['acme+edge']:
            self.state.initial['robots'][name] = Robot(name, [entry])
        self.state.reset()
        self.address = self.quay_listener.address
        self.signer = Signer(self.state, self.address)
        self.api_token = secrets.token_hex(20)
        client = IssuerClient(self.state, self.certificates.client_context())
        self.quay = Quay(self.quay_listener, self.state, self.signer, client, Api(self.state, self.api_token))
        self.registry = None
        if not options.no_registry:
            self.start_registry()
        self.quay_listener.start()
        self.token_file = TokenFile(os.path.abspath(options.token_file), self.issuer) if options.token_file else None
        self.control = Control(self, ended)

    def start_registry(self):
        context = self.certificates.client_context()
        self.registry = Registry(self.directory, self.address, self.certificates, self.signer.key)
        self.quay.backend = Backend(self.registry, self.address, context)
        self.pusher = Pusher(self.quay.backend, self.signer)
        for repository in IMAGES:
            self.pusher.push(repository, 'latest', {'hello': f'hello from {repository}\n'.encode()})

    def describe(self):
        return {'quay': self.address, 'registry': self.address if self.registry else None, 'issuer': self.issuer.url,
                'ca': self.certificates.ca, 'cert_dir': self.certificates.client_directory,
                'control': self.control.url, 'token_file': self.token_file and self.token_file.path,
                'image': f'{self.address}/acme/app:latest', 'public_image': f'{self.address}/acme/public:latest',
                'foreign_image': f'{self.address}/other/app:latest', 'robots': sorted(self.state.robots),
                'subject': self.issuer.defaults['subject'], 'audience': self.issuer.defaults['audience'],
                'api_token': self.api_token, 'pid': os.getpid()}

    def announce(self):
        write_atomically(os.path.join(self.directory, 'rig.json'), json.dumps(self.describe(), indent=2) + '\n')

    def reset(self, clock_offset=0):
        """As at the start, but for ports and keys, and the clocks if the world is that much later for everybody: who
        asks meanwhile never finds them back at the start. Who asked before is gone."""
        self.rules.clear()
        self.quay_listener.forget()
        self.issuer_listener.forget()
        self.state.reset(clock_offset)
        self.issuer.reset(clock_offset)
        self.quay_listener.certificate = 'good'
        self.quay_listener.start()
        if self.token_file:
            self.token_file.write(fresh=True)
        self.log.clear()

    def stop(self):
        self.rules.clear()
        if self.token_file:
            self.token_file.stopped.set()
        if self.registry:
            self.registry.stop()
