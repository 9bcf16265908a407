# SPDX-License-Identifier: LGPL-2.1-or-later
"""A TPM2 in software (swtpm) behind a resource manager (tpm2-abrmd), which lets many programs use it as the kernel's
does, and tools that are told of it."""

import os
import shutil
import socket
import subprocess

import pytest
from privatebus import PrivateBus

NAME = 'com.intel.tss2.Tabrmd'
GET_CAPABILITY = b'\0\0\0\1'  # of swtpm's control channel
PROGRAMS = ('swtpm', 'tpm2-abrmd', 'tpm2_ptool', 'gdbus')


def require(*files):
    """Skips the test where something is not installed: programs, and files that the test wants as well."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    missing += [name for name in files if not os.path.exists(name)]
    if missing:
        pytest.skip(f'no TPM2 in software: {", ".join(missing)} not there')


class Tpm:
    """Both end with this process, however that ends."""

    def __init__(self, directory, path=None):
        """`path`: where the TPM2 itself is reached; in the directory, if that is nobody's business."""
        require()
        state, self.store = (os.path.join(directory, name) for name in ('tpm', 'store'))
        os.mkdir(state, 0o700)
        os.mkdir(self.store)
        path = path or os.path.join(state, 'sock')
        self.bus = PrivateBus(os.path.join(directory, 'bus'), open_names=[NAME])
        self.environment = {**os.environ, 'DBUS_SYSTEM_BUS_ADDRESS': self.bus.address, 'TPM2_PKCS11_STORE': self.store,
                            'TPM2_PKCS11_TCTI': 'tabrmd:', 'TPM2TOOLS_TCTI': 'tabrmd:', 'GNUTLS_TPM2_TCTI': 'tabrmd:'}
        self.processes = []
        with socket.socket(socket.AF_UNIX) as control:
            control.bind(f'{path}.ctrl')
            control.listen()
            self.start('swtpm', 'socket', '--tpm2', '--tpmstate', f'dir={state}',
                       '--flags', 'not-need-init,startup-clear', '--server', f'type=unixio,path={path}',
                       '--ctrl', f'type=unixio,fd={control.fileno()}', pass_fds=[control.fileno()])
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f'{path}.ctrl')
            client.sendall(GET_CAPABILITY)
            assert client.recv(64), 'swtpm did not start'
        self.start('tpm2-abrmd', '--allow-root', f'--tcti=swtpm:path={path}')
        self.run('gdbus', 'wait', '--system', '--timeout=60', NAME)

    def run(self, *command, **options):
        options = {'env': self.environment, **options}
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=120, **options)
        assert done.returncode == 0, f'{command[0]} ended with {done.returncode}: {done.stdout}'
        return done.stdout

    def start(self, *command, **options):
        self.processes.append(subprocess.Popen(
            ['setpriv', '--pdeathsig', 'KILL', *command], env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options))

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        self.bus.close()
