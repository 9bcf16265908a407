# SPDX-License-Identifier: LGPL-2.1-or-later
"""A certification authority made for one run, and server certificates of it, good ones and bad ones.

Elliptic curve keys, because a test opens hundreds of connections on few cores. Nothing here outlives the
directory it is written to.
"""

import datetime
import ipaddress
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
# What a server can show: name → (signed by the trusted authority, names of the host, first and last day)
KINDS = {
    'good': (True, None, (-2, 30)),
    'renewed': (True, None, (-2, 60)),
    'expired': (True, None, (-30, -1)),
    'not-yet-valid': (True, None, (1, 30)),
    'wrong-name': (True, ('elsewhere.example',), (-1, 30)),
    'untrusted': (False, None, (-1, 30)),
}


def pem_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def write(path, data, mode=0o600):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode), 'wb') as file:
        file.write(data)


def build(subject, key, issuer, signer, days, extensions):
    """One certificate: `extensions` is a list of (extension, critical)."""
    now = datetime.datetime.utcnow()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer or name)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now + days[0] * DAY).not_valid_after(now + days[1] * DAY)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())


def alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Authority:
    def __init__(self, name):
        self.key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
                              key_encipherment=False, data_encipherment=False, key_agreement=False,
                              encipher_only=False, decipher_only=False)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        self.certificate = build(name, self.key, None, self.key, (-60, 60), [
            (x509.BasicConstraints(ca=True, path_length=0), True), (usage, True), (identifier, False)])
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def server(self, names, days, usage=ExtendedKeyUsageOID.SERVER_AUTH):
        """Key and certificate in PEM for a server of these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = build(names[0], key, self.certificate.subject, self.key, days, [
            (x509.SubjectAlternativeName([alternative(name) for name in names]), False),
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.ExtendedKeyUsage([usage]), False), (authority, False)])
        return pem_key(key), certificate.public_bytes(serialization.Encoding.PEM)

    def client(self, name, days=(-1, 30)):
        """The same for a client."""
        return self.server([name], days, ExtendedKeyUsageOID.CLIENT_AUTH)


class Certificates:
    """All certificates of one run, as files below `directory`, and the TLS contexts made of them."""

    def __init__(self, directory, host):
        self.directory = directory
        # Tools that want a directory per registry find the authority there under the name they look for.
        self.client_directory = os.path.join(directory, 'certs')
        os.makedirs(self.client_directory, exist_ok=True)
        self.names = list(dict.fromkeys([host, '127.0.0.1', 'localhost', '::1', 'registry.example']))
        trusted, other = Authority('quaysim test authority'), Authority('some other authority')
        self.ca = self.path('ca.pem')
        write(self.ca, trusted.pem, 0o644)
        write(os.path.join(self.client_directory, 'ca.crt'), trusted.pem, 0o644)
        write(self.path('other-ca.pem'), other.pem, 0o644)
        self.contexts = {}
        for kind, (is_trusted, names, days) in KINDS.items():
            key, certificate = (trusted if is_trusted else other).server(list(names or self.names), days)
            write(self.path(f'{kind}.key'), key)
            write(self.path(f'{kind}.pem'), certificate, 0o644)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.path(f'{kind}.pem'), self.path(f'{kind}.key'))
            context.set_alpn_protocols(['http/1.1'])
            self.contexts[kind] = context

    def path(self, name):
        return os.path.join(self.directory, name)

    def client_context(self):
        """What a client of the simulated world trusts; Quay too, when it asks the issuer."""
        return ssl.create_default_context(cafile=self.ca)
