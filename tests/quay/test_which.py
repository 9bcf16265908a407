# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `pullauthctl which` says a tool would take is what the real skopeo and podman send to the registry."""

import base64
import json
import os
import pathlib
import subprocess
import tempfile

import pytest

LIMIT = 60
TOOL = os.path.join(os.environ['PULLAUTH_BUILD'], 'src', 'ctl', 'pullauthctl')
HELPER = '#!/bin/sh\necho \'{"ServerURL":"x","Username":"of-the-helper","Secret":"s"}\'\n'
RUNTIME, CONFIG, DOCKER, OLD = 'run/containers/auth.json', '.config/containers/auth.json', '.docker/config.json', \
    '.dockercfg'
ASKED, ENGINE = '.config/containers/registries.conf', 'engine.conf'


def entry(user):
    return {'auth': base64.b64encode(f'{user}:wrong'.encode()).decode()}


def auths(**users):
    """Path below the registry ("" for itself, `_` for a slash) to user."""
    return {'auths': {'/'.join(['HOST', *filter(None, path.split('_'))]): entry(user) for path, user in users.items()}}


# Files, and $REGISTRY_AUTH_FILE. HOST is the registry.
CASES = {
    'nothing': ({}, None),
    'registry': ({RUNTIME: auths(**{'': 'host'})}, None),
    'namespace': ({RUNTIME: auths(**{'': 'host', 'acme': 'namespace'})}, None),
    'repository': ({RUNTIME: auths(acme='namespace', acme_app='repository')}, None),
    'deeper': ({RUNTIME: auths(acme_app_more='deeper', acm='shorter')}, None),
    'other-namespace': ({RUNTIME: auths(acmes='other', other='other')}, None),
    'first-file-wins': ({RUNTIME: auths(**{'': 'host'}), CONFIG: auths(acme='namespace')}, None),
    'second-file': ({RUNTIME: auths(other='other'), CONFIG: auths(acme='second')}, None),
    'docker-file': ({DOCKER: auths(acme='docker')}, None),
    'old-file': ({OLD: auths(**{'': 'old', 'acme': 'namespace'})['auths']}, None),
    'empty-entry': ({RUNTIME: {'auths': {'HOST/acme': {}, 'HOST': entry('host')}}}, None),
    'empty-entry-then-file': ({RUNTIME: {'auths': {'HOST/acme': {}}}, DOCKER: auths(**{'': 'docker'})}, None),
    'no-colon': ({RUNTIME: {'auths': {'HOST/acme': {'auth': 'bm9jb2xvbg=='}}}}, None),
    'names-of-their-own': ({RUNTIME: {'auths': {'HOST': {'username': 'u', 'password': 'p'}}}}, None),
    'url': ({RUNTIME: {'auths': {'https://HOST/v1/': entry('url')}}}, None),
    'url-comes-last': ({RUNTIME: {'auths': {'https://HOST': entry('url'), 'HOST': entry('host')}}}, None),
    'helper': ({RUNTIME: {**auths(acme='namespace'), 'credHelpers': {'HOST': 'of-a-test'}}}, None),
    'helper-behind': ({RUNTIME: auths(acme='namespace'), CONFIG: {'credHelpers': {'HOST': 'of-a-test'}}}, None),
    'broken-entry': ({RUNTIME: {'auths': {'HOST': {'auth': '%%%'}}}}, None),
    'number-elsewhere': ({RUNTIME: {'auths': {'HOST': entry('host'), 'x.example.com': {'auth': 5}}}}, None),
    'broken-file': ({RUNTIME: '{"auths":', CONFIG: auths(**{'': 'second'})}, None),
    'empty-file': ({CONFIG: ''}, None),
    'file-behind-is-broken': ({RUNTIME: auths(**{'': 'host'}), CONFIG: ''}, None),
    'variable': ({RUNTIME: auths(**{'': 'host'}), 'x.json': auths(acme='named')}, 'x.json'),
    'programs-first': ({RUNTIME: auths(acme='namespace'),
                        ASKED: 'credential-helpers = ["of-a-test", "containers-auth.json"]'}, None),
    'programs-last': ({RUNTIME: auths(acme='namespace'),
                       ASKED: 'credential-helpers = ["containers-auth.json", "of-a-test"]'}, None),
    'programs-alone': ({RUNTIME: auths(acme='namespace'), ASKED: "credential-helpers = ['of-a-test']"}, None),
    'programs-behind-an-empty-entry': ({RUNTIME: {'auths': {'HOST/acme': {}, 'HOST': entry('host')}},
                                        ASKED: 'credential-helpers = ["containers-auth.json", "of-a-test"]'}, None),
    'no-programs': ({RUNTIME: auths(acme='namespace'), ASKED: 'credential-helpers = []'}, None),
    'variable-is-exclusive': ({RUNTIME: auths(**{'': 'host'}), 'x.json': {}}, 'x.json'),
}

