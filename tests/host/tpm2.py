# SPDX-License-Identifier: LGPL-2.1-or-later
"""A TPM2 for the machine: swtpm outside of it with its socket inside, and what programs in it need to use that."""

import os
import re
import shutil
import subprocess

from tpm import Tpm, require

SOCKET = '/run/tpm2/sock'
TCTI = f'swtpm:path={SOCKET}'
LIBRARIES = ('libtss2-esys.so.0', 'libtss2-mu.so.0', 'libtss2-rc.so.0', 'libtss2-tcti-swtpm.so.0',
             'libtss2-tctildr.so.0', 'pkcs11/libtpm2_pkcs11.so')
MODULE = '/usr/share/p11-kit/modules/tpm2_pkcs11.module'


def directory_of_libraries():
    """Where the C library is, for that of this architecture has all the others, too."""
    found = re.search(r'=> (/\S+)/libc\.so', subprocess.run(['ldd', '/bin/ls'], check=True, text=True,
                                                            stdout=subprocess.PIPE).stdout)
    return os.path.join('/usr', found[1].lstrip('/').removeprefix('usr/'))


def lend(machine):
    """Copies libraries, with those that they load, of this host to the machine, which is of the same release. Nothing
    that is there already is touched."""
    places = [os.path.join(directory_of_libraries(), name) for name in LIBRARIES]
    require(*places, MODULE)
    wanted = set(places) | {MODULE}
    for place in places:
        listed = subprocess.run(['ldd', place], check=True, text=True, stdout=subprocess.PIPE).stdout
        wanted.update(re.findall(r'=> (/\S+)', listed))
    for path in wanted:
        inside = machine.path(os.path.join('/usr', path.lstrip('/').removeprefix('usr/')))
        if not os.path.exists(inside):
            os.makedirs(os.path.dirname(inside), exist_ok=True)
            shutil.copy2(path, inside)


class MachineTpm(Tpm):
    """Its resource manager serves programs outside; leave_to_machine() ends that, for programs inside come by the
    socket, which takes one at a time."""

    def __init__(self, machine, directory):
        lend(machine)
        os.makedirs(machine.path(os.path.dirname(SOCKET)), exist_ok=True)
        for path in (SOCKET, f'{SOCKET}.ctrl'):
            machine.remove(path)
        super().__init__(directory, machine.path(SOCKET))
        for path in (SOCKET, f'{SOCKET}.ctrl'):
            os.chmod(machine.path(path), 0o666)

    def leave_to_machine(self):
        manager = self.processes.pop()
        manager.terminate()
        manager.wait()
