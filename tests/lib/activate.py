#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Socket activation without systemd: holds a listening unix socket and starts a program when a connection comes.

The program finds the socket as fd 3 with LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES set, as a service with
Accept=no would, and is started again at the next connection after it ended. Connections that come in between
wait in the queue of the socket. A program that ends badly 20 times within 2 seconds stops everything, as
TriggerLimitBurst= does.

    activate.py --socket PATH [--mode 0600] [--socket-user U] [--user U] [--name N] -- PROGRAM ARGUMENT…

The socket exists once "listening" stands on standard output; the lines "start PID", "cpu PID MICROSECONDS" (what the
program took from its execve to its end) and "end PID STATUS" follow (a negative status is a signal). SIGTERM ends the
program and removes the socket. Tests use class Activated.
"""

import argparse
import fcntl
import os
import pwd
import select
import signal
import socket
import subprocess
import sys
import time

BURST, BURST_SPAN = 20, 2.0
PATIENCE = 10.0 * float(os.environ.get('PULLAUTH_TEST_SLOW', '1'))
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


def account(user):
    """(uid, gid) of a name or of a number, which need not be in the user database."""
    try:
        entry = pwd.getpwnam(str(user))
        return entry.pw_uid, entry.pw_gid
    except KeyError:
        return int(user), int(user)


def listen(path, mode=0o600, user=None):
    """Binds to the very path, as systemd does: the worker looks up who owns the file by the socket's address. Nobody
    but us may connect until owner and mode are set."""
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    before = os.umask(0o177)
    try:
        listener.bind(path)
        listener.listen(128)
    finally:
        os.umask(before)
    if user is not None:
        os.chown(path, *account(user))
    os.chmod(path, mode)
    return listener


def become(user):
    uid, gid = account(user)
    try:
        os.initgroups(pwd.getpwuid(uid).pw_name, gid)
    except KeyError:
        os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def spawn(listener, command, user, name):
    """Returns the pid, and where this copy of the launcher tells what it took itself until it became the program."""
    # Blocked meanwhile: what comes for the program before it is one must not meet our handlers in its place.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    taken_read, taken_write = os.pipe()
    told_read, told_write = os.pipe()
    pid = os.fork()
    if pid:
        for number in (taken_write, told_read):
            os.close(number)
        report(f'start {pid}')
        os.close(told_write)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid, taken_read
    try:
        # Who has an answer of the program finds its start among the reports.
        os.close(told_write)
        os.read(told_read, 1)
        signal.set_wakeup_fd(-1)
        for number in HANDLED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        taken = fcntl.fcntl(taken_write, fcntl.F_DUPFD_CLOEXEC, 64)
        copy = os.dup(listener.fileno())  # never 3 itself, or dup2() would leave it close-on-exec
        os.dup2(copy, 3)
        os.dup2(os.open('/dev/null', os.O_RDWR), 0)
        os.dup2(2, 1)                     # standard output carries the reports
        os.closerange(4, taken)
        os.closerange(taken + 1, 4096)
        if user is not None:
            become(user)
        os.write(taken, str(time.process_time_ns() // 1000).encode())
        os.execvpe(command[0], command, {**os.environ, 'LISTEN_FDS': '1', 'LISTEN_PID': str(os.getpid()),
                                         'LISTEN_FDNAMES': name})
    except BaseException as error:  # whatever it is, this copy of the launcher must not go on
        os.write(2, f'activate: {command[0]}: {error}\n'.encode())
    os._exit(127)


def report(text):
    try:
        os.write(1, f'{text}\n'.encode())
    except BrokenPipeError:
        pass  # noticed by the poll


class Launcher:
    def __init__(self, listener, options):
        self.listener, self.options = listener, options
        self.child, self.taken, self.bad, self.ending = None, None, [], False
        self.wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.end)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def end(self, *_):
        self.ending = True

    def reap(self):
        pid, status, usage = os.wait4(self.child, os.WNOHANG)
        if pid:
            status = os.waitstatus_to_exitcode(status)
            taken = int(os.read(self.taken, 32) or 0)
            os.close(self.taken)
            report(f'cpu {pid} {round((usage.ru_utime + usage.ru_stime) * 1e6) - taken}\nend {pid} {status}')
            self.child = None
            moment = time.monotonic()
            self.bad = [t for t in self.bad if moment - t < self.options.span] + ([moment] if status else [])

    def run(self):
        """Until told to end, or whoever reads our reports is gone. Returns the status to end with."""
        while not self.ending:
            if len(self.bad) >= BURST:
                print(f'activate: {self.options.command[0]} ended badly {BURST} times in a row', file=sys.stderr)
                return 1
            poll = select.poll()
            poll.register(self.wake_read, select.POLLIN)
            poll.register(1, 0)
            if self.child is None:
                poll.register(self.listener, select.POLLIN)
            ready = dict(poll.poll())
            if ready.get(1, 0) & select.POLLERR:
                return 0
            if self.wake_read in ready:
                os.read(self.wake_read, 4096)
                if self.child is not None:
                    self.reap()
            elif self.child is None and self.listener.fileno() in ready:
                o = self.options
                self.child, self.taken = spawn(self.listener, o.command, o.user, o.name)
        return 0

    def close(self):
        if self.child is None:
            return
        os.kill(self.child, signal.SIGTERM)
        deadline = time.monotonic() + self.options.patience
        while self.child is not None and time.monotonic() < deadline:
            if select.select([self.wake_read], [], [], max(0, deadline - time.monotonic()))[0]:
                os.read(self.wake_read, 4096)
                self.reap()
        if self.child is not None:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)


def main():
    parser = argparse.ArgumentParser(description='starts a program when a connection comes, as systemd would')
    parser.add_argument('--socket', required=True, help='path of the unix socket')
    parser.add_argument('--fd', type=int, help='it is open already, as this descriptor')
    parser.add_argument('--mode', type=lambda text: int(text, 8), default=0o600)
    parser.add_argument('--socket-user')
    parser.add_argument('--user', help='name or number to run the program as')
    parser.add_argument('--name', default='worker', help='for LISTEN_FDNAMES')
    parser.add_argument('--span', type=float, default=BURST_SPAN, help=f'for {BURST} bad ends, in seconds')
    parser.add_argument('--patience', type=float, default=PATIENCE, help='with the program when it is told to end')
    parser.add_argument('command', nargs='+')
    options = parser.parse_args()

    listener = socket.socket(fileno=options.fd) if options.fd is not None else \
        listen(options.socket, options.mode, options.socket_user)
    launcher = Launcher(listener, options)
    report('listening')
    try:
        status = launcher.run()
    finally:
        launcher.close()
        if os.path.exists(options.socket):
            os.unlink(options.socket)
    sys.exit(status)


class Activated:
    """A program behind a socket. The socket exists as soon as the object does.

    `events` grows by ('start', pid), ('cpu', pid, microseconds) and ('end', pid, status) as they are read by
    wait_start(), wait_end() and `running`. Everything ends with close(), at the end of `with`, or when the process of
    the test is gone.
    """

    def __init__(self, path, command, *, env=None, mode=0o600, socket_user=None, user=None, name='worker', log=None,
                 span=BURST_SPAN):
        listener = listen(path, mode, socket_user)
        launcher = [sys.executable, os.path.abspath(__file__), '--socket', path, '--fd', str(listener.fileno()),
                    '--name', name, '--span', str(span), '--patience', str(PATIENCE),
                    *(['--user', str(user)] if user is not None else []), '--', *command]
        try:
            self.process = subprocess.Popen(launcher, env=env, pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, bufsize=0)
        finally:
            listener.close()
        self.path, self.events, self.rest = path, [], b''

    def read(self, timeout):
        """One more piece of the reports. False if none came in time or the launcher is gone."""
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            return False
        data = self.process.stdout.read(4096)
        *lines, self.rest = (self.rest + data).split(b'\n')
        for line in lines:
            kind, *numbers = line.decode().split()
            if kind != 'listening':
                self.events.append((kind, *map(int, numbers)))
        return bool(data)

    @property
    def running(self):
        """The pid of the program, or None."""
        while self.read(0):
            pass
        return self.events[-1][1] if self.events and self.events[-1][0] == 'start' else None

    def cpu(self):
        """Seconds of processor time that all runs took which are over, as far as they were read."""
        return sum(event[2] for event in self.events if event[0] == 'cpu') / 1e6

    def starts(self):
        return sum(1 for event in self.events if event[0] == 'start')

    def wait_for(self, kind, count=1, timeout=30.0):
        """Until `count` events of that kind have come since the beginning; returns the last of them."""
        deadline = time.monotonic() + timeout * float(os.environ.get('PULLAUTH_TEST_SLOW', '1'))
        while True:
            found = [event for event in self.events if event[0] == kind]
            if len(found) >= count:
                return found[count - 1]
            if not self.read(max(0, deadline - time.monotonic())):
                raise TimeoutError(f'no {kind} number {count} of the program behind {self.path}: {self.events}')

    def wait_start(self, count=1, timeout=30.0):
        return self.wait_for('start', count, timeout)[1]

    def wait_end(self, count=1, timeout=30.0):
        return self.wait_for('end', count, timeout)[2]

    def close(self):
        """Ends program and launcher; returns the launcher's status."""
        if self.process.poll() is None:
            self.process.terminate()
        while self.read(2 * PATIENCE):
            pass
        status = self.process.wait()
        self.process.stdout.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.process.stdout.closed:
            self.close()


if __name__ == '__main__':
    main()
