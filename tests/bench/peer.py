# SPDX-License-Identifier: LGPL-2.1-or-later
"""What curl and a shell script take for the same work, in the same run on the same machine."""

import os
import subprocess
import time

import pytest
from registry import CHALLENGE, EXCHANGE, ROBOT, identity_token

HERE = os.path.dirname(os.path.abspath(__file__))
NEXT = 'next\n'


def transfer(registry, url, output, user=None):
    lines = [f'url = "{url}"', f'cacert = "{registry.ca}"', f'output = "{output}"', 'no-progress-meter']
    return '\n'.join(lines + ([f'user = "{user}"'] if user else [])) + '\n'


def endpoint(registry, more):
    return registry.url(f'/v2/auth?service={registry.address}&scope=repository:acme/{more}:pull')


def run_curl(directory, *configurations):
    """Seconds of the runs together. The configurations are files, so that reading them is all that curl has to do."""
    paths = []
    for number, text in enumerate(configurations):
        paths.append(os.path.join(directory, f'curl{number}'))
        with open(paths[-1], 'w', encoding='ascii') as file:
            file.write(f'parallel\n{text}')
    begun = time.monotonic()
    for path in paths:
        subprocess.run(['curl', '-q', '--config', path], check=True, stdin=subprocess.DEVNULL)
    return time.monotonic() - begun


def curl_jobs(registry, directory, number):
    """As jobs are: each with a user and an answer of its own, and what is tried is what the exchange brought, so that
    there are two runs. What happens between them, 1 000 times JSON, is left out."""
    identity = f'{ROBOT}:{identity_token()}'
    exchange = NEXT.join(transfer(registry, registry.url(EXCHANGE), os.path.join(directory, f'answer{job}'), identity)
                         for job in range(number))
    verification = NEXT.join(transfer(registry, registry.url(CHALLENGE), '/dev/null') + NEXT +
                             transfer(registry, endpoint(registry, f'r{job}'), '/dev/null', f'{ROBOT}:{registry.token}')
                             for job in range(number))
    return run_curl(directory, exchange, verification)


def curl_pattern(registry, directory, number):
    """The fastest that curl can: three patterns for all, everything known before, all answers thrown away."""
    pattern = f'[1-{number}]'
    return run_curl(directory, NEXT.join([
        transfer(registry, registry.url(f'{EXCHANGE}?{pattern}'), '/dev/null', f'{ROBOT}:{identity_token()}'),
        transfer(registry, registry.url(f'{CHALLENGE}?{pattern}'), '/dev/null'),
        transfer(registry, endpoint(registry, f'r{pattern}'), '/dev/null', f'{ROBOT}:{registry.token}')]))


def script(registry, directory):
    """Seconds of processor time of one refresh by refresh.sh, all that it starts included."""
    token = os.path.join(directory, 'token')
    with open(token, 'w', encoding='ascii') as file:
        file.write(identity_token())
    environment = {'PATH': '/usr/bin:/bin', 'LC_ALL': 'C', 'REGISTRY': registry.address, 'ROBOT': ROBOT,
                   'SCOPE': f'{registry.address}/acme/r0', 'TOKEN_FILE': token, 'CA_FILE': registry.ca,
                   'AUTH_FILE': os.path.join(directory, 'auth.json')}
    pid = os.posix_spawn('/bin/bash', ['bash', os.path.join(HERE, 'refresh.sh')], environment)
    _pid, status, usage = os.wait4(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    with open(environment['AUTH_FILE'], encoding='ascii') as file:
        if environment['SCOPE'] not in file.read():
            pytest.fail('the script wrote nothing')
    return usage.ru_utime + usage.ru_stime
