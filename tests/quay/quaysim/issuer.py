# SPDX-License-Identifier: LGPL-2.1-or-later
"""The OIDC issuer: discovery document and key set over https, and JWTs with whatever is asked for in them.

Any path prefix is an issuer of its own (https://host:port/tenant), all with the same keys. What it publishes can
be bent; how its server answers is the business of misbehaviour rules for the server "issuer".
"""

import copy
import threading
import time

from quaysim import answers, keys
from quaysim.answers import Answer, to_json

DISCOVERY = '/.well-known/openid-configuration'
JWKS = '/keys'
RSA_ALGORITHMS = ('RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512')


class Issuer:
    def __init__(self, listener, subject, audience, jwt_lifetime):
        self.listener = listener
        self.defaults = {'subject': subject, 'audience': audience, 'lifetime': jwt_lifetime}
        self.lock = threading.RLock()
        self.first_keys = {'rsa': keys.SigningKey('rsa'), 'ec': keys.SigningKey('ec')}
        self.spare = {}
        self.reset()
        listener.decide = self.decide

    @property
    def url(self):
        return f'https://{self.listener.address}'

    def reset(self, clock_offset=0):
        with self.lock:
            self.keys = dict(self.first_keys)
            self.published = ['rsa', 'ec']
            self.documents = {}        # path -> text: a static site beside the issuer, for hosts that are their own
            self.discovery = {}        # members that replace those of the document, None to leave one out
            self.clock_offset = clock_offset
            self.listener.certificate = 'good'
            self.listener.start()

    def now(self):
        return time.time() + self.clock_offset

    def key(self, name):
        """Keys beyond the published ones are made when they are first asked for, and kept over a reset."""
        with self.lock:
            if name not in self.keys:
                if name not in self.spare:
                    kind = next((kind for kind in ('ec', 'oct') if name.startswith(kind)), 'rsa')
                    self.spare[name] = keys.SigningKey(kind, 'shared' if kind == 'oct' else None)
                self.keys[name] = self.spare[name]
            return self.keys[name]

    def rotate(self, keep_old=False):
        """Signs with another key from here on; the old one vanishes from the key set unless kept."""
        with self.lock:
            fresh = self.key(f'rsa-{sum(1 for name in self.keys if name.startswith("rsa"))}')
            old = self.keys['rsa']
            self.keys['rsa'] = fresh
            self.published = ['rsa', 'ec']
            if keep_old:
                self.keys['rsa-old'] = old
                self.published.append('rsa-old')
            return fresh.kid

    def configure(self, published=None, discovery=None, clock_offset=None, listening=None, certificate=None,
                  documents=None):
        with self.lock:
            if documents is not None:
                self.documents = dict(documents)
            if published is not None:
                for name in published:
                    self.key(name)
                self.published = list(published)
            if discovery is not None:
                self.discovery = dict(discovery)
            if clock_offset is not None:
                self.clock_offset = clock_offset
        if certificate is not None:
            self.listener.certificate = certificate
        if listening is not None:
            (self.listener.start if listening else self.listener.pause)()

    def decide(self, request):
        if request.method not in ('GET', 'HEAD'):
            return answers.wrong_method('GET, HEAD')
        with self.lock:
            if request.path in self.documents:
                return Answer(200, self.documents[request.path], 'application/json')
        if request.path.endswith(DISCOVERY):
            return self.discovery_document(self.url + request.path[:-len(DISCOVERY)])
        if request.path == JWKS:
            with self.lock:
                return to_json(200, {'keys': [self.keys[name].public_jwk() for name in self.published]})
        return Answer(404, 'not found\n', 'text/plain')

    def discovery_document(self, issuer):
        document = {'issuer': issuer, 'jwks_uri': f'{self.url}{JWKS}', 'response_types_supported': ['id_token'],
                    'subject_types_supported': ['public'],
                    'id_token_signing_alg_values_supported': ['RS256', 'RS384', 'ES256']}
        document.update(copy.deepcopy(self.discovery))
        return to_json(200, {name: value for name, value in document.items() if value is not None})

    def mint(self, claims=None, remove=(), alg='RS256', kid=None, key=None, header=None, remove_header=(),
             lifetime=None, offset=0, prefix='', payload=None, tamper=False):
        """A JWT. Everything has a default that makes it right; `offset` moves iat and exp, `payload` is text to
        sign in place of claims, `tamper` changes a claim after signing."""
        now = int(self.now() + offset)
        values = {'iss': self.url + prefix, 'sub': self.defaults['subject'], 'aud': self.defaults['audience'],
                  'iat': now, 'nbf': now, 'exp': now + (self.defaults['lifetime'] if lifetime is None else lifetime)}
        values.update(claims or {})
        values = {name: value for name, value in values.items() if name not in remove}
        if key is None:
            key = 'oct' if alg.startswith('HS') else 'ec' if alg.startswith('ES') else 'rsa'
        signer = self.key(key)
        head = {'alg': alg, 'typ': 'JWT', 'kid': kid or signer.kid, **(header or {})}
        head = {name: value for name, value in head.items() if name not in remove_header}
        fits = alg in RSA_ALGORITHMS if signer.kind == 'rsa' else alg == signer.algorithm
        body = values if payload is None else payload.encode()
        token = keys.compact(head, body, None if alg == 'none' else signer.private,
                             alg if fits else signer.algorithm)
        if tamper:
            other = keys.compact(head, {**values, 'jti': 'tampered'}, None, None)
            token = other + token.rpartition('.')[2]
        return token

    def describe(self):
        with self.lock:
            return {'url': self.url, 'published': {name: self.keys[name].kid for name in self.published},
                    'discovery': self.discovery, 'clock_offset': self.clock_offset,
                    'certificate': self.listener.certificate, 'listening': self.listener.thread is not None}
