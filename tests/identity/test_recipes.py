# SPDX-License-Identifier: LGPL-2.1-or-later
"""The recipes of docs/identities.md, typed in on a host that has no identity yet, and what they end in: issuer and
subject as `pullauthctl identity` shows them, which the simulated Quay is told of, and a credential.

Tools that change clusters and SPIRE servers are stand-ins that know the lines of the page and no others.
"""

import json
import os
import re
import subprocess

import pytest
from certified import Certified, jwk_of
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from stands import ID, TABLE, Agent, Aws, AzureCloud, Gce
from test_kubernetes import ASKER, ApiServer, wants_yaml, with_kubeconfig
from workers import ROBOT
from world import DAEMON_UID, World, program

pytestmark = pytest.mark.limit(300)
PAGE = os.path.join(os.path.dirname(__file__), '..', '..', 'docs', 'identities.md')
IDENTITY = 'etc/pullauth/identities/default.identity'
TOOL = '''#!/usr/bin/python3
import base64, json, sys
with open({answers!r}, encoding='utf-8') as file:
    answers = json.load(file)
line = ' '.join(sys.argv[1:])
if line not in answers:
    sys.exit('unknown: ' + line)
sys.stdout.write(answers[line])
'''


def blocks(source):
    """What is to be typed for a source, in the order of the page."""
    with open(PAGE, encoding='utf-8') as page:
        section, = re.findall(f'^## {source}: .*?(?=^## |\\Z)', page.read(), re.MULTILINE | re.DOTALL)
    return re.findall('^```sh\n(.*?)^```', section, re.MULTILINE | re.DOTALL)


class Beginner(World):
    """A host with one job and no identity, and somebody who types as root."""

    def __init__(self, quay):
        super().__init__(quay)
        self.bin = os.path.join(self.directory, 'bin')
        os.mkdir(self.bin)
        os.symlink(program(self.directory, 'pullauthctl'), os.path.join(self.bin, 'pullauthctl'))
        os.unlink(self.path(IDENTITY))
        self.replaced = {}
        self.start()
        self.client.wait_job('edge', Reason='identity-missing')

    def tool(self, name, answers):
        """Knows these lines, each with what it prints."""
        path = os.path.join(self.bin, name)
        with open(f'{path}.json', 'w', encoding='utf-8') as file:
            json.dump(answers, file)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(TOOL.format(answers=f'{path}.json'))
        os.chmod(path, 0o755)

    def mend(self, text):
        """Paths of commands lie in this host, what stands in files stays; the names of others are those of the rig."""
        text = re.sub('(?<!=)/etc/pullauth', self.path('/etc/pullauth'), text)
        # The daemon of this rig is no service with the capability to read what is root's.
        text = text.replace('root:pullauth', f'{os.getuid()}:{DAEMON_UID}')
        text = text.replace('install -m 600', f'install -o {DAEMON_UID} -m 600')
        for old, new in self.replaced.items():
            assert old in text, old
            text = text.replace(old, new)
        return text

    def type(self, text):
        environment = self.environment()
        environment['PATH'] = f'{self.bin}:{environment["PATH"]}'
        environment.pop('LD_PRELOAD', None)
        ran = subprocess.run(['bash', '-euo', 'pipefail', '-c', self.mend(text)], env=environment, cwd=self.directory,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             timeout=120)
        assert ran.returncode == 0, f'{text}\n{ran.stdout}'
        return ran.stdout

    def trust(self, shown):
        """What the page ends in: somebody enters what was shown at the robot account."""
        issuer, = re.findall(r'Issuer: (\S+)', shown)
        subject, = re.findall(r'Subject: (\S+)', shown)
        self.quay.robot(ROBOT, federation=[self.quay.federation_entry(issuer=issuer, subject=subject)])
        return issuer, subject

    def works(self):
        ran = self.ctl('test', 'edge', uid=DAEMON_UID)
        assert ran.returncode == 0, ran.stdout
        self.client.call('org.pullauth1.Manager', 'ResetFailed')
        self.refresh()
        self.client.wait_job('edge', State='fresh')
        assert self.is_good()

    def more(self, source, lines):
        """What only the rig needs in the file."""
        self.replaced[f'Source={source}\n'] = f'Source={source}\n{lines}'


@pytest.fixture
def beginner(rig):
    made = Beginner(rig)
    try:
        yield made
    finally:
        made.close()


def test_signed_and_a_change_of_its_key(beginner, rig):
    beginner.replaced = {'https://keys.example.com': rig.issuer}
    shown = beginner.type(blocks('signed')[0])

    def publish():
        found = {}
        for file, path in (('openid-configuration', '.well-known/openid-configuration'), ('jwks.json', 'jwks.json')):
            with open(os.path.join(beginner.directory, file), encoding='utf-8') as text:
                found[f'/edge-1/{path}'] = text.read()
        rig.call('issuer', documents=found)
        return len(json.loads(found['/edge-1/jwks.json'])['keys'])

    def signer():
        name, = re.findall(r'Signed: RS256, key (\S+)', beginner.type('pullauthctl identity default'))
        return name

    assert publish() == 1
    assert beginner.trust(shown) == (f'{rig.issuer}/edge-1', 'edge-1')
    beginner.works()
    beginner.replaced = {}
    first = signer()
    stages = (2, False), (2, True), (1, True)
    for stage, (published, changed) in zip(blocks('signed')[1].split('\n\n'), stages, strict=True):
        beginner.type(stage)
        assert publish() == published and (signer() != first) == changed
        beginner.works()


