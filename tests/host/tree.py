# SPDX-License-Identifier: LGPL-2.1-or-later
"""The root tree that the machine of the host suite boots: made once by debootstrap, kept in the cache directory.

It is of the same release as the machine that runs the tests, since programs built here run there. Where packages
come from, and how they are reached, is what apt says of this machine. A tree is complete or not there: it gets
its name, which tells what it was made of, in one rename.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

PACKAGES = ('buildah', 'ca-certificates', 'crun', 'dbus', 'docker.io', 'libpam-systemd', 'podman', 'polkitd', 'skopeo',
            'systemd', 'systemd-sysv', 'uidmap')

# What would do something of its own accord while a test looks.
MASKED = ('apt-daily-upgrade.timer', 'apt-daily.timer', 'containerd.service', 'docker.service', 'docker.socket',
          'dpkg-db-backup.timer', 'e2scrub_all.timer', 'e2scrub_reap.service', 'fstrim.timer',
          'podman-auto-update.service', 'podman-auto-update.timer', 'podman-restart.service', 'podman.service',
          'podman.socket', 'systemd-networkd.service', 'systemd-resolved.service', 'systemd-timesyncd.service')

# Overlays cannot be stacked at will, and the tree is one already.
FILES = {
    'etc/containers/storage.conf': '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\n'
                                   'graphroot = "/var/lib/containers/storage"\n',
    'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
}
VISITOR = 'visitor'
RECIPE = 1


def output(*command):
    return subprocess.run(command, check=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout


def release():
    """('debian', 'bookworm')"""
    with open('/etc/os-release', encoding='utf-8') as lines:
        facts = dict(line.strip().split('=', 1) for line in lines if '=' in line)
    name = facts.get('VERSION_CODENAME', '').strip('"')
    if not name or not os.path.exists(os.path.join('/usr/share/debootstrap/scripts', name)):
        raise RuntimeError('the host suite boots the release it is built on, and debootstrap cannot make a tree of '
                           f'{facts.get("PRETTY_NAME", "this one")}')
    return facts['ID'].strip('"'), name


def sources(name):
    """[(URI, suite)] of the distribution itself, the release first."""
    targets = ['apt-get', 'indextargets', '--format', '$(ORIGIN)|$(COMPONENT)|$(RELEASE)|$(REPO_URI)',
               'Created-By: Packages']
    wanted = (name, f'{name}-updates', f'{name}-security')
    for attempt in range(2):
        rows = [line.split('|') for line in output(*targets).splitlines()]
        found = [(uri, suite) for origin, component, suite, uri in rows
                 if origin in ('Debian', 'Ubuntu') and component == 'main' and suite in wanted]
        if found or attempt:
            break
        output('apt-get', '-qq', 'update')  # origins are known only from the lists
    if name not in [suite for _, suite in found]:
        raise RuntimeError(f'apt knows no source of {name}')
    return sorted(found, key=lambda row: wanted.index(row[1]))


def apt_settings():
    """Proxies, certificates and checks, as this machine has them."""
    wanted = re.compile(r'Acquire::(https?|Retries|Check-|Allow)')
    lines = output('apt-config', 'dump').splitlines()
    return ['Acquire::Retries "3";'] + [line for line in lines if wanted.match(line) and '""' not in line]


def library_packages(programs):
    """The packages of all libraries that the programs load."""
    paths = set()
    for program in programs:
        paths.update(re.findall(r'=> (/\S+)', output('ldd', program)))
    names = set()
    for path in paths:
        # dpkg knows a file by the path of its time, which may be the one without /usr.
        for candidate in {path, os.path.realpath(path), os.path.realpath(path).removeprefix('/usr')}:
            found = subprocess.run(['dpkg-query', '-S', candidate], text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if found.returncode == 0:
                names.add(found.stdout.split(':', 1)[0])
    return sorted(names)


class Builder:
    def __init__(self, path, log):
        self.path = path
        self.log = log
        self.env = {key: value for key, value in os.environ.items() if key.lower().endswith('_proxy')}
        self.env.update(PATH='/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL='C.UTF-8', DEBIAN_FRONTEND='noninteractive',
                        HOME='/root')

    def run(self, *command):
        with open(self.log, 'ab') as log:
            done = subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=subprocess.STDOUT)
        if done.returncode != 0:
            with open(self.log, encoding='utf-8', errors='replace') as log:
                tail = ''.join(log.readlines()[-30:])
            raise RuntimeError(f'{command[0]} {command[1]} … ended with {done.returncode}:\n{tail}')

    def inside(self, *command):
        self.run('chroot', self.path, *command)

    def write(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)

    def borrow(self, path):
        """Copies a file of this machine to the same place; for the time of the building."""
        if os.path.exists(path):
            os.makedirs(os.path.dirname(self.path + path), exist_ok=True)
            shutil.copy2(path, self.path + path)
            return [self.path + path]
        return []

    def build(self, name, repositories, settings, packages):
        for line in settings:
            proxy = re.match(r'Acquire::(https?)::Proxy "(.+)";', line)
            if proxy:
                self.env.setdefault(f'{proxy.group(1)}_proxy', proxy.group(2))
        self.run('debootstrap', '--variant=minbase', name, self.path, repositories[0][0])
        # A tree that a power failure spoils is made again.
        self.write('etc/dpkg/dpkg.cfg.d/fast', 'force-unsafe-io\n')
        self.write('etc/apt/sources.list', ''.join(f'deb {uri} {suite} main\n' for uri, suite in repositories))
        self.write('etc/apt/apt.conf.d/00host', '\n'.join(settings) + '\n')
        self.write('usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n')
        os.chmod(os.path.join(self.path, 'usr/sbin/policy-rc.d'), 0o755)
        borrowed = [os.path.join(self.path, 'usr/sbin/policy-rc.d'),
                    os.path.join(self.path, 'etc/apt/apt.conf.d/00host')]
        for path in ('/etc/resolv.conf', '/etc/apt/auth.conf', '/etc/ssl/certs/ca-certificates.crt'):
            borrowed += self.borrow(path)
        self.inside('apt-get', '-q', 'update')
        self.inside('apt-get', '-qy', '--no-install-recommends', 'install', *packages)
        self.inside('apt-get', 'clean')
        self.inside('useradd', '--create-home', '--shell', '/bin/sh', VISITOR)
        self.inside('systemctl', 'mask', *MASKED)
        for path in borrowed:
            if os.path.exists(path):
                os.unlink(path)
        self.inside('update-ca-certificates')
        for path, text in FILES.items():
            self.write(path, text)


def remove_unused(cache):
    for name in os.listdir(cache):
        path = os.path.join(cache, name)
        if not name.startswith('host-') or not os.path.isdir(path):
            continue
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            pass  # another run is on it
        finally:
            os.close(held)


def hold(path):
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def get(cache, programs):
    """(path, descriptor) of a complete tree that the programs can run in. Nobody may write to it. It stays at
    least as long as the descriptor is open."""
    distribution, name = release()
    packages = sorted({*PACKAGES, *library_packages(programs)})
    recipe = repr((RECIPE, distribution, name, packages, MASKED, FILES, VISITOR))
    place = os.path.join(cache, f'host-{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}')
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, 'host.lock'), 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(place):
            return place, hold(place)
        remove_unused(cache)
        draft = tempfile.mkdtemp(prefix='host-draft-', dir=cache)
        os.chmod(draft, 0o755)
        try:
            Builder(draft, os.path.join(cache, 'host.log')).build(name, sources(name), apt_settings(), packages)
            os.rename(draft, place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return place, hold(place)
