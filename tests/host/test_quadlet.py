# SPDX-License-Identifier: LGPL-2.1-or-later
"""The units of docs/consumers.md, made into services by the generator of a newer podman than this machine has."""

import os
import shutil

import gobuild
import pytest
from consumers import CONTAINERS_CONF, NO_KEYRING
from product import SYSTEM
from recipes import recipes
from test_unit_credentials import DROP_INS, Service

pytestmark = pytest.mark.limit(700)  # for the first, which may have to build the generator
GENERATOR = '/usr/lib/systemd/system-generators/podman-system-generator'
PACKAGE = 'github.com/containers/podman/v5/cmd/quadlet'
UNITS = '/etc/containers/systemd'
# Containers in the container that the machine is.
HERE = ('[Container]\nPodmanArgs=--cgroups=disabled --network=host\n'
        '[Service]\nExecStartPre=/bin/rm -f %t/%N.cid\n')  # which podman of that age leaves behind


class Quadlet(Service):
    """Recipes by the name of their file; each with the registry of the test for the one of the page."""

    def __init__(self, product, top):
        super().__init__(product.machine)
        self.product = product
        self.texts = {argument: text.replace('quay.example.com', product.quay.quay)
                      for blocks in recipes().values() for kind, argument, text in blocks if kind == 'file'}
        made = gobuild.program(os.path.join(top, 'tests', 'host', 'quadlet'), PACKAGE)
        self.machine.run('mkdir', '-p', os.path.dirname(GENERATOR))
        shutil.copy2(made, self.machine.path(GENERATOR))
        self.written.append(GENERATOR)
        self.file(CONTAINERS_CONF, NO_KEYRING)

    def add(self, name, text=None):
        self.file(f'{UNITS}/{name}', self.texts[f'{UNITS}/{name}'] if text is None else text)

    def load(self):
        self.machine.run('systemctl', 'daemon-reload')

    def begin(self, unit):
        """Its output says why if it does not start."""
        if self.start(unit, check=False).returncode != 0:
            raise AssertionError(self.machine.journal_text('-u', unit, '--output=cat'))


@pytest.fixture
def quadlet(product, top, hello):
    product.quay.call('push', repository='acme/app', programs={'hello': hello})
    made = Quadlet(product, top)
    try:
        yield made
    finally:
        made.machine.run('systemctl', 'stop', 'app.service', check=False)
        made.clean()
        made.machine.run('podman', 'rmi', '--all', '--force', check=False)


def pulled_by(product):
    return {(entry['authorization'] or {}).get('user') for entry in product.quay.requests('/v2/auth')}


def test_a_container_that_names_a_file(product, quadlet):
    product.up(more='Targets=system\n')
    quadlet.add('app.container')
    quadlet.add('app.container.d/here.conf', HERE)
    quadlet.load()
    quadlet.begin('app.service')
    assert product.machine.units.state('app.service') == 'active' and pulled_by(product) == {'acme+edge'}


def test_a_container_with_a_credential_of_its_own(product, quadlet, machine):
    """What is linked, and where, is what the page says."""
    product.up(more='Targets=system\nUnits=app.service\n')
    quadlet.add('app.container', f'[Container]\nImage={product.quay.image}\n')
    quadlet.add('app.container.d/here.conf', HERE)
    quadlet.add('app.container.d/unit-credential.conf', machine.read(f'{DROP_INS}/unit-credential.conf'))
    quadlet.load()
    quadlet.begin('app.service')
    assert machine.units.state('app.service') == 'active' and pulled_by(product) == {'acme+edge'}


@pytest.mark.parametrize('name, unit', [('app.image', 'app-image.service'), ('own.build', 'own-build.service')])
def test_an_image_and_a_build_name_a_file(product, quadlet, machine, name, unit):
    product.up(more='Targets=system\n')
    quadlet.add(name)
    if name == 'own.build':
        quadlet.add('own.containerfile')
    quadlet.load()
    assert SYSTEM in machine.run('systemctl', 'cat', unit).stdout
    quadlet.begin(unit)
    assert pulled_by(product) == {'acme+edge'}