def test_oauth2(beginner, rig):
    """The issuer is a certified one, and is told of the key that the page makes."""
    key, rest = re.fullmatch('(.*-pubout[^\n]*\n)(.*)', blocks('oauth2')[0], re.DOTALL).groups()
    public = re.search('-----BEGIN.*-----\n', beginner.type(key), re.DOTALL)[0]
    client = {'client_id': 'edge-1', 'token_endpoint_auth_method': 'private_key_jwt', 'redirect_uris': [],
              'response_types': [], 'grant_types': ['client_credentials'],
              'jwks': {'keys': [jwk_of(PublicKey(public), 'edge-1')]}}
    issuer = Certified(rig, beginner.directory, [client], '')
    try:
        beginner.replaced = {'https://keycloak.example.com/realms/edge': issuer.url}
        beginner.more('oauth2', 'CAFile=/etc/pullauth/ca.pem\n')
        assert beginner.trust(beginner.type(rest)) == (issuer.url, 'edge-1')
        beginner.works()
    finally:
        issuer.close()


class PublicKey:
    """What jwk_of() asks a private key for."""

    def __init__(self, pem):
        self.pem = pem

    def public_key(self):
        return load_pem_public_key(self.pem.encode())


KUBECTL = ['create namespace edge', '-n edge create serviceaccount quay-puller',
           '-n edge create serviceaccount host-1',
           '-n edge create role puller-token --verb=create --resource=serviceaccounts/token '
           '--resource-name=quay-puller',
           '-n edge create rolebinding host-1 --role=puller-token --serviceaccount=edge:host-1']


@wants_yaml
def test_kubernetes_by_a_token_and_by_a_kubeconfig(beginner, rig):
    api = ApiServer(rig)
    kubeconfig = with_kubeconfig(api, f'token: {ASKER}')['secrets']['Kubeconfig']
    ca = re.search('certificate-authority-data: (\\S+)', kubeconfig)[1]
    first, second = blocks('kubernetes')
    beginner.tool('kubectl', {
        **dict.fromkeys(KUBECTL, ''), '-n edge create token host-1 --duration=8760h': ASKER + '\n',
        'config view --raw --flatten --minify -o jsonpath={.clusters[0].cluster.certificate-authority-data}': ca,
        'config view --raw --flatten --minify': kubeconfig})
    beginner.replaced = {'https://api.cluster.example.com:6443': api.url}
    try:
        assert beginner.trust(beginner.type(first)) == (rig.issuer, rig.subject)
        beginner.works()
        beginner.replaced = {}
        beginner.type(second)
        beginner.write(IDENTITY, '[Identity]\nSource=kubernetes\nKubeconfig=/etc/pullauth/kubeconfig\n'
                                 'ServiceAccount=quay-puller\nAudience=quay\n')
        beginner.type('pullauthctl reload')
        beginner.works()
    finally:
        api.close()
    assert api.complaints == []


def test_spiffe(beginner, rig):
    """The agent is a stand-in; what the page has for SPIRE's own programs is tried in the host suite."""
    os.mkdir(beginner.path('agent'), 0o755)
    with Agent(beginner.path('agent/api.sock')) as agent:
        agent.svids = [{'spiffe_id': ID, 'svid': rig.jwt()}]
        beginner.tool('spire-server', {
            'entry create -parentID spiffe://example.com/agent/edge-1 -spiffeID spiffe://example.com/host/edge-1 '
            '-selector systemd:id:pullauth-worker.service': ''})
        beginner.replaced = {'/run/spire/agent/public/api.sock': agent.path}
        beginner.trust(beginner.type(blocks('spiffe')[-1]))
        beginner.works()


@pytest.mark.parametrize('kind, lines', [
    (Gce, ''), (AzureCloud, ''), (Aws, 'CAFile=/etc/pullauth/ca.pem\n')], ids=['gce', 'azure', 'aws'])
def test_clouds(beginner, rig, kind, lines):
    stand = kind(rig, beginner.directory)
    for key in ('MetadataServer', 'STSEndpoint'):
        if key in stand.settings:
            lines += f'{key}={stand.settings[key]}\n'
    beginner.more(kind.source, lines)
    block, = blocks(kind.source)
    assert beginner.trust(beginner.type(block)) == (rig.issuer, rig.subject)
    beginner.works()
    stand.close()


def test_file_and_exec(beginner, rig):
    """Who writes the file, and the program, are those of the test."""
    os.mkdir(beginner.path('run/agent'), 0o755)
    for source, path in (('file', 'run/agent/quay.jwt'), ('exec', 'get-token')):
        beginner.replaced = {}
        if source == 'file':
            beginner.write(path, rig.jwt(), 0o600)
        else:
            beginner.write(path, f'#!/bin/sh\n[ "$1 $2" = "--audience quay" ] && echo {rig.jwt()}\n', 0o755)
            beginner.replaced = {'/usr/local/bin/get-token': beginner.path(path)}
        block, = blocks(source)
        assert beginner.trust(beginner.type(block)) == (rig.issuer, rig.subject)
        beginner.works()


def test_every_source_has_a_row_and_a_recipe():
    with open(PAGE, encoding='utf-8') as page:
        text = page.read()
    rows = re.findall(r'^\| `(\w+)` \| ', text.split('## Which one')[0], re.MULTILINE)
    assert len(rows) == 10 and {*rows} == {kind.source for kind in TABLE} | {'file', 'credential'}
    for source in rows:
        assert any('/etc/pullauth' in block for block in blocks(source)), source
        assert all(len(block.splitlines()) <= 20 for block in blocks(source)), source
