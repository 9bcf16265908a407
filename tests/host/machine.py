# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine with a real systemd: a container that systemd-nspawn boots from the cached tree.

The tree is the lower layer of an overlay whose upper one is a tmpfs. Both are mounted in a mount namespace of
the machine's own, so that nothing is left of it when its processes are gone, however they went. It has cgroups of
its own as well, and shares the network with us: the registry on our loopback is on its loopback.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import shlex
import shutil
import signal
import socket
import subprocess
import time
import uuid

from limits import slow
from systembus import SystemBus, Units

BOOT = '''
set -eu
work=$1 lower=$2 name=$3
shift 3
for group; do echo $$ >"$group/cgroup.procs"; done
mount -t tmpfs -o mode=0755 tmpfs "$work/layers"
mkdir "$work/layers/upper" "$work/layers/work" "$work/layers/root"
mount -t overlay -o "lowerdir=$lower,upperdir=$work/layers/upper,workdir=$work/layers/work" overlay \
        "$work/layers/root"
cp -a "$work/first/." "$work/layers/root/"
status=133
trap 'kill "$nspawn"' TERM
# nspawn that does not make its own unit leaves it to its caller to start it again, and says so by 133.
while test $status = 133; do
        systemd-nspawn --quiet --register=no --keep-unit --notify-ready=yes --console=pipe --boot \
                --capability=CAP_WAKE_ALARM \
                --setenv=SYSTEMD_TPM2_DEVICE=swtpm:path=/run/tpm2/sock \
                -M "$name" -D "$work/layers/root" &
        nspawn=$!
        status=0
        wait $nspawn || status=$?
done
'''
PR_SET_PDEATHSIG = 1
IN_CHANGES = 0x2 | 0x8 | 0xc0 | 0x100 | 0x200  # modified, closed, moved, made, removed


class CommandError(AssertionError):
    pass


class Content(bytes):
    """Of a file, which may hold secrets: reports of failures show how long it is, not what it says."""

    def __repr__(self):
        return f'<{len(self)} bytes>'


