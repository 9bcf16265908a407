# SPDX-License-Identifier: LGPL-2.1-or-later
"""Daemon and worker together with each source (stands.py): the credential that stands outlives whatever goes wrong, and
`pullauthctl test` shows the step of the identity, well and not."""

import os
import pathlib
import re

import pytest
from stands import TABLE, TROUBLES, Kubeconfig, Signed, Stand
from test_kubernetes import wants_yaml
from test_misbehaviour import held, wait_held
from world import DAEMON_UID, world  # noqa: F401

pytestmark = pytest.mark.limit(240)
# What needs the request's own time, a minute, at most sources; the worker's tests have it.
LONG = ('slow', 'silent')


class File(Stand):
    """A token that somebody writes."""

    source, path = 'file', 'tokens/token'

    def configure(self, host):
        self.host = host
        host.identity()
        self.well()

    def absent(self):
        os.unlink(self.host.path(self.path))

    def stranger(self):
        self.write(self.rig.jwt({'aud': 'other'}))

    def huge(self):
        self.write('x' * (10 << 20))

    def garbage(self):
        self.write('no token')

    def well(self):
        self.write(self.rig.jwt())

    def write(self, text):
        self.host.write(self.path, text, 0o600)


class Credential(File):
    """One that the service manager hands over."""

    source, path = 'credential', 'credentials/quay-token'

    def configure(self, host):
        self.host = host
        host.write('etc/pullauth/identities/default.identity',
                   f'[Identity]\nSource=credential\nCredential=quay-token\nAudience={self.rig.audience}\n')
        self.well()


MALFORMED = 'token-malformed'
LOCAL = {
    File: ('token-file-missing', None, 'token-audience', MALFORMED, None, None, None, MALFORMED, None, None),
    Credential: ('identity-file-unreadable', None, 'token-audience', 'identity-file-unsafe', None, None, None,
                 MALFORMED, None, None),
}
ALL = {**LOCAL, **TABLE}


@pytest.fixture
def stand(request, world):  # noqa: F811
    place = pathlib.Path(world.directory, 'stand')
    place.mkdir()
    made = request.param(world.quay, place)
    made.configure(world)
    yield made
    made.close()


def token_step(host, status):
    """What `pullauthctl test` shows of the identity."""
    ran = host.ctl('test', 'edge', uid=DAEMON_UID)
    assert ran.returncode == status, ran.stdout + ran.stderr
    line, = re.findall('^token .*', ran.stdout, re.M)
    return line.split(maxsplit=3)


@pytest.mark.parametrize('stand, reasons', ALL.items(), indirect=['stand'], ids=[kind.__name__ for kind in ALL])
def test_the_credential_that_stands_outlives_every_trouble(world, stand, reasons):  # noqa: F811
    world.start(CREDENTIALS_DIRECTORY=world.path('credentials'))
    world.client.wait_job('edge', State='fresh')
    _, result, _, detail = token_step(world, 0)
    assert result == 'ok' and stand.source in detail
    pid, before = world.daemon.pid, held(world.daemon.pid)
    for trouble, reason in zip(TROUBLES, reasons, strict=True):
        # A key on a token is another key of the configuration.
        if not reason or trouble in LONG or (isinstance(stand, Signed) and trouble == 'absent'):
            continue
        stands = world.password()
        getattr(stand, trouble)()
        stand.renew(world)
        job = world.refresh()
        assert (job['State'], job['Step'], job['Reason']) == ('retrying', 'identity', reason), (trouble, job)
        assert world.password() == stands and world.is_good(), trouble
        assert job['Hint'] and 0 < world.left(job), trouble
        assert token_step(world, 3)[1] == 'failed' or reason.startswith('token-'), trouble
        stand.well()
        stand.renew(world)
        world.refresh()
        world.client.wait_job('edge', State='fresh', Reason='')
        assert world.password() != stands, trouble
    wait_held(pid, before)


@wants_yaml
def test_a_kubeconfig_that_gets_a_plugin_and_loses_it(world, tmp_path):  # noqa: F811
    """By the file alone: nobody asks for an attempt."""
    api = Kubeconfig(world.quay, tmp_path)
    api.configure(world)
    world.fresh()
    stands = world.password()
    api.plugin()
    api.renew(world)
    job = world.refresh()
    assert job['Reason'] == 'identity-file-unreadable' and 'Source=exec' in job['Hint'] and world.password() == stands
    api.well()
    api.renew(world)
    world.client.wait_job('edge', State='fresh')
    assert world.password() != stands
    api.close()
