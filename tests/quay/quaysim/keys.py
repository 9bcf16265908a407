# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signing keys, and compact JWTs put together by hand, so that wrong ones can be made as easily as right ones."""

import base64
import datetime
import hashlib
import json
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm, get_default_algorithms


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def fingerprint(key):
    """The identifier by which docker-registry knows a key: 240 bits of SHA-256 of the public key, in groups."""
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ':'.join(text[i:i + 4] for i in range(0, len(text), 4))


def compact(header, payload, key, algorithm):
    """A JWT of these parts. The payload may be bytes, for what is no JSON at all; the key None for no signature."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload, separators=(',', ':')).encode()
    signed = f'{base64url(json.dumps(header, separators=(",", ":")).encode())}.{base64url(body)}'
    if key is None:
        return f'{signed}.'
    return f'{signed}.{base64url(get_default_algorithms()[algorithm].sign(signed.encode(), key))}'


class SigningKey:
    """One private key. `kind` is "rsa", "ec" or "oct" (a shared secret, which no issuer should use)."""

    def __init__(self, kind, kid=None):
        self.kind = kind
        if kind == 'rsa':
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        elif kind == 'ec':
            self.private = ec.generate_private_key(ec.SECP256R1())
        else:
            self.private = os.urandom(32)
        self.kid = kid or (fingerprint(self.private) if kind != 'oct' else 'shared')
        self.algorithm = {'rsa': 'RS256', 'ec': 'ES256', 'oct': 'HS256'}[kind]

    def public_jwk(self):
        if self.kind == 'rsa':
            jwk = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        else:
            numbers = self.private.public_key().public_numbers()
            jwk = {'kty': 'EC', 'crv': 'P-256', 'x': base64url(numbers.x.to_bytes(32, 'big')),
                   'y': base64url(numbers.y.to_bytes(32, 'big'))}
        jwk.pop('key_ops', None)
        return {**jwk, 'use': 'sig', 'alg': self.algorithm, 'kid': self.kid}

    def self_signed(self):
        """A certificate of the key in PEM: docker-registry reads the keys it trusts from such a bundle."""
        now = datetime.datetime.utcnow()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'quaysim instance key')])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.private.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        day = datetime.timedelta(days=1)
        builder = builder.not_valid_before(now - 60 * day).not_valid_after(now + 60 * day)
        return builder.sign(self.private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
