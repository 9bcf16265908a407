# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each key of an identity, and of the sections [Exchange] and [Kubernetes], with a wrong value: what is said names
file, line and key, and what would be right. The keys are those of the programs' own tables: one without a row here
fails."""

import os
import re

import pytest
from rig import TOP
from test_configuration import messages

PATH, CREDENTIAL, PLAIN = 'is not an absolute path', '=credential:name', 'printable ASCII without blanks'
BOOLEAN = 'use yes or no'

# What each source needs, by lines, the key that a row is about taken out.
IDENTITIES = {
    'file': {'TokenFile': '/run/quay.jwt'},
    'credential': {'Credential': 'quay-token'},
    'exec': {'Command': '/usr/bin/get-token'},
    'spiffe': {'Socket': '/run/spire/api.sock'},
    'oauth2': {'Issuer': 'https://issuer.example.com', 'ClientID': 'edge-1', 'ClientSecretFile': 'credential:secret'},
    'kubernetes': {'ServiceAccount': 'quay-puller', 'Server': 'https://api.example.com', 'TokenFile': '/etc/token'},
    'signed': {'Issuer': 'https://keys.example.com', 'Subject': 'edge-1', 'KeyFile': '/etc/pullauth/host.key'},
    'gce': {}, 'azure': {'Resource': 'api://quay'}, 'aws': {},
}
# (source, key, wrong value, what the message says besides)
WRONG = [
    ('file', 'TokenFile', 'run/quay.jwt', PATH), ('file', 'TokenFile', '/run/../quay.jwt', PATH),
    ('file', 'TokenFile', 'credential:a/b', CREDENTIAL), ('file', 'Audience', 'a b', PLAIN),
    ('credential', 'Credential', 'a/b', 'Credential=quay-token'),
    ('exec', 'Command', 'get-token', 'Command=/usr/bin/get-token'), ('exec', 'Command', "/bin/sh -c 'x", 'quote'),
    ('exec', 'Timeout', '2min', 'between 1s and 50s, for example 20s'), ('exec', 'Timeout', 'soon', 'for example 20s'),
    ('spiffe', 'Socket', 'tcp://127.0.0.1:8081', 'Socket=unix:///'), ('spiffe', 'Socket', 'run/x', 'Socket=unix:///'),
    ('spiffe', 'Socket', '/' + 'x' * 108, 'Socket=unix:///'), ('spiffe', 'Timeout', '0', 'for example 20s'),
    ('spiffe', 'SPIFFEID', 'example.com/host', 'SPIFFEID=spiffe://'), ('spiffe', 'SPIFFEID', 'spiffe://a b', PLAIN),
    ('spiffe', 'Hint', 'a b', PLAIN),
    ('oauth2', 'Issuer', 'http://issuer', 'Issuer=https://'), ('oauth2', 'Issuer', 'https://a@b', 'Issuer=https://'),
    ('oauth2', 'ClientID', 'a b', PLAIN),
    ('oauth2', 'ClientAuthentication', 'basic',
     'use one of: client_secret_basic client_secret_post private_key_jwt tls_client_auth'),
    ('oauth2', 'ClientSecretFile', 'secret', PATH), ('oauth2', 'ClientCertificateFile', './c.pem', PATH),
    ('oauth2', 'ClientKeyFile', 'credential:', CREDENTIAL), ('oauth2', 'ClientKeyID', 'a b', PLAIN),
    ('oauth2', 'Scope', b'\xff', 'UTF-8'), ('oauth2', 'Resource', 'a b', PLAIN),
    ('oauth2', 'IdToken', 'perhaps', BOOLEAN),
    ('oauth2', 'CAFile', 'ca.pem', PATH), ('oauth2', 'Proxy', 'socks5://p:1', 'Proxy=http://'),
    ('kubernetes', 'ServiceAccount', 'a b', PLAIN), ('kubernetes', 'Namespace', 'a b', PLAIN),
    ('kubernetes', 'Server', 'api.example.com:6443', 'Server=https://'),
    ('kubernetes', 'Kubeconfig', '~/.kube/config', PATH),
    ('kubernetes', 'Context', b'\xff', 'UTF-8'), ('kubernetes', 'InCluster', 'sometimes', BOOLEAN),
    ('kubernetes', 'BoundObject', 'ConfigMap/x', 'BoundObject=Node/'),
    ('kubernetes', 'BoundObject', 'Pod/a/b/c', 'BoundObject='),
    ('kubernetes', 'Lifetime', '5s', 'between 1min and 1d, for example 10min'),
    ('kubernetes', 'Lifetime', '9min 59s', 'shorter than the 10min that Source=kubernetes takes'),
    ('aws', 'Lifetime', '61min', 'longer than the 1h that Source=aws takes at most, write for example Lifetime=10min'),
    ('signed', 'Subject', 'a b', PLAIN), ('signed', 'KeyFile', 'host.key', PATH),
    ('signed', 'KeyURI', '/etc/pullauth/host.key', 'KeyURI=pkcs11:'), ('signed', 'PINFile', 'pin', PATH),
    ('signed', 'PublishedKeyFile', 'next.pub', PATH), ('signed', 'KeyID', 'a b', PLAIN),
    ('signed', 'Algorithm', 'ES256', 'use one of: RS256 RS384'), ('signed', 'Lifetime', '2d', 'for example 10min'),
    ('azure', 'ObjectID', 'a b', PLAIN), ('azure', 'ManagedIdentity', 'a b', PLAIN),
    ('aws', 'Region', 'a b', PLAIN), ('aws', 'STSEndpoint', 'http://sts', 'STSEndpoint=https://'),
    ('gce', 'MetadataServer', '169.254.169.254', 'MetadataServer=http://'),
    ('file', 'Source', 'magic', 'file, credential, exec, spiffe, signed, oauth2, kubernetes, gce, azure, aws'),
]
# What is missing or contradicts itself: whole sections, for those messages name no line but the file. The first line is
# the source.
MISSING = [
    ('file\n', 'TokenFile= is missing, Source=file needs it, add for example TokenFile='),
    ('credential\n', 'Credential= is missing'), ('exec\n', 'Command= is missing'),
    ('spiffe\n#', 'Audience= is missing, Source=spiffe needs it, add for example Audience=quay'),
    ('gce\n#', 'Audience= is missing'), ('aws\n#', 'Audience= is missing'), ('azure\n', 'Resource= is missing'),
    ('kubernetes\nServiceAccount=a\nInCluster=yes\n#', 'Audience= is missing'),
    ('kubernetes\n', 'ServiceAccount= is missing'),
    ('oauth2\n', 'Issuer= is missing'), ('oauth2\nIssuer=https://a\n', 'ClientID= is missing'),
    ('oauth2\nIssuer=https://a\nClientID=b\n', 'needs exactly one of ClientSecretFile=, ClientKeyFile='),
    ('oauth2\nIssuer=https://a\nClientID=b\nClientKeyFile=/k\nClientAuthentication=tls_client_auth\n',
     'ClientAuthentication=tls_client_auth needs ClientCertificateFile='),
    ('kubernetes\nServiceAccount=a\n', 'needs exactly one of Server=, InCluster=, Kubeconfig='),
    ('kubernetes\nServiceAccount=a\nServer=https://a\n', 'needs exactly one of TokenFile=, ClientKeyFile='),
    ('kubernetes\nServiceAccount=a\nServer=https://a\nClientKeyFile=/k\n', 'needs ClientCertificateFile='),
    ('kubernetes\nServiceAccount=a\nInCluster=yes\nContext=c\n', 'Context=c needs Kubeconfig='),
    ('signed\nIssuer=https://a\n', 'Subject= is missing'),
    ('signed\nIssuer=https://a\nSubject=b\n', 'needs exactly one of KeyFile=, KeyURI='),
    ('azure\nResource=a\nClientID=b\nObjectID=c\n', 'takes at most one of ClientID=, ObjectID=, ManagedIdentity='),
    ('\n', 'Source= is missing in section [Identity], add for example Source=file'),
]

EXCHANGE = {'TokenEndpoint': 'https://sts.example.com/token'}
WRONG_EXCHANGE = [
    ('TokenEndpoint', 'http://sts', 'TokenEndpoint=https://'), ('Issuer', 'issuer.example', 'Issuer=https://'),
    ('Audience', 'a b', PLAIN), ('Resource', 'a b', PLAIN), ('Scope', b'\xff', 'UTF-8'),
    ('SubjectTokenType', 'a b', PLAIN), ('RequestedTokenType', 'a b', PLAIN), ('ClientID', 'a b', PLAIN),
    ('ClientAuthentication', 'basic', 'tls_client_auth none'), ('ClientSecretFile', 'secret', PATH),
    ('ClientCertificateFile', 'c.pem', PATH), ('ClientKeyFile', 'credential:../k', CREDENTIAL),
    ('ClientKeyID', 'a b', PLAIN), ('CAFile', 'ca.pem', PATH), ('Proxy', 'proxy:3128', 'Proxy=http://'),
]
MISSING_EXCHANGE = [
    ('', 'needs exactly one of TokenEndpoint=, Issuer='),
    ('TokenEndpoint=https://a\nIssuer=https://b\n', 'needs exactly one of TokenEndpoint=, Issuer='),
    ('Issuer=https://b\nClientSecretFile=/s\n', 'ClientSecretFile=/s needs ClientID='),
    ('Issuer=https://b\nClientID=c\nClientAuthentication=private_key_jwt\n', 'needs ClientKeyFile='),
    ('Issuer=https://b\nClientID=c\nClientKeyFile=/k\nClientSecretFile=/s\n', 'at most one of'),
]

# Of section [Kubernetes] of a target.
CLUSTER = {'Secret': 'quay-pull', 'Server': 'https://api.example.com', 'TokenFile': '/etc/token'}
LABEL, ANNOTATION = 'Label=team=edge', 'Annotation=tekton.dev/docker-0='
WRONG_CLUSTER = [
    ('Secret', 'Quay', 'Secret=quay-pull'), ('Secret', 'a/b', 'Secret=quay-pull'),
    ('Namespace', 'Edge', 'Namespace=edge'), ('Namespace', 'a b', 'Namespace=edge'),
    ('Create', 'none', 'none of owner, merge and orphan'), ('Delete', 'merge', 'neither delete nor retain'),
    ('Label', 'team', LABEL), ('Label', 'team=a b', LABEL), ('Label', 'te am=a', LABEL),
    ('Label', 'app.kubernetes.io/managed-by=me', 'pullauthd sets'),
    ('Annotation', 'a b=c', ANNOTATION), ('Annotation', 'pullauth.org/owner=me', 'pullauthd sets'),
    ('Server', 'http://api.example.com', 'Server=https://'), ('TokenFile', 'token', PATH),
    ('ClientCertificateFile', './c.pem', PATH), ('ClientKeyFile', 'credential:', CREDENTIAL),
    ('Kubeconfig', '~/.kube/config', PATH), ('Context', b'\xff', 'UTF-8'), ('InCluster', 'sometimes', BOOLEAN),
    ('CAFile', 'ca.pem', PATH), ('Proxy', 'socks5://p:1', 'Proxy=http://'),
]
MISSING_CLUSTER = [
    ('Server=https://a\nTokenFile=/t\n', 'Secret= is missing'),
    ('Secret=a\nSecret=\nInCluster=yes\n', 'Secret= is missing'),
    ('Secret=a\n', 'Section [Kubernetes] needs exactly one of Server=, InCluster=, Kubeconfig='),
    ('Secret=a\nServer=https://a\nTokenFile=/t\nInCluster=yes\n', 'exactly one of Server=, InCluster=, Kubeconfig='),
    ('Secret=a\nServer=https://a\n', 'needs exactly one of TokenFile=, ClientKeyFile='),
    ('Secret=a\nServer=https://a\nClientKeyFile=/k\n', 'ClientKeyFile=/k needs ClientCertificateFile='),
    ('Secret=a\nServer=https://a\nTokenFile=/t\nClientCertificateFile=/c\n', 'needs ClientKeyFile='),
    ('Secret=a\nInCluster=yes\nContext=c\n', 'Context=c needs Kubeconfig='),
    ('Secret=a\nInCluster=yes\n[Target]\nMode=0640\n', 'is for a target that is no file: take Path=, Owner='),
]


def octets(value):
    return value if isinstance(value, bytes) else value.encode()


def section(usual, key, value):
    """The other lines come first. Returns the text, and the number that the key's line has below its section."""
    lines = [octets(f'{name}={usual[name]}') for name in usual if name != key]
    return b'\n'.join([*lines, octets(key) + b'=' + octets(value), b'']), len(lines) + 1


