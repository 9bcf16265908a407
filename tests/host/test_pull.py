# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main job: podman pulls with what the daemon writes, and nothing else in those files is harmed."""

import json
import os
import shutil
import stat

import pytest
from polkit import Polkit
from product import DAEMON, PODMAN, SYSTEM

THROUGH_SYSTEM = {'REGISTRY_AUTH_FILE': SYSTEM}

REFRESHED, EXPIRED = 'e471e1348f72418bad4036aeac0de212', '898ba062a5a443ff9a2ad7ec09d15868'  # of the journal
LEEWAY = 30  # of Quay, in seconds after a credential's end; its clock is put ahead instead of waiting for it

# Key order, number formatting, blanks, duplicates of other tools' making, and fields that nobody knows.
FOREIGN = b'''{ "futureField" : [1.50, 1e3, -0, 18446744073709551617],
  "auths":{"quay.example.com/other":{"auth":"Zm9vOmJhcg==", "email":"\\u00e9\\/x"},
\t"docker.io" : {"identitytoken":"left alone"} },
  "credHelpers" : {"ecr.example.com": "ecr-login"}, "HttpHeaders":{"X":"y"}}

'''


def test_a_private_image_cannot_be_pulled_without_us(product):
    product.assert_refused()
    product.assert_pulls(product.quay.public_image)


def test_podman_pulls_with_no_configuration_of_its_own(product, machine):
    product.up()
    product.assert_pulls()
    found = os.stat(machine.path(PODMAN))
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o600, 0, 0)


def test_podman_pulls_through_the_system_file(product, machine):
    product.up(more='Targets=system\n')
    product.assert_refused()
    product.assert_pulls(env=THROUGH_SYSTEM)
    assert not machine.exists(PODMAN)
    found = os.stat(machine.path(SYSTEM))
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o600, 0, 0)


def test_podman_pulls_in_a_system_service(product, machine):
    product.up()
    machine.run('podman', 'rmi', '--all', '--force')
    machine.run('systemd-run', '--quiet', '--wait', '--pipe', 'podman', 'pull', '--quiet', product.quay.image)


def test_skopeo_reads_the_same_files(product, machine):
    product.up()
    machine.run('skopeo', 'inspect', f'docker://{product.quay.image}')
    machine.run('skopeo', 'inspect', f'docker://{product.quay.image}', env=THROUGH_SYSTEM)
    machine.run('skopeo', 'inspect', f'--authfile={SYSTEM}', f'docker://{product.quay.image}')


@pytest.mark.parametrize('command', ['podman pull --quiet', 'skopeo inspect --no-tags'])
def test_a_tool_takes_a_credential_through_a_pipe(product, machine, command):
    """As pullauthctl(1) shows it. No target is of use to the tool, and it reads its file only once."""
    product.up(more='Targets=system\n')
    machine.run('podman', 'rmi', '--all', '--force')
    image = f'docker://{product.quay.image}'
    assert machine.run(*command.split(), image, check=False).returncode != 0
    machine.run('bash', '-c', f'{command} --authfile <(pullauthctl credential edge) {image}')


def test_only_the_robots_own_namespace_can_be_pulled(product):
    product.up()
    product.assert_refused(product.quay.foreign_image)
    product.assert_pulls(product.quay.public_image)


def test_what_expires_while_the_daemon_is_stopped_is_refused_and_fresh_after_its_start(product, machine):
    product.quay.set_lifetime(15)
    product.up()
    product.assert_pulls()
    product.stop()
    product.wait_end_of_life(SYSTEM)
    product.quay.set_clock(LEEWAY + 1)
    product.assert_refused()
    product.assert_refused(env=THROUGH_SYSTEM)
    product.quay.set_clock(0)
    product.quay.set_lifetime(3600)
    product.start()
    assert product.states() == {'edge': 'fresh'}
    product.assert_pulls()
    product.assert_pulls(env=THROUGH_SYSTEM)


def test_before_its_end_a_credential_is_replaced(product, machine):
    product.quay.set_lifetime(15)
    told = []

    def are_two(entry):
        told.append(entry.get('MESSAGE_ID'))
        return told.count(REFRESHED) == 2

    with machine.following() as wait:
        first = product.up()
        wait(are_two)
    assert EXPIRED not in told, 'there was a gap'
    product.wait_job(lambda job: job['Expires'] > first['Expires'])
    product.assert_pulls()


