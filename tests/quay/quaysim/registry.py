# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's docker-registry behind the simulated Quay: it holds real images, checks Quay's bearer tokens itself and is
reached through Quay's own port, because clients know one host:port alone. Images are put together and pushed here
without any tool or network."""

import gzip
import hashlib
import http.client
import io
import json
import os
import platform
import re
import secrets
import shutil
import subprocess
import tarfile
import threading

from quaysim.answers import Answer, Dropped

PROGRAMS = ('docker-registry', 'registry')  # Debian's name and the one of RHEL-like systems
CONFIG = """version: 0.1
log:
  level: info
  formatter: text
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: '{directory}/registry'
  delete:
    enabled: true
http:
  addr: 127.0.0.1:0
  host: 'https://{address}'
  secret: {secret}
  tls:
    certificate: '{certificate}'
    key: '{key}'
auth:
  token:
    realm: 'https://{address}/v2/auth'
    service: '{address}'
    issuer: quay
    rootcertbundle: '{bundle}'
"""
ARCHITECTURES = {'x86_64': 'amd64', 'aarch64': 'arm64'}  # as images call them
HOP_BY_HOP = ('connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'content-length', 'date')
LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
CONFIGURATION = 'application/vnd.docker.container.image.v1+json'
MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'


class Registry:
    """The process. Ends with us, however we end."""

    def __init__(self, directory, address, certificates, key):
        self.log = os.path.join(directory, 'registry.log')
        config, bundle = os.path.join(directory, 'registry.yml'), os.path.join(directory, 'instance-key.pem')
        with open(bundle, 'wb') as file:
            file.write(key.self_signed())
        with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='utf-8') as file:
            file.write(CONFIG.format(directory=directory, address=address, bundle=bundle, secret=secrets.token_hex(16),
                                     certificate=certificates.path('good.pem'), key=certificates.path('good.key')))
        program = next(filter(shutil.which, PROGRAMS), PROGRAMS[0])
        env = {name: value for name, value in os.environ.items() if not name.startswith(('REGISTRY_', 'OTEL_'))}
        self.process = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', program, 'serve', config], env=env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, errors='replace')
        self.port = self.wait_for_port(program)
        threading.Thread(target=self.drain, daemon=True).start()

    def wait_for_port(self, program):
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            found = re.search(r'listening on 127\.0\.0\.1:(\d+)', line)
            if found:
                return int(found.group(1))
        raise RuntimeError(f'{program} did not start:\n{"".join(seen)}')

    def drain(self):
        with open(self.log, 'w', encoding='utf-8') as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Backend:
    """Hands requests on to the registry, one connection there for each connection here."""

    def __init__(self, registry, address, context):
        self.registry, self.address, self.context = registry, address, context

    def connect(self):
        return http.client.HTTPSConnection('127.0.0.1', self.registry.port, context=self.context, timeout=60)

    def forward(self, request):
        for _ in range(2):  # a connection that was kept may have been closed meanwhile
            fresh = 'backend' not in request.memory
            connection = request.memory.setdefault('backend', self.connect())
            try:
                self.send(connection, request)
                return self.translated(connection.getresponse(), request.method)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                del request.memory['backend']
                if fresh:
                    raise Dropped(str(error)) from error
        raise Dropped('registry')

    def send(self, connection, request):
        """Headers one by one: clients name what they accept in several of the same name."""
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            if name.lower() not in HOP_BY_HOP and name.lower() not in ('host', 'expect'):
                connection.putheader(name, value)
        connection.putheader('Host', self.address)
        connection.putheader('X-Forwarded-Proto', 'https')
        if request.body or request.method in ('POST', 'PUT', 'PATCH'):
            connection.putheader('Content-Length', str(len(request.body)))
        connection.endheaders(request.body or None)

    @staticmethod
    def translated(response, method):
        answer = Answer(response.status, response.read(), None,
                        [(name, value) for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP])
        if method == 'HEAD':
            answer.content_length = int(response.getheader('Content-Length') or 0)
        return answer


def digest(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def layer(files, programs):
    """A tar archive of these files, the same bytes each time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.USTAR_FORMAT) as archive:
        for name, content in {**files, **programs}.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755 if name in programs else 0o644
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


class Pusher:
    """Puts an image into the registry past Quay, with a bearer token that allows it."""

    def __init__(self, backend, signer):
        self.backend, self.signer = backend, signer

    def push(self, repository, tag, files, programs=None):
        """The image runs /hello, if that is one of the programs."""
        access = [{'type': 'repository', 'name': repository, 'actions': ['pull', 'push']}]
        token = self.signer.bearer_token(None, self.backend.address, access)
        connection = self.backend.connect()

        def call(method, path, body=None, content_type='application/octet-stream'):
            connection.request(method, path, body, {'Authorization': f'Bearer {token}', 'Host': self.backend.address,
                                                    'Content-Type': content_type})
            response = connection.getresponse()
            text = response.read()
            if response.status not in (201, 202):
                raise RuntimeError(f'{method} {path}: {response.status} {text[:300]!r}')
            return response

        def blob(data):
            place = call('POST', f'/v2/{repository}/blobs/uploads/', b'').getheader('Location')
            target = re.sub(r'^https?://[^/]+', '', place)
            call('PUT', f'{target}{"&" if "?" in target else "?"}digest={digest(data)}', data)
            return {'size': len(data), 'digest': digest(data)}

        archive = layer(files, programs or {})
        machine = platform.machine()
        config = json.dumps({'architecture': ARCHITECTURES.get(machine, machine), 'os': 'linux',
                             'config': {'Cmd': ['/hello']},
                             'rootfs': {'type': 'layers', 'diff_ids': [digest(archive)]},
                             'history': [{'created_by': 'quaysim'}]}).encode()
        manifest = {'schemaVersion': 2, 'mediaType': MANIFEST,
                    'config': {'mediaType': CONFIGURATION, **blob(config)},
                    'layers': [{'mediaType': LAYER, **blob(gzip.compress(archive, mtime=0))}]}
        call('PUT', f'/v2/{repository}/manifests/{tag}', json.dumps(manifest).encode(), MANIFEST)
        connection.close()
