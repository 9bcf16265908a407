# SPDX-License-Identifier: LGPL-2.1-or-later
"""Docker as it is: its command takes the credential from root's file or from the helper, and its daemon pulls."""

import shutil

import pytest
from product import DAEMON
from recipes import recipes

CONFIG = '/root/.docker/config.json'
UNIT = 'dockerd.service'
# No network of its own in the container that the machine is.
DOCKERD = ('dockerd', '--bridge=none', '--iptables=false', '--ip-forward=false', '--ip-masq=false',
           '--storage-driver=vfs')


@pytest.fixture(scope='module')
def dockerd(machine):
    started = machine.run('systemd-run', '--quiet', f'--unit={UNIT}', '--service-type=notify', *DOCKERD, check=False)
    assert started.returncode == 0, machine.journal_text('-u', UNIT, '--output=cat')
    yield
    machine.run('systemctl', 'stop', UNIT)
    machine.run('rm', '-rf', '/var/lib/docker')


@pytest.fixture
def docker(dockerd, product, machine):
    """Says whether an image could be pulled, and who asked for leave to."""
    with open(product.quay.ca, encoding='ascii') as certificate:
        machine.write(f'/etc/docker/certs.d/{product.quay.quay}/ca.crt', certificate.read())
    machine.run('mkdir', '-p', '-m', '0700', '/root/.docker')

    def pull(image):
        product.quay.call('forget')
        done = machine.run('docker', 'pull', '--quiet', image, env={'HOME': '/root'}, check=False)
        return done.returncode == 0, {(entry['authorization'] or {}).get('user')
                                      for entry in product.quay.requests('/v2/auth')}
    yield pull
    machine.run('systemctl', 'stop', DAEMON)
    shutil.rmtree(machine.path('/root/.docker'))


def test_docker_reads_the_file_of_its_target_across_a_rotation(docker, product):
    quay = product.quay
    assert docker(quay.image) == (False, {None})
    quay.set_lifetime(600)
    product.up(more='Targets=docker\n')
    assert docker(quay.image) == (True, {'acme+edge'})
    assert docker(quay.foreign_image) == (False, {'acme+edge'})
    quay.set_lifetime(7200)
    product.refresh()
    quay.set_clock(600 + 31)  # the first credential has ended, and Quay's leeway
    assert docker(quay.image) == (True, {'acme+edge'})


def test_docker_asks_the_helper(docker, product, machine):
    """By the recipe. Whoever is no robot account of a job is nobody, and public images go on."""
    (_, path, text), = recipes('other')['docker']
    assert path == CONFIG
    machine.write(CONFIG, text.replace('quay.example.com', product.quay.quay), 0o600)
    assert docker(product.quay.public_image) == (True, {None})
    product.up(more='Targets=system\n')
    assert docker(product.quay.image) == (True, {'acme+edge'})