# The same for what podman goes by, and skopeo does not.
OF_PODMAN = {
    'engine': ({RUNTIME: auths(acme='namespace'), 'x.json': auths(acme='named'),
                ENGINE: '[engine]\nenv = ["A=b", "REGISTRY_AUTH_FILE=HOME/x.json", "REGISTRY_AUTH_FILE=HOME/y"]'},
               None),
    'engine-behind-variable': ({'x.json': auths(acme='named'), 'y.json': auths(acme='variable'),
                                ENGINE: '[engine]\nenv = ["REGISTRY_AUTH_FILE=HOME/x.json"]'}, 'y.json'),
    'docker-is-exclusive': ({RUNTIME: auths(acme='namespace'), 'd/config.json': auths(other='other')}, None),
    'docker': ({RUNTIME: auths(acme='namespace'), 'd/config.json': auths(acme='docker')}, None),
    'docker-behind-variable': ({'x.json': auths(acme='named'), 'd/config.json': auths(acme='docker')}, 'x.json'),
    'docker-behind-engine': ({'x.json': auths(acme='named'), 'd/config.json': auths(acme='docker'),
                              ENGINE: '[engine]\nenv = ["REGISTRY_AUTH_FILE=HOME/x.json"]'}, None),
}


def write(home, files, registry):
    for path, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text.replace('HOST', registry).replace('HOME', str(home)), encoding='utf-8')
    # To pullauthctl, registries.conf of this user is that of a host on which all other files are the same.
    if ASKED in files:
        root = home / 'root'
        (root / 'etc/containers').mkdir(parents=True)
        (root / 'etc/containers/registries.conf').symlink_to(home / ASKED)
        (root / str(home.parent)[1:]).mkdir(parents=True)
        (root / str(home)[1:]).symlink_to(home)
    helper = home / 'bin' / 'docker-credential-of-a-test'
    helper.parent.mkdir()
    helper.write_text(HELPER, encoding='utf-8')
    helper.chmod(0o755)


def environment(home, variable):
    found = {'PATH': f'{home / "bin"}:{os.environ["PATH"]}', 'HOME': str(home), 'XDG_RUNTIME_DIR': str(home / 'run'),
             'LC_ALL': 'C.UTF-8', 'DBUS_SYSTEM_BUS_ADDRESS': f'unix:path={home}/no-bus'}
    if variable:
        found['REGISTRY_AUTH_FILE'] = str(home / variable)
    if (home / ENGINE).exists():
        found['CONTAINERS_CONF'] = str(home / ENGINE)
    if (home / 'd').exists():
        found['DOCKER_CONFIG'] = str(home / 'd')
    return found


def run(command, home, variable):
    return subprocess.run([str(part) for part in command], cwd=home, env=environment(home, variable),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=LIMIT)


def said(image, home, variable):
    """What is said: the user, "" for none, None for a failure."""
    root = [f'--root={home}/root'] if (home / 'root').exists() else []
    ran = run([TOOL, 'which', '--json', *root, image, 'podman-shell'], home, variable)
    use, = json.loads(ran.stdout)
    assert 'wrong' not in ran.stdout and ran.returncode == (0 if use['result'] == 'credential' else 3)
    if use['result'] == 'helper':
        assert use['message'].startswith('docker-credential-of-a-test is asked')
        return 'of-the-helper'
    return None if use['result'] == 'broken' else use['user']


def sent(rig, command, home, variable):
    """What is done: the user that the token endpoint saw, likewise."""
    rig.call('forget')
    ran = run(command, home, variable)
    seen = {(entry['authorization'] or {}).get('user', '') for entry in rig.requests('/v2/auth')}
    assert len(seen) <= 1, seen
    assert seen or ran.returncode != 0, ran.stdout
    return seen.pop() if seen else None


@pytest.fixture
def skopeo(registry_rig):
    """The command that fetches an image."""
    return lambda image: ['skopeo', 'inspect', '--no-tags', '--cert-dir', registry_rig.cert_dir, f'docker://{image}']


@pytest.fixture
def podman(registry_rig):
    """Likewise."""
    if os.geteuid() != 0:
        pytest.skip('podman of users needs subordinate ids')
    with tempfile.TemporaryDirectory(prefix='quay-') as store:  # podman wants a short path
        yield lambda image: ['podman', '--root', f'{store}/root', '--runroot', f'{store}/run', '--tmpdir',
                             f'{store}/tmp', '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs',
                             '--events-backend', 'none', 'pull', '--quiet', '--cert-dir', registry_rig.cert_dir, image]


def compare(rig, tool, home, files, variable):
    write(home, files, rig.quay)
    # What is denied stays so: no credential here is good.
    for image in (rig.image, rig.foreign_image):
        assert said(image, home, variable) == sent(rig, tool(image), home, variable), image


@pytest.mark.parametrize('tool', ['skopeo', 'podman'])
@pytest.mark.parametrize('case', CASES)
def test_what_is_said_is_what_is_sent(registry_rig, request, tool, tmp_path, case):
    compare(registry_rig, request.getfixturevalue(tool), pathlib.Path(tmp_path), *CASES[case])


@pytest.mark.parametrize('case', OF_PODMAN)
def test_what_is_said_of_podman_alone_is_what_it_sends(registry_rig, podman, tmp_path, case):
    compare(registry_rig, podman, pathlib.Path(tmp_path), *OF_PODMAN[case])
