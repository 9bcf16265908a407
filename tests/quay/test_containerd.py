# SPDX-License-Identifier: LGPL-2.1-or-later
"""The template hosts.toml, and containerd's own resolver (containerd/main.go), which gets no other credential."""

import os
import subprocess

import gobuild
import pytest
from recipes import recipes
from world import DAEMON_UID, World

pytestmark = pytest.mark.limit(700)  # for the first, which may have to build the resolver
HERE = os.path.dirname(os.path.abspath(__file__))
HOSTS = 'etc/containerd/certs.d'


class Containerd(World):
    def __init__(self, quay):
        super().__init__(quay)
        self.program = gobuild.program(os.path.join(HERE, 'containerd'))
        self.write('usr/lib/pullauth/templates/hosts.toml', self.shipped('hosts.toml'))
        directory = self.path(f'{HOSTS}/{quay.quay}')
        os.makedirs(directory, 0o755)
        os.chown(directory, DAEMON_UID, DAEMON_UID)
        for kind, path, text in recipes('other')['containerd']:
            if kind == 'file' and path.startswith('/etc/pullauth/'):
                self.write(path.lstrip('/'), text.replace('quay.example.com', quay.quay))

    @staticmethod
    def shipped(name):
        with open(os.path.join(HERE, '..', '..', 'templates', name), encoding='utf-8') as file:
            return file.read()

    def fetch(self, image):
        """Whether it got the manifest, and who asked for it."""
        self.quay.call('forget')
        done = subprocess.run([self.program, self.path(HOSTS), image], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={'SSL_CERT_FILE': self.quay.ca, 'PATH': os.environ['PATH']}, timeout=60)
        for entry in self.quay.requests():  # nginx, which Quay is behind, refuses two
            assert [name.lower() for name, _ in entry['headers']].count('authorization') <= 1
        asked = {(entry['authorization'] or {}).get('user') for entry in self.quay.requests('/v2/auth')}
        assert (done.returncode == 0) == ('layers' in done.stdout), done.stderr
        return done.returncode == 0, asked


@pytest.fixture
def containerd(registry_rig):
    made = Containerd(registry_rig)
    try:
        yield made
    finally:
        made.close()


def test_containerd_takes_its_credential_from_hosts_toml_across_a_rotation(containerd):
    quay = containerd.quay
    assert containerd.fetch(quay.image) == (False, {None})
    quay.set_lifetime(600)
    containerd.fresh()
    assert containerd.fetch(quay.image) == (True, {'acme+edge'})
    assert containerd.fetch(quay.foreign_image)[0] is False
    quay.set_lifetime(3600)
    containerd.client.call('org.pullauth1.Manager', 'RefreshAll')
    containerd.client.wait_job('edge', Refreshes=2)
    quay.set_clock(600 + 31)  # the first one has ended, and Quay's leeway
    assert containerd.fetch(quay.image) == (True, {'acme+edge'})
