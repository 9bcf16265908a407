# SPDX-License-Identifier: LGPL-2.1-or-later
"""What gives tokens, one class for each source, with all that it can do wrong under the same names.

    absent     nobody is there: a wrong address, or an agent that restarts
    refuses    it says no: no entry for this workload, no right, an expired secret
    stranger   the token is for another audience
    huge       10 MB
    endless    more and more, without an end
    slow       now and then a byte, without an end
    silent     nothing at all, and the connection stays
    garbage    something else than what was asked for
    another    the discovery document names another issuer
    plugin     a kubeconfig gets its token from a program

`well()` is the end of whatever it was. A trouble that a source cannot have is not there: see TROUBLES.
"""

import itertools
import json
import os
import threading

import pytest

pytest.importorskip('grpc', reason='python3-grpcio and python3-protobuf make the stand-in for an agent of SPIFFE')
from quaysim.certificates import pem_key  # noqa: E402
from quaysim.keys import SigningKey  # noqa: E402
from spiffe_agent import Agent  # noqa: E402
from test_aws import Instance, Sts, refusal  # noqa: E402
from test_identity_clouds import Azure, Google  # noqa: E402
from test_kubernetes import ASKER, HAS_YAML, ApiServer, with_kubeconfig  # noqa: E402
from test_oauth2 import CLIENT, SECRET, Issuer  # noqa: E402
from workers import ROBOT, SLOW  # noqa: E402

TEN_MB = 10 << 20
ID = 'spiffe://example.com/host/edge-1'
OTHERS = {'claims': {'aud': 'other'}}


class Stand:
    """`settings` and `secrets` are those of the identity, as the worker gets them."""

    source = None

    def __init__(self, rig, place):
        self.rig, self.place, self.settings, self.secrets, self.written = rig, place, {}, {}, {}
        with open(rig.ca, encoding='ascii') as file:
            self.ca = file.read()

    def ask(self):
        return {'source': self.source, 'token': None, 'settings': self.settings, 'secrets': self.secrets}

    def configure(self, host):
        """The same as files of a host."""
        lines = [f'Source={self.source}', f'Audience={self.rig.audience}']
        lines += [f'{key}={value}' for key, value in self.settings.items()]
        lines += [f'{key}=/etc/pullauth/files/{key}' for key in self.secrets]
        self.renew(host)
        host.write('etc/pullauth/identities/default.identity', '[Identity]\n' + '\n'.join(lines) + '\n')

    def renew(self, host):
        """What stands in the files and is otherwise by now."""
        for key, text in self.secrets.items():
            if self.written.get(key) != text:
                host.write(f'etc/pullauth/files/{key}', text, 0o600)
        self.written = dict(self.secrets)

    def hurry(self):
        """For sources with a time of their own."""
        self.settings['Timeout'] = '1000000'

    def close(self):
        self.well()


class OverHttps(Stand):
    """`service` is what gives the token."""

    service = None

    def absent(self):
        self.service.listener.pause()

    def huge(self):
        self.service.misbehave('oversize-body', size=TEN_MB)

    def endless(self):
        self.service.misbehave('oversize-body', size=64 << 20, length='none')

    def slow(self):
        self.service.misbehave('drip', interval=0.2)

    def silent(self):
        self.service.misbehave('hang')

    def garbage(self):
        self.service.misbehave('answer', status=200, body='<html>Welcome', content_type='text/html')

    def well(self):
        self.service.rules.clear()
        self.service.listener.start()

    def close(self):
        self.well()
        self.service.close()
        assert self.service.complaints == []


class Oauth2(OverHttps):
    source = 'oauth2'

    def __init__(self, rig, place):
        super().__init__(rig, place)
        self.service = Issuer(rig)
        self.settings = {'Issuer': self.service.url, 'ClientID': CLIENT}
        self.secrets = {'CAFile': self.ca, 'ClientSecretFile': SECRET}

    def refuses(self):
        self.service.secret = 'the next one'

    def another(self):
        self.service.discovery = {'issuer': 'https://evil.example'}

    def stranger(self):
        self.service.answer = {'access_token': self.rig.jwt(**OTHERS)}

    def well(self):
        super().well()
        self.service.secret, self.service.answer, self.service.discovery = SECRET, {}, {}


class Kubernetes(OverHttps):
    source = 'kubernetes'

    def __init__(self, rig, place):
        super().__init__(rig, place)
        self.service = ApiServer(rig)
        self.settings = {'Server': self.service.url, 'Namespace': 'edge', 'ServiceAccount': 'quay-puller'}
        self.secrets = {'CAFile': self.ca, 'TokenFile': ASKER}

    def refuses(self):
        self.service.allowed = False

    def stranger(self):
        self.service.token = OTHERS

    def well(self):
        super().well()
        self.service.allowed, self.service.token = True, {}