# Kinds of files that a job names: where they lie, how they begin, what in the job names them.
SECTIONS = {'identity': ('identities', b'[Identity]\n', 'Identity'),
            'target': ('targets', b'[Kubernetes]\n', 'Targets')}


class Files:
    """One start of the daemon for all rows: each has a job of its own, perhaps with an identity of its own."""

    def __init__(self, host):
        self.host, self.rows = host, {}
        host.standard()

    def add(self, kind, text, line, *words):
        name = f'r{len(self.rows)}'
        job = f'[Job]\nRegistry=quay.example.com\nScopes={name}\n'
        if kind in SECTIONS:
            self.host.write(f'etc/pullauth/{SECTIONS[kind][0]}/{name}.{kind}', SECTIONS[kind][1] + octets(text))
            job += f'Robot=acme+{name}\n{SECTIONS[kind][2]}={name}\n'
        else:
            job += 'Exchange=oauth2\nUsername=u\n'
            line += job.count('\n') if line else 0
        job = job.encode() + (b'[Exchange]\n' + octets(text) if kind == 'job' else b'')
        self.host.write(f'etc/pullauth/jobs/{name}.job', job)
        self.rows[name] = (f'{name}.{kind}', line + 1 if line else 0, words, text)

    def wrong(self):
        """What is not said of the rows as it has to be."""
        self.host.start()
        for name, (file, line, words, text) in self.rows.items():
            job = self.host.client.wait_job(name, State='failed')
            assert job['Reason'] in ('configuration-invalid', 'identity-missing') and job['AttemptsStarted'] == 0
            said = [(severity, where, at, what) for severity, where, at, what in messages(job) if where == file]
            errors = [row for row in said
                      if row[0] == 'error' and row[2] == line and all(word in row[3] for word in words)]
            if len(errors) != 1 or file.endswith('.target') and len(said) != 1:
                yield text, line, words, said


