# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host on which many pull: the jobs of two robot accounts, each tool as people start it, and a reader of the files.

Whether a pull was let through, and who it came from, is what the registry says, not the tool.
"""

import dataclasses
import hashlib
import json
import os
import threading
import typing

from limits import slow
from product import DAEMON, PODMAN, SESSION, SYSTEM
from test_unit_credentials import UNITS, UPDATE, Service

EDGE, OTHER = 'acme+edge', 'other+edge'
# Repository → the robot account of the job that covers it, and whether the registry lets that one pull it.
REPOSITORIES = {'acme/app': (EDGE, True), 'acme/hidden': (EDGE, False), 'other/app': (OTHER, True),
                'third/app': (None, False)}
UPDATED = {'acme/auto': EDGE, 'other/auto': None}  # by podman-auto-update, whose job is that of acme
HOME = '/home/alice'
ALICE = f'{HOME}/.config/containers/auth.json'
HOMES = '/etc/systemd/system/pullauthd.service.d/homes.conf'
SHORT = '/etc/containers/registries.conf.d/mirror.conf'
MIRROR = '''[[registry]]
prefix = "registry.example.com"
location = "{quay}/third"

[[registry.mirror]]
location = "{quay}/acme"
'''
# Machines like this one let nobody make a keyring.
CONTAINERS_CONF = '/etc/containers/containers.conf'
NO_KEYRING = '[containers]\nkeyring = false\n'
# As Quadlet makes it of a .container, but for the first line: podman here is older than Quadlet, and leaves that file
# behind. Cgroups are the outer systemd's.
CONTAINER = '''[Service]
Environment=PODMAN_SYSTEMD_UNIT=%n
KillMode=mixed
ExecStartPre=/bin/rm -f %t/%N.cid
ExecStop=/usr/bin/podman rm -v -f -i --cidfile=%t/%N.cid
ExecStopPost=-/usr/bin/podman rm -v -f -i --cidfile=%t/%N.cid
Delegate=yes
Type=notify
NotifyAccess=all
SyslogIdentifier=%N
ExecStart=/usr/bin/podman run --name=systemd-%N --cidfile=%t/%N.cid --replace --rm --cgroups=disabled --network=host \
--sdnotify=conmon -d {options} {image}
'''
# Of an .image and of a .build.
ONESHOT = '''[Service]
Type=oneshot
SyslogIdentifier=%N
ExecStart=/usr/bin/podman {command}
'''
CONTAINERFILE = '/etc/containers/systemd/Containerfile'


@dataclasses.dataclass
class Consumer:
    name: str
    sees: set  # the robot accounts whose credentials it gets
    pull: typing.Callable  # of a repository; says whether the tool was content, and what it said
    repositories: tuple = tuple(REPOSITORIES)


class Reader(threading.Thread):
    """Reads files all the time, as tools do; of each it knows how many credentials it has seen there."""

    def __init__(self, machine, files):
        super().__init__(daemon=True)
        self.machine, self.files = machine, files
        self.readings, self.troubles = 0, []
        self.seen = {path: [] for path in files}
        self.changed, self.ended = threading.Condition(), threading.Event()

    def run(self):
        while not self.ended.wait(0.002):
            for path, scopes in self.files.items():
                self.look(path, scopes)

    def look(self, path, scopes):
        self.readings += 1
        try:
            auths = json.loads(self.machine.read(path))['auths']
            found = hashlib.sha256(repr([auths[scope]['auth'] for scope in scopes]).encode()).hexdigest()[:16]
        except (OSError, ValueError, KeyError) as error:
            self.troubles.append(f'{type(error).__name__} at {path}, reading {self.readings}')
            return
        with self.changed:
            if found not in self.seen[path]:
                self.seen[path].append(found)
                self.changed.notify_all()

    def expecting(self):
        """Returns wait(): until each file has shown a credential that it did not show before."""
        with self.changed:
            before = {path: len(seen) for path, seen in self.seen.items()}

        def are_there():
            return all(len(seen) > before[path] for path, seen in self.seen.items())

        def wait(seconds=30):
            with self.changed:
                assert self.changed.wait_for(lambda: self.troubles or are_there(), seconds * slow()), self.seen
        return wait

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


class Site:
    def __init__(self, product, hello):
        self.product, self.machine, self.quay = product, product.machine, product.quay
        self.service = Service(self.machine)
        self.hello, self.pushed = hello, 0

    # --- the host -----------------------------------------------------------------------------------

    def up(self):
        """Two jobs with their credentials in place; only that of acme is for root, a user and units by themselves."""
        machine, quay = self.machine, self.quay
        machine.run('useradd', '--create-home', 'alice')
        machine.run('mkdir', '-p', os.path.dirname(HOMES))
        machine.run('ln', '-s', '/usr/share/pullauth/pullauthd.service.d/homes.conf', HOMES)
        machine.run('systemctl', 'daemon-reload')
        machine.run('systemctl', 'unmask', UPDATE)
        self.service.drop_in(UPDATE, 'unit-credential.conf')
        self.service.file(SHORT, MIRROR.format(quay=quay.quay))
        for repository in (*REPOSITORIES, *UPDATED):
            quay.call('repository', name=repository)
            self.push(repository)
        quay.robot(EDGE, repositories=['acme/app', 'acme/auto'])
        self.service.file(CONTAINERFILE, '')
        self.service.file(CONTAINERS_CONF, NO_KEYRING)
        self.product.configure(job='other', robot=OTHER, more='Targets=system\n')
        self.product.up(more=f'Targets=system podman user:alice\nUnits=app.service {UPDATE}\n')
        self.product.wait_job(lambda job: job['State'] == 'fresh', 'other')
        for repository in UPDATED:
            started, said = self.container(repository.replace('/', '-'), '--label=io.containers.autoupdate=registry',
                                           self.image(repository), environment=SYSTEM)
            assert started, said

    def down(self):
        machine = self.machine
        for unit in [os.path.basename(path) for path in self.service.written if path.endswith('.service')]:
            machine.run('systemctl', 'stop', unit, check=False)
        self.service.clean()
        machine.run('podman', 'rmi', '--all', '--force', check=False)
        machine.run('buildah', 'rmi', '--all', '--force', check=False)
        machine.run('systemctl', 'mask', UPDATE)
        machine.remove(HOMES)
        machine.run('systemctl', 'daemon-reload')
        machine.run('systemctl', 'stop', DAEMON)
        machine.run('userdel', '--remove', 'alice', check=False)

    def image(self, repository):
        return f'{self.quay.quay}/{repository}:latest'

    def push(self, repository):
        """A new image under the same tag."""
        self.pushed += 1
        self.quay.call('push', repository=repository, files={'number': str(self.pushed)},
                       programs={'hello': self.hello})

    def reader(self):
        own = f'{self.quay.quay}/acme'
        return Reader(self.machine, {SYSTEM: [own, f'{self.quay.quay}/other'], PODMAN: [own], SESSION: [own],
                                     ALICE: [own]})

    # --- who pulls ----------------------------------------------------------------------------------

    def consumers(self):
        both, acme = {EDGE, OTHER}, {EDGE}
        of_user, of_unit = ('acme/app', 'other/app'), ('acme/app', 'other/app', 'third/app')
        return [
            Consumer('podman', acme, lambda it: self.run('podman', 'pull', self.image(it))),
            Consumer('skopeo', acme, self.skopeo),
            Consumer('buildah', acme, lambda it: self.run('buildah', 'pull', '--policy=always', self.image(it))),
            Consumer('podman with a file that is named', both, lambda it: self.run(
                'podman', 'pull', self.image(it), env={'REGISTRY_AUTH_FILE': SYSTEM})),
            Consumer('podman of a user', acme, lambda it: self.alice('podman', 'pull', self.image(it)), of_user),
            Consumer('buildah of a user', acme, lambda it: self.alice(
                'buildah', 'pull', '--policy=always', self.image(it)), of_user),
            Consumer('skopeo of a user', acme, lambda it: self.alice(
                'skopeo', 'inspect', '--no-tags', f'docker://{self.image(it)}'), of_user),
            Consumer('a unit with LoadCredential=', acme, self.unit, of_user),
            Consumer('a .container', both, lambda it: self.container(
                'quadlet', '--pull=always', self.image(it), environment=SYSTEM), of_unit),
            Consumer('an .image', both, lambda it: self.oneshot(
                'quadlet-image', f'image pull --authfile {SYSTEM} {self.image(it)}'), of_unit),
            Consumer('a .build', both, self.build, of_unit),
            Consumer('podman through a mirror', acme, self.mirror, ('acme/app', 'acme/hidden'))]

    def run(self, *command, **more):
        done = self.machine.run(*command, check=False, **more)
        return done.returncode == 0, done.stdout

    def skopeo(self, repository):
        return self.run('skopeo', 'copy', f'docker://{self.image(repository)}', 'dir:/run/copied')

    def alice(self, *command):
        """As a unit of the system that runs as the user, without a session."""
        return self.run('systemd-run', '--quiet', '--wait', '--pipe', '--collect', '--property=User=alice',
                        f'--setenv=HOME={HOME}', *command)

    def start(self, unit):
        """Whether it started, and what it said if not."""
        started = self.service.start(unit, check=False).returncode == 0
        said = '' if started else self.machine.journal_text('-u', unit, '--output=cat')
        return started, said

    def oneshot(self, name, command):
        self.service.file(f'{UNITS}/{name}.service', ONESHOT.format(command=command))
        self.machine.run('systemctl', 'daemon-reload')
        return self.start(f'{name}.service')

    def unit(self, repository):
        """What is in no file, for the drop-in names what the service manager hands over."""
        self.service.write('app.service', f'/usr/bin/podman pull --quiet {self.image(repository)}')
        return self.start('app.service')

    def container(self, name, options, image, environment=None):
        """Runs when this returns. The environment is how a `.container` names a file, for it has no AuthFile=."""
        more = f'Environment=REGISTRY_AUTH_FILE={environment}\n' if environment else ''
        self.service.file(f'{UNITS}/{name}.service', CONTAINER.format(options=options, image=image) + more)
        self.machine.run('systemctl', 'daemon-reload')
        self.machine.run('systemctl', 'stop', f'{name}.service')
        return self.start(f'{name}.service')

    def build(self, repository):
        self.machine.write(CONTAINERFILE, f'FROM {self.image(repository)}\nLABEL built=here\n')
        return self.oneshot('quadlet-build', f'build --pull=always --authfile {SYSTEM} --tag localhost/built '
                                             f'--file {CONTAINERFILE}')

    def mirror(self, repository):
        return self.run('podman', 'pull', f'registry.example.com/{repository.split("/")[1]}:latest')

    # --- what the registry says ---------------------------------------------------------------------

    def asked(self, repository):
        """Who asked for leave to pull it since the log was emptied; None is somebody without a name."""
        return {(entry['authorization'] or {}).get('user') for entry in self.quay.requests('/v2/auth')
                if ['scope', f'repository:{repository}:pull'] in entry['query']}

    def given(self, repository):
        return any(entry['status'] == 200 for entry in self.quay.requests()
                   if entry['path'].startswith(f'/v2/{repository}/manifests/'))

    def complaint(self, consumer, repository):
        """What is wrong with how it pulls, or None."""
        robot, lets = REPOSITORIES[repository]
        robot = robot if robot in consumer.sees else None
        self.quay.call('forget')
        content, said = consumer.pull(repository)
        found = content, self.given(repository), self.asked(repository)
        wanted = lets and robot is not None
        if found == (wanted, wanted, {robot}):
            return None
        return (f'{consumer.name}: {repository}: content, given, asked by: {found}, not {wanted}, {wanted}, {robot}\n'
                f'{said[-1500:]}')

    def complaints(self):
        found = [self.complaint(consumer, repository) for consumer in self.consumers()
                 for repository in consumer.repositories]
        return list(filter(None, [*found, self.update()]))

    def running(self):
        """Repository → image of the container that runs of it."""
        return {repository: self.machine.run('podman', 'inspect', '--format={{.Image}}',
                                             f'systemd-{repository.replace("/", "-")}', check=False).stdout
                for repository in UPDATED}

    def update(self):
        """What is wrong with podman-auto-update: there are new images, and its credential is for one of them."""
        before = self.running()
        for repository in UPDATED:
            self.push(repository)
        self.quay.call('forget')
        self.service.start(UPDATE, check=False)  # fails, for it says of one container that it cannot
        after = self.running()
        asked = {repository: self.asked(repository) for repository in UPDATED}
        changed = [repository for repository in UPDATED if before[repository] != after[repository]]
        if changed == ['acme/auto'] and asked == {name: {robot} for name, robot in UPDATED.items()}:
            return None
        return (f'podman-auto-update: {changed} were updated, asked by: {asked}\n'
                f'{self.machine.journal_text("-u", UPDATE, "-u", "*-auto.service", "--output=cat")}')