class Kubeconfig(Kubernetes):
    """The same, found by a kubeconfig."""

    def __init__(self, rig, place):
        super().__init__(rig, place)
        self.right = with_kubeconfig(self.service, f'token: {ASKER}')
        self.settings, self.secrets = self.right['settings'], dict(self.right['secrets'])

    def plugin(self):
        """Somebody puts one into the file."""
        self.secrets.update(with_kubeconfig(self.service, 'exec: {command: aws}')['secrets'])

    def well(self):
        super().well()
        self.secrets.update(self.right['secrets'])


class Cloud(Stand):
    """A metadata service: it is what decides."""

    make = None

    def __init__(self, rig, place):
        super().__init__(rig, place)
        self.service = self.make(rig)
        self.right, self.gone = self.service.decide, threading.Event()
        self.settings = {'MetadataServer': self.service.url}

    def answer(self, body, status=200):
        self.service.decide = lambda _: (status, {}, body)

    def drops(self, pieces):
        for piece in pieces:
            yield piece
            if self.gone.wait(0.1):
                return
        self.gone.wait(60)

    def absent(self):
        self.service.pause()

    def refuses(self):
        self.answer(b'{}', 400)

    def stranger(self):
        self.answer(self.token(self.rig.jwt(**OTHERS)))

    @staticmethod
    def token(text):
        return text.encode()

    def huge(self):
        self.answer(b'x' * TEN_MB)

    def endless(self):
        self.answer(itertools.repeat(b'x' * 4096))

    def slow(self):
        self.answer(self.drops(itertools.repeat(b'x')))

    def silent(self):
        self.answer(self.drops([]))

    def garbage(self):
        self.answer(b'{"token')

    def well(self):
        self.gone.set()
        self.gone = threading.Event()
        self.service.decide = self.right
        self.service.go_on()

    def close(self):
        self.well()
        self.service.close()
        assert self.service.complaints == []


class Gce(Cloud):
    source, make = 'gce', Google


class AzureCloud(Cloud):
    source, make = 'azure', Azure

    def __init__(self, rig, place):
        super().__init__(rig, place)
        self.settings['Resource'] = self.service.resource = 'api://quay'

    @staticmethod
    def token(text):
        return f'{{"access_token": "{text}"}}'.encode()


class Aws(Cloud):
    """Its metadata service; the token service stands behind it."""

    source = 'aws'

    @staticmethod
    def make(_rig):
        return Instance()

    def __init__(self, rig, place):
        super().__init__(rig, place)
        self.sts = Sts(rig)
        self.settings['STSEndpoint'] = self.sts.url
        self.secrets = {'CAFile': self.ca}

    def refuses(self):
        self.sts.answer = refusal(403, 'AccessDenied')

    def stranger(self):
        self.sts.answer = Sts.token(self.rig.jwt(**OTHERS))

    def well(self):
        super().well()
        self.sts.answer = None

    def close(self):
        super().close()
        self.sts.close()
        assert self.sts.complaints == []


class TokenService(OverHttps):
    """The other half of `aws`: the token service, behind a metadata service that is well."""

    source = 'aws'

    def __init__(self, rig, place):
        super().__init__(rig, place)
        self.instance, self.service = Instance(), Sts(rig)
        self.settings = {'MetadataServer': self.instance.url, 'STSEndpoint': self.service.url}
        self.secrets = {'CAFile': self.ca}

    def close(self):
        super().close()
        self.instance.close()
        assert self.instance.complaints == []


class Spiffe(Stand):
    source = 'spiffe'

    def __init__(self, rig, place):
        super().__init__(rig, place)
        os.chmod(place, 0o755)
        self.agent = Agent(str(place / 'api.sock'))
        self.settings = {'Socket': self.agent.path}
        self.well()

    def absent(self):
        self.agent.stop()

    def refuses(self):
        self.agent.svids = []

    def stranger(self):
        self.agent.svids = [{'spiffe_id': ID, 'svid': self.rig.jwt(**OTHERS)}]

    def huge(self):
        self.agent.answer = lambda *_: Agent.message([{'spiffe_id': ID, 'svid': 'x' * TEN_MB}])

    def endless(self):
        self.agent.streams = lambda: itertools.repeat(0)

    def slow(self):
        self.hurry()
        self.agent.streams = lambda: itertools.repeat(0.1)

    def silent(self):
        self.hurry()

        def answer(_, context):
            gone = threading.Event()
            context.add_callback(gone.set)
            gone.wait(60)
            return b''
        self.agent.answer = answer

    def garbage(self):
        self.agent.answer = lambda *_: b'\xff' * 64

    def well(self):
        self.settings.pop('Timeout', None)
        self.agent.answer = self.agent.streams = None
        self.agent.svids = [{'spiffe_id': ID, 'svid': self.rig.jwt()}]
        if not self.agent.server:
            self.agent.start()

    def close(self):
        self.agent.stop()