@pytest.mark.limit(300)
def test_wrong_values_of_identities_name_file_line_key_and_what_would_be_right(host):
    rows = Files(host)
    for source, key, value, says in WRONG:
        usual = {'Source': source, 'Audience': 'quay', **IDENTITIES[source]}
        rows.add('identity', *section(usual, key, value), key if says != 'UTF-8' else '', says)
    for text, says in MISSING:
        source, rest = text.split('\n', 1)
        rows.add('identity', f'Source={source}\n{rest}Audience=quay\n', 0, says)
    wrong = list(rows.wrong())
    assert not wrong, '\n'.join(map(str, wrong))
    host.client.wait_job('edge', State='fresh')  # nobody else is concerned


@pytest.mark.limit(300)
def test_wrong_values_of_an_exchange_do_so_too(host):
    rows = Files(host)
    for key, value, says in WRONG_EXCHANGE:
        rows.add('job', *section({} if key == 'Issuer' else EXCHANGE, key, value), key if says != 'UTF-8' else '', says)
    for text, says in MISSING_EXCHANGE:
        rows.add('job', text, 0, says)
    wrong = list(rows.wrong())
    assert not wrong, '\n'.join(map(str, wrong))
    host.client.wait_job('edge', State='fresh')  # nobody else is concerned


