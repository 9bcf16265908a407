# SPDX-License-Identifier: LGPL-2.1-or-later
"""docker-credential-pullauth as podman and skopeo run it: pulls with nothing on disk from a registry that asks."""

import os
import pathlib
import tempfile

import pytest
from test_registry import Podman, Skopeo, run
from world import World, program

HELPERS = 'credential-helpers = ["containers-auth.json", "pullauth"]\n'


@pytest.fixture
def world(registry_rig):
    made = World(registry_rig)
    try:
        yield made
    finally:
        made.close()


class Helped:
    """Pulls without any auth.json, with the helper in the PATH and in registries.conf."""

    def __init__(self, world, store):
        program(world.directory, 'docker-credential-pullauth')
        self.world, self.store, self.rig = world, pathlib.Path(store), world.quay
        self.directory = self.store / 'home'
        self.directory.mkdir()
        self.conf = self.store / 'registries.conf'
        self.conf.write_text(HELPERS, encoding='utf-8')
        self.environment = {'CONTAINERS_REGISTRIES_CONF': str(self.conf), 'DBUS_SYSTEM_BUS_ADDRESS': world.address,
                            'PATH': f'{world.directory}:{os.environ["PATH"]}'}

    def run(self, command):
        return run(command, self.directory, **self.environment)


class HelpedSkopeo(Helped):
    def pull(self, image):
        return self.run(['skopeo', '--registries-conf', self.conf, 'copy', '--src-cert-dir', self.rig.cert_dir,
                         f'docker://{image}', f'dir:{self.directory / "image"}'])

    has = Skopeo.has


class HelpedPodman(Helped):
    def podman(self, *command):
        return self.run(Podman.command(self, *command))

    def pull(self, image):
        return self.podman('pull', '--quiet', '--cert-dir', self.rig.cert_dir, image)

    has = Podman.has


@pytest.fixture(params=[HelpedSkopeo, HelpedPodman], ids=['skopeo', 'podman'])
def client(request, world):
    if request.param is HelpedPodman and os.geteuid() != 0:
        pytest.skip('podman of users needs subordinate ids, the host suite has it as root')
    with tempfile.TemporaryDirectory(prefix='quay-') as store:  # podman wants a short path
        yield request.param(world, store)


def test_a_private_image_is_pulled_across_a_rotation(world, client):
    world.start()
    world.client.wait_job('edge', State='fresh')
    done = client.pull(world.quay.image)
    assert done.returncode == 0 and client.has(world.quay.image), done.stdout
    world.client.call('org.pullauth1.Manager', 'RefreshAll')
    world.client.wait_job('edge', Refreshes=2)
    done = client.pull(world.quay.image)
    assert done.returncode == 0, done.stdout
    assert world.quay.audit()['logins'] == 0


def test_without_a_job_public_images_go_on(world, client):
    world.job(registry='elsewhere.example.com', more='Enabled=no\n')
    world.start()
    assert client.pull(world.quay.public_image).returncode == 0
    done = client.pull(world.quay.image)
    assert done.returncode != 0 and 'docker-credential-pullauth' not in done.stdout


def test_a_failed_job_leaves_public_images_alone_and_says_why(world, client):
    world.quay.robot('acme+edge', federation=[])
    world.start()
    world.client.wait_job('edge', State='failed')
    done = client.pull(world.quay.public_image)
    assert done.returncode == 0 and client.has(world.quay.public_image), done.stdout
    done = client.pull(world.quay.image)
    assert done.returncode != 0 and "docker-credential-pullauth: Job 'edge' has no credential" in done.stdout


def test_a_daemon_that_is_down_is_named(world, client):
    done = client.pull(world.quay.image)
    assert done.returncode != 0 and 'pullauthd is not running' in done.stdout
