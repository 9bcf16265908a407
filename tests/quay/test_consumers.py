# SPDX-License-Identifier: LGPL-2.1-or-later
"""The recipes of docs/consumers.md: daemon and worker as they are, real tools, a real registry.

Each runs in a mount namespace in which /run, /root and /etc/containers are those of the host of the test. Of a unit,
the environment, the files and the image are taken, and what it wants is pulled or built.
"""

import os
import pwd
import re
import shutil
import subprocess

import pytest
from recipes import recipes
from world import DAEMON_UID, ROOT, World, program

LIMIT = 60
TOP = os.path.join(os.path.dirname(__file__), '..', '..')
DAEMON_USER = pwd.getpwuid(DAEMON_UID)
NAMESPACE = r'''
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/containers /run/user/0
mount --bind "$HOST_ROOT/run/containers" /run/containers
mount --bind "$HOST_ROOT/etc/containers" /etc/containers
mount -t tmpfs tmpfs /root
unset HOST_ROOT
cd /
exec "$@"
'''
STORAGE = '[storage]\ndriver = "vfs"\ngraphroot = "{0}/graph"\nrunroot = "{0}/run"\n'
CONTAINERS = '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\ntmp_dir = "{0}/tmp"\n'


RECIPES = recipes()
pytestmark = pytest.mark.skipif(not ROOT, reason='only root can make a namespace')


class Kitchen(World):
    """A host with the job `edge`, and a shell on it."""

    def __init__(self, quay):
        super().__init__(quay)
        self.token(quay.jwt())
        self.bin = os.path.join(self.directory, 'bin')
        os.mkdir(self.bin)
        self.tool()
        self.home = self.path(DAEMON_USER.pw_dir)
        os.makedirs(self.home)
        os.chown(self.home, DAEMON_UID, DAEMON_UID)
        for path in ('etc/crio', 'run/ostree', 'etc/osbuild-worker', 'var/lib/kubelet'):
            os.makedirs(self.path(path), 0o755)
            os.chown(self.path(path), DAEMON_UID, DAEMON_UID)
        for name in ('policy.json', 'registries.conf'):
            if os.path.exists(f'/etc/containers/{name}'):
                shutil.copy(f'/etc/containers/{name}', self.path('etc/containers'))
        shutil.copytree(os.path.join(TOP, 'templates'), self.path('usr/lib/pullauth/templates'))
        shutil.copytree(quay.cert_dir, self.path(f'etc/containers/certs.d/{quay.quay}'),
                        ignore=shutil.ignore_patterns('*.key'))
        for name, text in (('storage.conf', STORAGE), ('containers.conf', CONTAINERS)):
            self.write(name, text.format(self.path('store')))

    def tool(self):
        """What looks at the tools of a host looks at those of this one."""
        path = os.path.join(self.bin, 'pullauthctl')
        real = program(self.directory, 'pullauthctl')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\nHOME=${{HOME#{self.root}}}\n'
                       f'case $1 in targets|which) set -- "$@" --root={self.root};; esac\nexec {real} "$@"\n')
        os.chmod(path, 0o755)

    def mend(self, text):
        return text.replace('quay.example.com', self.quay.quay).replace('alice', DAEMON_USER.pw_name)

    def type(self, kind, command, **variables):
        environment = {'PATH': f'{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root', 'LC_ALL': 'C.UTF-8',
                       'DBUS_SYSTEM_BUS_ADDRESS': self.address, 'HOST_ROOT': self.root,
                       'CONTAINERS_STORAGE_CONF': self.path('storage.conf'),
                       'CONTAINERS_CONF': self.path('containers.conf'), 'CURL_CA_BUNDLE': self.quay.ca, **variables}
        if kind == 'session':
            environment['XDG_RUNTIME_DIR'] = '/run/user/0'
        shell = ['bash', '-ec', self.mend(command)]
        if kind not in ('run', 'session'):
            environment['HOME'] = self.home
            shell = ['setpriv', f'--reuid={DAEMON_UID}', f'--regid={DAEMON_USER.pw_gid}', '--clear-groups', *shell]
        ran = subprocess.run(['unshare', '--mount', 'sh', '-c', NAMESPACE, 'sh', *shell], env=environment,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             timeout=LIMIT)
        return ran.returncode, ran.stdout

    def typed(self, kind, command, **variables):
        status, shown = self.type(kind, command, **variables)
        assert status == 0, f'{command!r} ended with {status}:\n{shown}'
        return shown

    def start_unit(self, text):
        """What a service manager would have podman do about the image of a Quadlet unit."""
        variables = dict(line.split('=', 1) for line in re.findall(r'^Environment=(.*)$', text, re.MULTILINE))
        keys = dict(re.findall(r'^(\w+)=(.*)$', text, re.MULTILINE))
        file = f'--authfile={keys["AuthFile"]}' if 'AuthFile' in keys else ''
        if 'ImageTag' in keys:
            self.typed('run', f'podman build {file} --tag={keys["ImageTag"]} --file={keys["File"]}')
        else:
            self.typed('run', f'podman pull {file} {keys["Image"]}', **variables)


@pytest.fixture
def kitchen(registry_rig):
    made = Kitchen(registry_rig)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize('name', RECIPES)
def test_the_recipe_works(kitchen, name):
    for kind, path, text in RECIPES[name]:
        if kind == 'file':
            kitchen.write(kitchen.mend(path), kitchen.mend(text))
    kitchen.fresh()
    for kind, path, text in RECIPES[name]:
        if kind == 'file' and re.search('^(Image|ImageTag)=', text, re.MULTILINE):
            kitchen.start_unit(text)
        elif kind != 'file':
            prompt = '#' if kind in ('run', 'session') else '$'
            lines = text.splitlines()
            assert all(line.startswith(f'{prompt} ') for line in lines), lines
            exports = [line[2:] for line in lines if line[2:].startswith('export ')]
            for line in lines:
                if line[2:] not in exports:
                    kitchen.typed(kind, '\n'.join([*exports, line[2:]]))


def test_what_is_typed_would_be_denied_otherwise(kitchen):
    """Without a credential, and in a session of root, which looks elsewhere."""
    kitchen.fresh()
    for kind, image in (('session', 'acme/app'), ('run', 'other/app')):
        status, shown = kitchen.type(kind, f'skopeo inspect --no-tags docker://quay.example.com/{image}')
        assert status != 0 and ('unauthorized' in shown or 'denied' in shown), shown