def die_with_parent():
    """The machine is shut down also when pytest is killed: that is what SIGTERM means to nspawn."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def cgroup_directories():
    """Where this process is, in each hierarchy that a systemd manages units with."""
    places = {}
    with open('/proc/self/cgroup', encoding='ascii') as lines:
        for line in lines:
            _, controllers, path = line.rstrip('\n').split(':', 2)
            if controllers in ('', 'name=systemd'):
                places[controllers] = path
    with open('/proc/self/mountinfo', encoding='utf-8') as lines:
        for line in lines:
            head, tail = line.split(' - ', 1)
            kind, _, options = tail.split()[:3]
            key = '' if kind == 'cgroup2' else 'name=systemd' if 'name=systemd' in options.split(',') else None
            if key in places:
                yield head.split()[4] + places.pop(key).rstrip('/')


def remove_cgroup(path):
    for directory, _, _ in os.walk(path, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def locked(path):
    """A descriptor with a lock on a directory, or None if somebody else has it."""
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return held
    except BlockingIOError:
        os.close(held)
        return None


def sweep(cache):
    """Removes what killed runs left."""
    for name in os.listdir(cache):
        held = locked(os.path.join(cache, name)) if name.startswith('run-') else None
        if held is not None:
            shutil.rmtree(os.path.join(cache, name), ignore_errors=True)
            os.close(held)
    for place in cgroup_directories():
        for name in os.listdir(place):
            if name.startswith('pullauth-run-') and not os.path.exists(os.path.join(cache, name[len('pullauth-'):])):
                remove_cgroup(os.path.join(place, name))


def kill_children(pid):
    """Of nsenter, which then ends as well. It must live longest: who else would reap what it started?"""
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as children:
        for child in children.read().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)


class JournalReader:
    def __init__(self, machine, pipe):
        self.machine = machine
        self.pipe = pipe
        self.buffered = b''

    def wait(self, is_wanted, seconds=30):
        end = time.monotonic() + seconds * slow()
        while True:
            line, newline, rest = self.buffered.partition(b'\n')
            if newline:
                self.buffered = rest
                entry = json.loads(line)
                if is_wanted(entry):
                    return entry
                continue
            ready, _, _ = select.select([self.pipe], [], [], max(0, end - time.monotonic()))
            chunk = os.read(self.pipe, 65536) if ready else b''
            if not chunk:
                raise TimeoutError(f'the journal says nothing of it in {seconds} s:\n{self.machine.journal_text()}')
            self.buffered += chunk


class Machine:
    def __init__(self, tree, cache):
        sweep(cache)
        self.tree = tree
        self.work = os.path.join(cache, f'run-{uuid.uuid4().hex[:12]}')
        os.mkdir(self.work, 0o700)
        self.name = f'pullauth-{os.path.basename(self.work)}'
        self.held = locked(self.work)
        self.groups = []
        self.process = self.leader = self.notify = None
        self.bus = self.units = None

    # --- life ---------------------------------------------------------------------------------------

    def boot(self):
        """Returns when systemd has started everything."""
        os.mkdir(f'{self.work}/layers')
        os.makedirs(f'{self.work}/first/etc')
        with open(f'{self.work}/first/etc/machine-id', 'w', encoding='ascii') as file:
            file.write(uuid.uuid4().hex + '\n')  # none at all would make it a first boot, with presets
        for group in [os.path.join(place, self.name) for place in cgroup_directories()]:
            os.mkdir(group)
            self.groups.append(group)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(f'{self.work}/notify')
        with open(self.console_path, 'wb') as console:
            self.process = subprocess.Popen(
                ['unshare', '--mount', '--propagation', 'private', 'bash', '-c', BOOT, 'boot', self.work, self.tree,
                 self.name, *self.groups],
                env={'PATH': os.environ['PATH'], 'NOTIFY_SOCKET': f'{self.work}/notify'}, stdin=subprocess.DEVNULL,
                stdout=console, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=die_with_parent)
        self.wait_booted()
        return self

    @property
    def console_path(self):
        return f'{self.work}/console'

    def wait_booted(self, seconds=60):
        self.leader = None
        end = time.monotonic() + seconds * slow()
        ended = os.pidfd_open(self.process.pid)
        try:
            while True:
                ready, _, _ = select.select([self.notify, ended], [], [], max(0, end - time.monotonic()))
                if self.notify not in ready:
                    raise RuntimeError(f'the machine did not boot:\n{self.console()}')
                for word in self.notify.recv(4096).decode().split('\n'):
                    if word.startswith('X_NSPAWN_LEADER_PID='):
                        self.leader = int(word.partition('=')[2])
                    if word == 'READY=1' and self.leader:
                        self.bus = SystemBus(self.path('/run/dbus/system_bus_socket'))
                        self.units = Units(self.bus)
                        return
        finally:
            os.close(ended)

    def reboot(self):
        self.run('systemctl', '--no-block', 'reboot', check=False)  # which may end with what it asked for
        self.bus.close()
        self.bus = self.units = None
        self.wait_booted()

    def close(self):
        """Ends the machine at once. Nothing in it is worth an orderly end."""
        if self.process:
            # nspawn ends when its leader has; without one there is only nspawn.
            for pid in filter(None, (self.leader, self.process.pid)):
                if self.process.poll() is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self.process.wait(10)
            self.process = None
        if self.notify:
            self.notify.close()
        for group in self.groups:
            remove_cgroup(group)
        with contextlib.suppress(OSError):
            os.rmdir(f'/run/systemd/nspawn/propagate/{self.name}')  # which nspawn refuses where /run is a disk
        shutil.rmtree(self.work, ignore_errors=True)
        os.close(self.held)

    def console(self):
        with open(self.console_path, encoding='utf-8', errors='replace') as file:
            return file.read()[-4000:]

    # --- files --------------------------------------------------------------------------------------

    def path(self, path):
        """The same file as seen from outside."""
        return f'/proc/{self.leader}/root{path}'

    def read(self, path):
        with open(self.path(path), 'rb') as file:
            return Content(file.read())

    def write(self, path, data, mode=0o644):
        """Appears whole, as a new file."""
        directory, name = os.path.split(self.path(path))
        os.makedirs(directory, exist_ok=True)
        with open(f'{directory}/.{name}.new', 'wb') as file:
            os.fchmod(file.fileno(), mode)
            file.write(data.encode() if isinstance(data, str) else data)
        os.rename(f'{directory}/.{name}.new', f'{directory}/{name}')

    def wait_file(self, path, is_reached, seconds=30):
        """Waits until is_reached() says yes of the content."""
        self.wait_directory(path, lambda: self.exists(path) and is_reached(self.read(path)), seconds)

    def wait_gone(self, path, seconds=30):
        self.wait_directory(path, lambda: not self.exists(path), seconds)

    def wait_directory(self, path, is_reached, seconds):
        """Asks whenever the directory of the path changes."""
        end = time.monotonic() + seconds * slow()
        libc = ctypes.CDLL(None, use_errno=True)
        watch = libc.inotify_init1(os.O_CLOEXEC)
        try:
            if libc.inotify_add_watch(watch, os.path.dirname(self.path(path)).encode(), IN_CHANGES) < 0:
                raise OSError(ctypes.get_errno(), 'inotify_add_watch')
            while not is_reached():
                ready, _, _ = select.select([watch], [], [], max(0, end - time.monotonic()))
                if not ready:
                    raise TimeoutError(f'{path} did not get there in {seconds} s')
                os.read(watch, 65536)
        finally:
            os.close(watch)

    def exists(self, path):
        return os.path.lexists(self.path(path))

    def remove(self, path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(path))

    # --- programs -----------------------------------------------------------------------------------

    def command(self, command, user=None, env=None):
        settings = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8', **(env or {})}
        become = ['setpriv', f'--reuid={user}', f'--regid={user}', '--init-groups'] if user else []
        return ['nsenter', '-t', str(self.leader), '-a', '--', 'env', '-i',
                *[f'{name}={value}' for name, value in settings.items()], *become, *command]

    def run(self, *command, user=None, env=None, check=True, seconds=60, text=None):
        """A program inside, with an environment like a system service's. Its output is in stdout, both kinds."""
        with self.started(*command, user=user, env=env, text=True, stderr=subprocess.STDOUT,
                          stdin=subprocess.PIPE if text else subprocess.DEVNULL) as process:
            output, _ = process.communicate(text, timeout=seconds * slow())
        if check and process.returncode != 0:
            raise CommandError(f'{shlex.join(command)} ended with {process.returncode}:\n{output}')
        return subprocess.CompletedProcess(command, process.returncode, output)

    @contextlib.contextmanager
    def started(self, *command, user=None, env=None, **options):
        """A program inside that runs for the time of a with block, then it is killed."""
        options = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, **options}
        process = subprocess.Popen(self.command(command, user, env), **options)
        try:
            yield process
        finally:
            if process.poll() is None:
                kill_children(process.pid)
            process.wait()
            for pipe in filter(None, (process.stdin, process.stdout, process.stderr)):
                pipe.close()

    def install(self, builddir, after_install):
        """What "meson install" does, and afterwards what it does on a running system."""
        staging = os.path.join(self.work, 'staging')
        done = subprocess.run(['meson', 'install', '-C', builddir, '--no-rebuild', '--destdir', staging],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise CommandError(f'meson install ended with {done.returncode}:\n{done.stdout[-2000:]}')
        for directory, _, files in os.walk(staging):
            inside = self.path(directory[len(staging):] or '/')
            os.makedirs(inside, exist_ok=True)
            for name in files:
                # Beside and renamed: a program that runs cannot be written.
                shutil.copy2(os.path.join(directory, name), os.path.join(inside, f'.{name}.new'),
                             follow_symlinks=False)
                os.rename(os.path.join(inside, f'.{name}.new'), os.path.join(inside, name))
        shutil.rmtree(staging)
        with open(after_install, encoding='utf-8') as script:
            self.run('sh', '-s', text=script.read())

    # --- journal ------------------------------------------------------------------------------------

    def journal(self, *matches):
        """Entries of this boot as dictionaries."""
        self.run('journalctl', '--sync')
        lines = self.run('journalctl', '--boot', '--output=json', '--all', *matches, seconds=120).stdout
        return [json.loads(line) for line in lines.splitlines() if line.startswith('{')]

    def journal_text(self, *matches):
        return self.run('journalctl', '--boot', '--no-pager', '--lines=60', *matches, check=False).stdout

    @contextlib.contextmanager
    def following(self):
        """Yields wait(is_wanted, seconds): the next entry from now on for which is_wanted(entry) holds."""
        self.run('journalctl', '--sync')
        cursor = self.run('journalctl', '--lines=0', '--show-cursor').stdout.split('-- cursor: ')[1].strip()
        with self.started('journalctl', '--follow', '--output=json', '--all', '--no-tail',
                          f'--after-cursor={cursor}') as follower:
            yield JournalReader(self, follower.stdout.fileno()).wait
