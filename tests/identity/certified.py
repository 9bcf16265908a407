# SPDX-License-Identifier: LGPL-2.1-or-later
"""A certified OIDC issuer that runs: the npm package oidc-provider in the version of oidc/package-lock.json, installed
once into the tests' cache, with hashes checked and without running anything that it brings."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess

import keep
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'oidc')
INSTALL_LIMIT = 300


def cache():
    return keep.place() or pytest.fail('no place for the npm package, set PULLAUTH_TEST_CACHE')


def installed():
    """The directory that has node_modules; whoever comes second waits for the first."""
    if not (shutil.which('node') and shutil.which('npm')):
        pytest.skip('node or npm is not there: the certified OIDC issuer is left out')
    with open(os.path.join(HERE, 'package-lock.json'), 'rb') as lock:
        name = hashlib.sha256(lock.read()).hexdigest()[:16]
    place = os.path.join(cache(), f'oidc-provider-{name}')
    with open(f'{place}.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(place, 'complete')):
            shutil.rmtree(place, ignore_errors=True)
            os.makedirs(place)
            for file in ('package.json', 'package-lock.json'):
                shutil.copy(os.path.join(HERE, file), place)
            done = subprocess.run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev'], cwd=place,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=INSTALL_LIMIT)
            if done.returncode != 0:
                pytest.skip(f'the package oidc-provider cannot be had: {done.stdout.strip().splitlines()[-1:]}')
            with open(os.path.join(place, 'complete'), 'w', encoding='ascii'):
                pass
    return place


def jwk_of(key, kid, private=False):
    made = RSAAlgorithm.to_jwk(key if private else key.public_key())
    made = json.loads(made) if isinstance(made, str) else made
    made.pop('key_ops', None)
    return {**made, 'kid': kid, 'alg': 'RS256', 'use': 'sig'}


class Certified:
    """The running issuer. `clients` are as OpenID Connect Dynamic Client Registration has them."""

    def __init__(self, rig, directory, clients, client_authority):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.errors = open(os.path.join(directory, 'issuer.log'), 'w+', encoding='utf-8')
        config = os.path.join(directory, 'issuer.json')
        with open(os.open(config, os.O_WRONLY | os.O_CREAT, 0o600), 'w', encoding='utf-8') as file:
            json.dump({'modules': installed(), 'certificate': os.path.join(rig.directory, 'good.pem'),
                       'key': os.path.join(rig.directory, 'good.key'), 'clientAuthority': client_authority,
                       'keys': [jwk_of(self.key, 'issuer-1', private=True)], 'clients': clients,
                       'audience': rig.audience, 'defaultResource': 'https://quay.example.com'}, file)
        self.process = subprocess.Popen(['node', os.path.join(HERE, 'server.mjs'), config], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            self.close()
            pytest.fail('the certified issuer did not start: ' + self.said())

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
