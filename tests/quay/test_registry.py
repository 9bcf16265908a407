# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real clients, a real registry, simulated Quay between them: who has a robot token gets the private image."""

import json
import os
import pathlib
import re
import subprocess
import tempfile

import pytest

ROBOT = 'acme+edge'
LIMIT = 60
DEMO_LIMIT = 600  # it builds everything


def run(command, cwd, **more):
    """In an environment that knows no other credentials and no proxies."""
    env = {'PATH': os.environ['PATH'], 'HOME': str(cwd), 'XDG_RUNTIME_DIR': str(cwd), 'LC_ALL': 'C.UTF-8', **more}
    return subprocess.run([str(part) for part in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT)


class Client:
    """Pulls an image with an auth file of the given credentials: scope → (user, password), or without any."""

    def __init__(self, rig, directory):
        self.rig, self.directory = rig, directory

    def auth_file(self, entries):
        return self.rig.auth_file(self.directory / 'auth.json', entries)

    def pull(self, image, entries=None):
        raise NotImplementedError


class Skopeo(Client):
    def pull(self, image, entries=None):
        return run(['skopeo', 'copy', '--src-cert-dir', self.rig.cert_dir, '--src-authfile',
                    self.auth_file(entries or {}), f'docker://{image}', f'dir:{self.directory / "image"}'],
                   self.directory)

    def has(self, image):
        manifest = self.directory / 'image' / 'manifest.json'
        if not manifest.exists():
            return False
        for layer in json.loads(manifest.read_text(encoding='utf-8'))['layers']:
            assert (self.directory / 'image' / layer['digest'].split(':')[1]).stat().st_size == layer['size']
        return True


class Podman(Client):
    def command(self, *command):
        return ['podman', '--root', self.store / 'root', '--runroot', self.store / 'run', '--tmpdir',
                self.store / 'tmp', '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs',
                '--events-backend', 'none', *command]

    def podman(self, *command):
        return run(self.command(*command), self.directory)

    def pull(self, image, entries=None):
        return self.podman('pull', '--quiet', '--cert-dir', self.rig.cert_dir, '--authfile',
                           self.auth_file(entries or {}), image)

    def has(self, image):
        return self.podman('image', 'exists', image).returncode == 0


@pytest.fixture(params=[Skopeo, Podman], ids=['skopeo', 'podman'])
def client(request, registry_rig, tmp_path):
    if request.param is Podman and os.geteuid() != 0:
        pytest.skip('podman of users needs subordinate ids, the host suite has it as root')
    made = request.param(registry_rig, tmp_path)
    with tempfile.TemporaryDirectory(prefix='quay-') as store:  # podman wants a short path
        made.store = pathlib.Path(store)
        yield made


def granted(client, image, entries=None):
    done = client.pull(image, entries)
    assert done.returncode == 0, done.stdout
    assert client.has(image)


def denied(client, image, entries, text):
    done = client.pull(image, entries)
    assert done.returncode != 0 and not client.has(image)
    assert text in done.stdout, done.stdout


def test_the_exchanged_token_pulls_the_private_image(registry_rig, client):
    token = registry_rig.exchange().json()['token']
    granted(client, registry_rig.image, {f'{registry_rig.quay}/acme': (ROBOT, token)})
    paths = {entry['path'] for entry in registry_rig.requests(server='quay')}
    assert {'/v2/', '/v2/auth', '/v2/acme/app/manifests/latest'} <= paths
    assert registry_rig.audit()['logins'] == 0


def test_a_scope_of_the_whole_host_works_too(registry_rig, client):
    granted(client, registry_rig.image, {registry_rig.quay: (ROBOT, registry_rig.robot_token())})


@pytest.mark.parametrize('scope', ['/other', '/acme/apples', '/acm'])
def test_without_a_matching_entry_the_private_image_is_denied(registry_rig, client, scope):
    entries = {f'{registry_rig.quay}{scope}': (ROBOT, registry_rig.robot_token())}
    denied(client, registry_rig.image, entries, 'unauthorized')


def test_an_expired_token_looks_like_a_fault_of_the_registry(registry_rig, client):
    token = registry_rig.robot_token(offset=-3640)
    denied(client, registry_rig.image, {f'{registry_rig.quay}/acme': (ROBOT, token)}, '500 (Internal Server Error)')


def test_a_wrong_token_is_refused(registry_rig, client):
    denied(client, registry_rig.image, {f'{registry_rig.quay}/acme': (ROBOT, 'wrong')}, 'unauthorized')


def test_the_token_of_another_robot_is_refused(registry_rig, client):
    registry_rig.robot('acme+second')
    token = registry_rig.robot_token('acme+second')
    denied(client, registry_rig.image, {f'{registry_rig.quay}/acme': (ROBOT, token)}, 'unauthorized')


def test_a_good_token_does_not_open_other_namespaces(registry_rig, client):
    denied(client, registry_rig.foreign_image, {registry_rig.quay: (ROBOT, registry_rig.robot_token())}, 'denied')


def test_a_disabled_owner_makes_a_good_token_useless(registry_rig, client):
    token = registry_rig.exchange().json()['token']
    registry_rig.call('owner', name='acme', disabled=True)
    denied(client, registry_rig.image, {f'{registry_rig.quay}/acme': (ROBOT, token)}, 'unauthorized')


def test_a_public_image_needs_no_entry_and_a_stale_one_breaks_it(registry_rig, client):
    stale = {f'{registry_rig.quay}/acme': (ROBOT, registry_rig.robot_token(offset=-3640))}
    denied(client, registry_rig.public_image, stale, '500 (Internal Server Error)')
    granted(client, registry_rig.public_image)


def test_a_stale_entry_for_a_namespace_leaves_the_others_alone(registry_rig, client):
    stale = {f'{registry_rig.quay}/other': (ROBOT, registry_rig.robot_token(offset=-3640))}
    granted(client, registry_rig.public_image, stale)


def test_the_registry_refuses_a_bearer_token_for_another_service(registry_rig):
    for service, status in ((registry_rig.quay, 200), ('elsewhere', 401)):
        reply = registry_rig.request(f'/v2/auth?service={service}&scope=repository:acme/app:pull', user=ROBOT,
                                     password=registry_rig.robot_token())
        bearer = {'Authorization': f'Bearer {reply.json()["token"]}'}
        assert registry_rig.request('/v2/acme/app/manifests/latest', headers=bearer).status == status


def test_more_images_can_be_pushed_and_head_tells_their_size(registry_rig, client):
    registry_rig.call('push', repository='acme/more', tag='v2', files={'a': 'b' * 100000})
    registry_rig.call('repository', name='acme/more')
    entries = {f'{registry_rig.quay}/acme/more': (ROBOT, registry_rig.robot_token())}
    granted(client, f'{registry_rig.quay}/acme/more:v2', entries)
    reply = registry_rig.request('/v2/auth?scope=repository:acme/more:pull&service=' + registry_rig.quay, user=ROBOT,
                                 password=registry_rig.robot_token())
    head = registry_rig.request('/v2/acme/more/manifests/v2', 'HEAD',
                                {'Authorization': f'Bearer {reply.json()["token"]}'})
    assert head.status == 200 and head.body == b'' and int(head.headers['Content-Length']) > 100


def test_misbehaviour_reaches_the_registry_too(registry_rig, client):
    entries = {f'{registry_rig.quay}/acme': (ROBOT, registry_rig.robot_token())}
    registry_rig.misbehave('truncate', '/v2/acme/app/manifests/*')
    assert client.pull(registry_rig.image, entries).returncode != 0
    registry_rig.behave()
    granted(client, registry_rig.image, entries)


@pytest.fixture
def short_path():
    """The path of a socket has little room."""
    with tempfile.TemporaryDirectory(prefix='demo-') as directory:
        yield directory


@pytest.mark.limit(DEMO_LIMIT)
def test_the_demonstration_runs_to_its_end(short_path):
    """From building on; in a directory that it removes."""
    demo = pathlib.Path(__file__).parents[2] / 'tools' / 'demo'
    process = subprocess.Popen([demo, '--no-install', '--lifetime', '20'], cwd=short_path,
                               env={**os.environ, 'TMPDIR': short_path}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = process.communicate()[0]
    finally:
        process.terminate()  # it cleans up, if it is there yet
        process.wait()
    assert process.returncode == 0, said
    last = re.fullmatch(r'demo: done, (.*) is gone again', said.splitlines()[-1])
    assert last and last[1].startswith(short_path) and not os.listdir(short_path), said
    assert said.count('copied: ') == 2 and 'federation-not-configured' in said
