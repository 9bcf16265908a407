# SPDX-License-Identifier: LGPL-2.1-or-later
"""The simulated Quay as fixtures: one per run and kind, as it was at the start for each test."""

import pytest
from quaysim.client import Rig


@pytest.fixture(scope='session')
def rig(tmp_path_factory):
    """The simulated Quay and its issuer, no images."""
    with Rig.start(tmp_path_factory.mktemp('rig'), '--no-registry') as running:
        yield running


@pytest.fixture(scope='session')
def registry_rig(tmp_path_factory):
    """The same with a real docker-registry behind it."""
    with Rig.start(tmp_path_factory.mktemp('registry-rig')) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(request):
    """Robots, settings, issuer, misbehaviour and logs are those of the start."""
    for name in ('rig', 'registry_rig'):
        if name in request.fixturenames:
            request.getfixturevalue(name).reset()