@pytest.mark.limit(300)
def test_wrong_values_of_a_target_in_a_cluster_do_so_too(host):
    rows = Files(host)
    for key, value, says in WRONG_CLUSTER:
        rows.add('target', *section(CLUSTER, key, value), key if says != 'UTF-8' else '', says)
    for text, says in MISSING_CLUSTER:
        rows.add('target', text, 0, says)
    wrong = list(rows.wrong())
    assert not wrong, '\n'.join(map(str, wrong))
    host.client.wait_job('edge', State='fresh')  # nobody else is concerned


def table(name):
    """The keys of a table of the programs, and those that can be wrong in no way but by their letters."""
    with open(os.path.join(TOP, 'src', 'model', f'{name}.c'), encoding='utf-8') as file:
        return set(re.findall(r'^        \{ "(\w+)", [A-Z0-9_ |]+, [A-Z0-9_ |]+, SETTING_VALUE_', file.read(), re.M))


@pytest.mark.parametrize('name, rows', [('identity-key', {row[1] for row in WRONG}),
                                        ('exchange-config', {row[0] for row in WRONG_EXCHANGE})])
def test_every_key_has_a_row(name, rows):
    keys = table(name)
    assert len(keys) > 10 and keys <= rows, sorted(keys - rows)


def test_every_key_of_a_target_in_a_cluster_has_a_row():
    with open(os.path.join(TOP, 'src', 'model', 'target-config.c'), encoding='utf-8') as file:
        keys = set(re.findall(r'\{ "Kubernetes", "(\w+)", ', file.read()))
    rows = {row[0] for row in WRONG_CLUSTER}
    assert len(keys) > 10 and keys == rows, sorted(keys ^ rows)


def test_a_warning_about_an_identity_is_shown_at_its_jobs_and_logged_once(edge):
    edge.job('second', more='Scopes=acme/app\n')
    edge.identity(more='Server=https://api.example.com\n')
    edge.reload()
    text = 'Server= means nothing with Source=file, ignoring'
    for name in ('edge', 'second'):
        job = edge.client.wait_job(name, State='fresh')
        assert messages(job) == [('warning', 'default.identity', 5, text)]
    with open(edge.logs, encoding='utf-8') as log:
        assert log.read().count(text) == 1
    edge.identity()
    edge.reload()
    edge.client.wait_job('edge', ConfigurationMessages=[])
