# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real SPIRE on the machine: server, agent and OIDC discovery provider, each a service of its systemd.

The programs are Go modules of the version below. Building them takes a good half hour on two cores, so that is done
only when it is asked for:

    cd tests/host && python3 -m spire

puts them into $PULLAUTH_TEST_CACHE, where the suite finds them from then on.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile

VERSION = '1.13.3'
MODULE = 'github.com/spiffe/spire'
PROGRAMS = {'spire-server': 'cmd/spire-server', 'spire-agent': 'cmd/spire-agent',
            'oidc-discovery-provider': 'support/oidc-discovery-provider'}
TRUST_DOMAIN = 'example.com'
AGENT_ID = f'spiffe://{TRUST_DOMAIN}/agent/edge-1'
AGENT_SOCKET, SERVER_SOCKET = '/run/spire/agent/public/api.sock', '/run/spire/server/api.sock'
UNITS = ('oidc-discovery-provider', 'spire-agent', 'spire-server')

SERVER = '''
server {{
    bind_address = "127.0.0.1"
    bind_port = "{port}"
    socket_path = "{SERVER_SOCKET}"
    trust_domain = "{TRUST_DOMAIN}"
    data_dir = "/var/lib/spire/server"
    {jwt}
}}
plugins {{
    DataStore "sql" {{
        plugin_data {{
            database_type = "sqlite3"
            connection_string = "/var/lib/spire/server/data.sqlite3"
        }}
    }}
    NodeAttestor "join_token" {{ plugin_data {{}} }}
    KeyManager "memory" {{ plugin_data {{}} }}
}}
'''
AGENT = '''
agent {{
    data_dir = "/var/lib/spire/agent"
    server_address = "127.0.0.1"
    server_port = "{port}"
    socket_path = "{AGENT_SOCKET}"
    trust_domain = "{TRUST_DOMAIN}"
    insecure_bootstrap = true
    join_token = "{token}"
}}
plugins {{
    NodeAttestor "join_token" {{ plugin_data {{}} }}
    KeyManager "disk" {{ plugin_data {{ directory = "/var/lib/spire/agent" }} }}
    WorkloadAttestor "unix" {{ plugin_data {{ discover_workload_path = true }} }}
    WorkloadAttestor "systemd" {{ plugin_data {{}} }}
}}
'''
PROVIDER = '''
domains = ["localhost"]
jwt_issuer = "{issuer}"
jwks_uri = "{issuer}/keys"
serving_cert_file {{
    cert_file_path = "/etc/spire/oidc.pem"
    key_file_path = "/etc/spire/oidc.key"
    addr = "127.0.0.1:{oidc_port}"
}}
server_api {{
    address = "unix://{SERVER_SOCKET}"
    poll_interval = "1s"
}}
'''


def find(cache):
    """Where the programs are; None if they were not built."""
    place = os.path.join(cache, f'spire-{VERSION}')
    return place if all(os.access(os.path.join(place, name), os.X_OK) for name in PROGRAMS) else None


def build(cache):
    """Whole or not at all."""
    if find(cache):
        return
    place = os.path.join(cache, f'spire-{VERSION}')
    with tempfile.TemporaryDirectory(prefix='spire-draft-', dir=cache) as draft:
        packages = [f'{MODULE}/{path}' for path in PROGRAMS.values()]
        env = {**os.environ, 'GOBIN': os.path.join(draft, 'bin'), 'GOFLAGS': '-buildvcs=false', 'CGO_ENABLED': '1'}
        for command in (['mod', 'init', 'tools'], ['get', '-tool', *[f'{name}@v{VERSION}' for name in packages]],
                        ['install', '-trimpath', '-ldflags=-s -w', *packages]):
            subprocess.run(['go', *command], check=True, cwd=draft, env=env, stdin=subprocess.DEVNULL)
        shutil.rmtree(place, ignore_errors=True)
        os.rename(os.path.join(draft, 'bin'), place)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Spire:
    def __init__(self, machine, quay, programs):
        self.machine, self.quay = machine, quay
        self.port, self.oidc_port = free_port(), free_port()
        self.issuer = f'https://localhost:{self.oidc_port}'
        for name in PROGRAMS:
            inside = machine.path(f'/usr/local/bin/{name}')
            if not os.path.exists(inside):
                shutil.copy2(os.path.join(programs, name), inside)
        for kind in ('pem', 'key'):
            with open(os.path.join(quay.directory, f'good.{kind}'), encoding='ascii') as file:
                machine.write(f'/etc/spire/oidc.{kind}', file.read(), 0o600)

    def settings(self, **more):
        return {'SERVER_SOCKET': SERVER_SOCKET, 'AGENT_SOCKET': AGENT_SOCKET, 'TRUST_DOMAIN': TRUST_DOMAIN,
                'port': self.port, 'oidc_port': self.oidc_port, 'issuer': self.issuer, **more}

    def service(self, name, text, said, *words):
        """Starts a program, and returns when it has said that it listens."""
        config = f'/etc/spire/{name}.conf'
        self.machine.write(config, text, 0o600)
        with self.machine.following() as wait:
            self.machine.run('systemd-run', '--quiet', f'--unit={name}', f'/usr/local/bin/{name}', *words, '-config',
                             config)
            wait(lambda entry: said in str(entry.get('MESSAGE')) and entry.get('_SYSTEMD_UNIT') == f'{name}.service')

    def start(self, jwt=None):
        """`jwt`: what the server's configuration says of its tokens."""
        jwt = f'jwt_issuer = "{self.issuer}"\n    jwt_key_type = "rsa-2048"' if jwt is None else jwt
        for directory in ('/var/lib/spire/server', '/var/lib/spire/agent', '/run/spire/server',
                          '/run/spire/agent/public'):
            os.makedirs(self.machine.path(directory), exist_ok=True)
        self.service('spire-server', SERVER.format(**self.settings(jwt=jwt)), 'Starting Server APIs', 'run')
        self.service('oidc-discovery-provider', PROVIDER.format(**self.settings()), 'Serving HTTPS')
        self.start_agent(self.server('token', 'generate', '-spiffeID', AGENT_ID).split()[1])

    def start_agent(self, token=''):
        """One that was there before needs no token."""
        self.service('spire-agent', AGENT.format(**self.settings(token=token)), 'Starting Workload and SDS APIs', 'run')

    def stop_agent(self):
        self.machine.run('systemctl', 'stop', 'spire-agent')

    def stop(self):
        """And forgets everything."""
        for name in UNITS:
            self.machine.run('systemctl', 'stop', name, check=False)
        for directory in ('/var/lib/spire', '/run/spire'):
            shutil.rmtree(self.machine.path(directory), ignore_errors=True)

    def server(self, *words):
        return self.machine.run('spire-server', *words, '-socketPath', SERVER_SOCKET,
                                env={'PATH': '/usr/local/bin:/usr/bin:/bin'}).stdout

    def entry(self, path, *selectors):
        """An identity for whoever fits all selectors; returns its SPIFFE ID."""
        name = f'spiffe://{TRUST_DOMAIN}/{path}'
        self.server('entry', 'create', '-parentID', AGENT_ID, '-spiffeID', name,
                    *[word for selector in selectors for word in ('-selector', selector)])
        return name


if __name__ == '__main__':
    build(os.environ.get('PULLAUTH_TEST_CACHE', '/var/cache/pullauth-tests'))
    sys.exit(0)
