# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the programs that run for each pull cost, in runs of busctl with a call that does nothing."""

import json
import os
import subprocess
import time

from benchrig import BenchHost, memory
from client import NAME, ROOT
from figures import record
from rig import program

ROUNDS = 40
RATIO, RESIDENT = 3, 4
HELPER, PLUGIN = 'docker-credential-pullauth', 'pullauth-credential-provider'


def seconds(host, command, text):
    begun = time.perf_counter()
    done = subprocess.run(command, input=text, text=True, stdout=subprocess.DEVNULL, env=host.environment())
    assert done.returncode == 0
    return time.perf_counter() - begun


def peak(host, command, text):
    """MiB at most, read when all is done but the writing of the answer, for which the pipe has no room."""
    reading, writing = os.pipe2(os.O_NONBLOCK)
    try:
        while True:
            os.write(writing, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writing, True)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=writing, env=host.environment())
    os.close(writing)
    process.stdin.write(text.encode())
    process.stdin.close()
    call = ''
    while not call.startswith('1 0x1 '):  # write(2) to standard output
        with open(f'/proc/{process.pid}/syscall', encoding='ascii') as file:
            call = file.read()
    found = memory(process.pid, 'VmHWM')
    os.set_blocking(reading, True)
    while os.read(reading, 65536):
        pass
    os.close(reading)
    assert process.wait() == 0
    return found


def test_one_pull_in_empty_calls(registry):
    with BenchHost(registry) as host:
        host.jobs(1)
        host.cold_start(1)
        host.settle()
        request = json.dumps({'apiVersion': 'credentialprovider.kubelet.k8s.io/v1', 'kind': 'CredentialProviderRequest',
                              'image': f'{registry.address}/acme/r0:1'})
        runs = {
            'busctl': (['busctl', '--system', 'call', NAME, ROOT, 'org.freedesktop.DBus.Peer', 'Ping'], ''),
            'docker-helper': ([program(host.directory, HELPER), 'get'], registry.address),
            'kubelet-plugin': ([program(host.directory, PLUGIN)], request),
        }
        taken = {name: [] for name in runs}
        for _ in range(ROUNDS):
            for name, run in runs.items():
                taken[name].append(seconds(host, *run))
        for name, run in list(runs.items())[1:]:
            ratio = round(min(taken[name]) / min(taken['busctl']), 2)
            record(f'{name}-ratio', ratio, 'busctl calls', f'<= {RATIO}', ratio <= RATIO)
            resident = round(peak(host, *run), 2)
            label = 'helper-rss' if name == 'docker-helper' else 'plugin-rss'
            record(label, resident, 'MiB', f'<= {RESIDENT}', resident <= RESIDENT)