class Exec(Stand):
    """A program that does what stands in a file."""

    source = 'exec'

    def __init__(self, rig, place):
        super().__init__(rig, place)
        os.chmod(place, 0o777)
        self.program = str(place / 'get-token')
        self.settings = {'Command': self.program}
        self.well()

    def does(self, script):
        early = f'{self.program}.new'
        with open(early, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\n{script}\n')
        os.chmod(early, 0o755)
        os.rename(early, self.program)

    def absent(self):
        os.unlink(self.program)

    def refuses(self):
        self.does('echo no entry for you >&2; exit 1')

    def stranger(self):
        self.does(f'echo {self.rig.jwt(**OTHERS)}')

    def huge(self):
        self.does(f'head -c {TEN_MB} /dev/zero')

    def endless(self):
        self.does('exec cat /dev/zero')

    def slow(self):
        self.hurry()
        self.does('while echo; do sleep 0.1; done')

    def silent(self):
        """It forks, and all of its processes hang, one of them in a session of its own."""
        self.settings['Timeout'] = str(int(5_000_000 * SLOW))  # for it has something to say before
        self.does(f'setsid sleep 1000 & echo $$ $! >{self.place}/pids; sleep 1000')

    def garbage(self):
        self.does('echo hello world')

    def well(self):
        self.settings.pop('Timeout', None)
        self.does(f'echo {self.rig.jwt()}')


class Signed(Stand):
    """No service gives it: what can be wrong is the key. The two documents lie at the issuer of the rig."""

    source = 'signed'

    def __init__(self, rig, place):
        super().__init__(rig, place)
        self.key, issuer = SigningKey('rsa'), f'{rig.issuer}/hosts/one'
        rig.call('issuer', documents={
            '/hosts/one/.well-known/openid-configuration': json.dumps({'issuer': issuer,
                                                                       'jwks_uri': f'{issuer}/jwks.json'}),
            '/hosts/one/jwks.json': json.dumps({'keys': [self.key.public_jwk()]})})
        rig.robot(ROBOT, federation=[rig.federation_entry(issuer=issuer, subject='host-1')])
        self.settings = {'Issuer': issuer, 'Subject': 'host-1', 'KeyID': self.key.kid}
        self.well()

    def absent(self):
        """A key on a token that is not plugged in."""
        self.secrets, self.settings['KeyURI'] = {}, 'pkcs11:token=gone;object=quay'

    def garbage(self):
        self.secrets = {'KeyFile': 'no key'}

    def well(self):
        self.settings.pop('KeyURI', None)
        self.secrets = {'KeyFile': pem_key(self.key.private).decode()}


TROUBLES = ('absent', 'refuses', 'stranger', 'huge', 'endless', 'slow', 'silent', 'garbage', 'another', 'plugin')
FAILED, REFUSED, OTHER = 'identity-source-failed', 'identity-source-refused', 'token-audience'
# Which reason each of the troubles has, in the order of TROUBLES; None where a source cannot have it.
TABLE = {
    Oauth2: ('connection-failed', REFUSED, OTHER, FAILED, FAILED, 'timeout', 'timeout', FAILED, REFUSED, None),
    Kubernetes: ('connection-failed', REFUSED, OTHER, FAILED, FAILED, 'timeout', 'timeout', FAILED, None, None),
    Kubeconfig: ('connection-failed', REFUSED, OTHER, FAILED, FAILED, 'timeout', 'timeout', FAILED, None,
                 'identity-file-unreadable'),
    Gce: ('connection-failed', REFUSED, OTHER, FAILED, FAILED, 'timeout', 'timeout', FAILED, None, None),
    AzureCloud: ('connection-failed', REFUSED, OTHER, FAILED, FAILED, 'timeout', 'timeout', FAILED, None, None),
    Aws: ('connection-failed', REFUSED, OTHER, FAILED, FAILED, 'timeout', 'timeout', FAILED, None, None),
    TokenService: ('connection-failed', None, None, FAILED, FAILED, 'timeout', 'timeout', FAILED, None, None),
    Spiffe: (FAILED, REFUSED, OTHER, FAILED, FAILED, FAILED, FAILED, FAILED, None, None),
    Exec: (FAILED, FAILED, OTHER, FAILED, FAILED, FAILED, FAILED, 'token-malformed', None, None),
    Signed: (FAILED, None, None, None, None, None, None, FAILED, None, None),
}
if not HAS_YAML:
    del TABLE[Kubeconfig]
