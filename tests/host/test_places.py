# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the sandbox lets targets be written: homes, of root and of users, and directories of tools."""

import os
import stat

import pytest
from product import DAEMON, PODMAN, SESSION

DROP_IN = '/run/systemd/system/pullauthd.service.d/homes.conf'
ALICE = '/home/alice/.config/containers/auth.json'


def inspect(product, machine, user=None, **env):
    """What a tool finds that asks for a private image."""
    return machine.run('skopeo', 'inspect', '--no-tags', f'docker://{product.quay.image}', user=user, env=env,
                       check=False)


def test_a_session_of_root_finds_the_credential_as_a_service_does(product, machine):
    product.up()
    for path in (PODMAN, SESSION):
        found = os.stat(machine.path(path))
        assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o600, 0, 0)
    machine.run('mkdir', '-p', '-m', '0700', '/run/session-of-root')
    assert inspect(product, machine, XDG_RUNTIME_DIR='/run/session-of-root', HOME='/root').returncode == 0
    machine.remove(SESSION)
    machine.wait_file(SESSION, lambda text: b'acme' in text)


@pytest.fixture
def alice(machine):
    machine.run('useradd', '--create-home', 'alice')
    yield
    machine.remove(DROP_IN)
    machine.run('systemctl', 'daemon-reload')
    machine.run('systemctl', 'stop', DAEMON)  # it would put its file back while the home is removed
    machine.run('userdel', '--remove', 'alice')


def test_a_user_gets_a_file_once_homes_are_open(product, machine, alice):
    product.write_token()
    product.configure(more='Targets=system user:alice\n')
    product.enable()
    job = product.wait_job(lambda job: job['Reason'] == 'target-unwritable')
    assert 'homes.conf' in job['Hint'] and not machine.exists('/home/alice/.config')
    machine.run('mkdir', '-p', os.path.dirname(DROP_IN))
    machine.run('ln', '-s', '/usr/share/pullauth/pullauthd.service.d/homes.conf', DROP_IN)
    machine.run('systemctl', 'daemon-reload')
    machine.run('systemctl', 'restart', DAEMON)
    product.wait_job(lambda job: job['State'] == 'fresh')
    found, home = os.stat(machine.path(ALICE)), os.stat(machine.path('/home/alice'))
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o600, home.st_uid, home.st_gid)
    for name in ('.config', '.config/containers'):
        made = os.stat(machine.path(f'/home/alice/{name}'))
        assert (stat.S_IMODE(made.st_mode), made.st_uid, made.st_gid) == (0o700, home.st_uid, home.st_gid)
    assert inspect(product, machine, user='alice', HOME='/home/alice').returncode == 0
    # A link that the user puts there leads nowhere.
    machine.run('ln', '-sf', '/etc/shadow', ALICE, user='alice')
    product.wait_job(lambda job: job['Reason'] == 'target-unsafe')
    machine.run('rm', ALICE, user='alice')
    product.wait_job(lambda job: job['State'] == 'fresh', seconds=90)


TOOLS = {'bootc': '/run/ostree/auth.json', 'crio': '/etc/crio/pullauth.json', 'kubelet': '/var/lib/kubelet/config.json',
         'image-builder': '/etc/osbuild-worker/pullauth.json'}


def test_directories_of_tools_can_be_written_once_they_are_there(product, machine):
    for path in TOOLS.values():
        machine.run('mkdir', '-p', os.path.dirname(path))
    machine.write('/etc/ostree/auth.json', '{"auths": {"a.example": {"auth": "Zm9vOmJhcg=="}}}')
    product.up(more=f'Targets={" ".join(TOOLS)}\n')
    for path in TOOLS.values():
        assert b'acme' in machine.read(path)
        assert machine.run('skopeo', 'inspect', '--no-tags', f'--authfile={path}', f'docker://{product.quay.image}')
    assert b'a.example' in machine.read(TOOLS['bootc'])
    machine.remove('/etc/pullauth/jobs/edge.job')
    product.call('Reload')
    for name in TOOLS.keys() - {'bootc'}:
        machine.wait_file(TOOLS[name], lambda text: b'acme' not in text)
    machine.wait_gone(TOOLS['bootc'])
    machine.run('systemctl', 'stop', DAEMON)
    machine.run('rm', '-rf', '/etc/ostree', '/etc/crio', '/etc/osbuild-worker', '/var/lib/kubelet')