def test_an_expired_credential_is_taken_out_and_public_images_can_be_pulled(product, machine):
    machine.write(SYSTEM, FOREIGN, mode=0o600)
    product.quay.set_lifetime(10)
    product.up()
    product.quay.misbehave('answer', path='/oauth2/federation/robot/token', status=503)
    job = product.wait_job(lambda job: job['State'] == 'expired')
    assert job['Reason']
    product.wait_job(lambda job: {row[2] for row in job['TargetStates']} == {'withdrawn'})
    assert machine.read(SYSTEM) == FOREIGN
    product.assert_pulls(product.quay.public_image)
    product.assert_pulls(product.quay.public_image, env=THROUGH_SYSTEM)


def without(text, part):
    """Whether `part` is `text` with one span put in."""
    head = len(os.path.commonprefix([text, part]))
    tail = len(os.path.commonprefix([text[::-1], part[::-1]]))
    return head + tail >= len(text)


@pytest.mark.parametrize('target', [SYSTEM, PODMAN])
def test_foreign_entries_and_unknown_fields_are_unharmed_byte_for_byte(product, machine, target):
    machine.write(target, FOREIGN, mode=0o640)
    os.chown(machine.path(target), 0, 1000)
    product.up()
    written = machine.read(target)
    assert without(FOREIGN, written)
    assert product.entry(target).user == 'acme+edge'
    found = os.stat(machine.path(target))
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o640, 0, 1000)
    product.refresh()
    assert machine.read(target) != written
    assert without(FOREIGN, machine.read(target))
    machine.remove('/etc/pullauth/jobs/edge.job')
    machine.run('systemctl', 'reload', DAEMON)
    assert product.states() == {}
    machine.wait_file(target, lambda text: text == FOREIGN)


@pytest.mark.parametrize('broken', [b'', b'{"auths":{', b'[]', b'{"auths":{}}x'])
def test_a_target_that_is_no_json_object_is_left_alone(product, machine, broken):
    machine.write(SYSTEM, broken, mode=0o600)
    product.write_token()
    product.configure()
    product.enable()
    job = product.wait_job(lambda job: job['AttemptsEnded'] == 1)
    states = {row[0]: row[2] for row in job['TargetStates']}
    if broken:
        assert (job['Reason'], states) == ('target-malformed', {'system': 'failed', 'podman': 'published'})
        assert machine.read(SYSTEM) == broken
    else:
        assert states == {'system': 'published', 'podman': 'published'}
    product.assert_pulls()


def test_a_directory_that_vanishes_is_made_again(product, machine):
    product.up()
    machine.run('systemctl', 'kill', '--signal=STOP', DAEMON)  # it would put its file back while they are removed
    shutil.rmtree(machine.path('/run/containers/0'))
    machine.run('systemctl', 'kill', '--signal=CONT', DAEMON)
    assert product.refresh()['State'] == 'fresh'
    found = os.stat(machine.path('/run/containers/0'))
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o700, 0, 0)
    product.assert_pulls()


def test_everybody_may_look(product, machine):
    product.up()
    listed = json.loads(machine.run('pullauthctl', '--json', 'list', user='visitor').stdout)
    assert 'edge' in json.dumps(listed)
    assert 'edge' in machine.run('pullauthctl', 'status', 'edge', user='visitor').stdout
    machine.run('busctl', 'introspect', 'org.pullauth1', '/org/pullauth1', user='visitor')
    machine.run('busctl', 'call', 'org.pullauth1', '/org/pullauth1', 'org.freedesktop.DBus.ObjectManager',
                'GetManagedObjects', user='visitor')


CALL = ('busctl', 'call', 'org.pullauth1', '/org/pullauth1', 'org.pullauth1.Manager')


def test_who_polkit_lets_may_refresh_and_nothing_more(product, machine):
    product.up()
    with Polkit(machine).rule('10-visitor.rules', 'polkit.addRule(function(action, subject) {\n'
                              '    if (action.id == "org.pullauth1.refresh" && action.lookup("job") == "edge" &&\n'
                              '        subject.user == "visitor")\n        return polkit.Result.YES;\n});\n'):
        machine.run('pullauthctl', 'refresh', '--wait', 'edge', user='visitor')
        assert product.exchanges() == 2
        assert machine.run(*CALL, 'Reload', user='visitor', check=False).returncode != 0


@pytest.mark.parametrize('interface', ['org.pullauth1.Worker', 'org.pullauth1.Private', 'org.freedesktop.DBus.Debug'])
def test_the_bus_lets_only_known_interfaces_through(product, machine, interface):
    product.up()
    refused = machine.run('busctl', 'call', 'org.pullauth1', '/org/pullauth1', interface, 'Anything', user='visitor',
                          check=False)
    assert refused.returncode != 0
    assert 'denied' in refused.stdout.lower() or 'rejected' in refused.stdout.lower(), refused.stdout
