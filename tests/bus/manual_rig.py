# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the examples of the manuals: files are written where they say, sessions are typed and their output compared.

In a session, `#` is root and `$` somebody else. Paths mean those below the host's directory. What differs from one
run to the next (spans, dates, times, the bar of a life, how a line is broken) is not compared. A service manager and
podman are stand-ins: `systemctl` starts, reloads and restarts the daemon of the rig; `podman pull IMAGE` is what
podman does about credentials, it looks for a key that covers the image.
"""

import json
import os
import re
import shlex
import subprocess
import time

from fakeworker import trace
from manual import examples
from rig import ROOT, SLOW, STRANGER_UID, TOP, Host, as_user, program

MAN = os.path.join(TOP, 'man')
ISSUER = 'https://oidc.example.com'
PLACES = re.compile(r'(?<![\w.}/-])/(?=(?:etc|run|var|usr/lib/pullauth|usr/local)/)')
VARIABLE = (
    (re.compile(r'\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC'), 'DATE'),
    (re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ'), 'DATE'),
    (re.compile(r'\b\d{16}\b'), 'TIME'),
    (re.compile(r'(\b\d+(\.\d+)?(us|ms|s|min|h|d)\b *)+'), 'SPAN '),
    (re.compile(r'[#█░▏▎▍▌▋▊▉-]{12,}'), 'BAR'),
    (re.compile(r'\beyJ[\w-]+\.[\w-]+\.[\w-]+'), 'JWT'),
)


def all_examples():
    """By page and name: the blocks of each example in their order."""
    found = {}
    for name in sorted(os.listdir(MAN)):
        if name.endswith('.rst'):
            with open(os.path.join(MAN, name), encoding='utf-8') as file:
                for example in examples(f'man/{name}', file.read()):
                    found.setdefault((name[:-len('.rst')], example.name), []).append(example)
    return found


def words(text):
    """What is compared: words without what is different each time."""
    text = ' '.join(text.split())
    for pattern, name in VARIABLE:
        text = pattern.sub(name, text)
    return text.split()


def commands(text):
    """(prompt, command, expected output) of a session."""
    found = []
    for line in text.splitlines():
        if line.startswith(('$ ', '# ')):
            found.append([line[0], line[2:], ''])
        elif found and found[-1][1].endswith('\\'):
            found[-1][1] = found[-1][1][:-1] + line.strip()
        else:
            assert found, f'{line!r} stands before any prompt'
            found[-1][2] += line + '\n'
    return found


class Manual:
    """A host on which an example is tried."""

    def __init__(self):
        self.host = Host()
        self.bin = os.path.join(self.host.directory, 'bin')
        os.mkdir(self.bin)
        for name in ('pullauth-worker', 'docker-credential-pullauth', 'pullauth-credential-provider'):
            os.symlink(program(self.host.directory, name), os.path.join(self.bin, name))
        self.tool(program(self.host.directory, 'pullauthctl'))
        self.written = []
        self.host.worker.answer = self.credential

    def tool(self, real):
        """Commands that look at the tools of a host look at those of this one."""
        path = os.path.join(self.bin, 'pullauthctl')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\ncase $1 in targets|which) set -- "$@" --root={self.host.root};; esac\n'
                       f'exec {real} "$@"\n')
        os.chmod(path, 0o755)

    def credential(self, request, **more):
        """What a worker says that has nothing to complain about, whatever is asked for."""
        kind, now = request.get('Kind', 'obtain'), int(time.time())
        if kind != 'obtain':
            more.update(Audience=['quay'], Algorithm='RS256', KeyId='k1', IdentityIssued=now - 5,
                        IdentityExpires=now + 3600)
        if kind == 'test':
            more['Trace'] = trace(request['Registry'], ISSUER, 'edge-1')
        return self.host.worker.credential(request, Issuer=ISSUER, **more)

    def write(self, example):
        path = example.argument
        self.host.write(path, example.text)
        self.written.append(self.host.path(path))
        for token in re.findall(r'^TokenFile=(/\S+)$', example.text, re.MULTILINE):
            self.host.token(path=token)
        for path in re.findall(r'^CAFile=(/\S+)$', example.text, re.MULTILINE):
            self.host.write(path, '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n')

    def mend(self, command):
        return PLACES.sub(f'{self.host.root}/', command).replace('@LIBEXECDIR@/', '')

    def shell(self, prompt, command):
        host = self.host
        uid = STRANGER_UID if prompt == '$' or not ROOT else 0
        environment = host.environment(COLUMNS='80', LC_ALL='C')
        environment['PATH'] = f'{self.bin}:{environment["PATH"]}'
        done = subprocess.run(['/bin/bash', '-o', 'pipefail', '-c', self.mend(command)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
                              timeout=60 * SLOW, cwd=host.directory, **as_user(uid))
        return done.returncode, done.stdout.replace(host.root, '')

    def systemctl(self, arguments):
        host, verb = self.host, arguments[0]
        if verb in ('enable', 'start') and host.daemon is None:
            host.start()
        elif verb == 'reload':
            host.reload()
        elif verb == 'restart':
            host.restart()
        elif verb == 'daemon-reload':
            pass
        else:
            assert verb in ('enable', 'start', 'disable', 'stop'), f'what does systemctl {verb} do?'
        return ''

    def podman(self, arguments):
        """As a service of root without configuration does."""
        verb, name = arguments[0], arguments[-1]
        path = 'run/containers/0/auth.json'
        content = json.loads(self.host.read(path))
        if verb == 'logout':
            del content['auths'][name]
            self.host.write(path, json.dumps(content), mode=0o600)
            return f'Removed login credentials for {name}\n'
        assert verb == 'pull', f'what does podman {verb} do?'
        assert [key for key in content['auths'] if f'{name}/'.startswith(f'{key}/')], f'no credential for {name}'
        return ''

    def type(self, example):
        """Types a session; what is wrong with it is said with the line of the manual."""
        for prompt, command, expected in commands(example.text):
            first = shlex.split(command)[0]
            if first in ('systemctl', 'podman'):
                status, shown = 0, getattr(self, first)(shlex.split(command)[1:])
            else:
                status, shown = self.shell(prompt, command)
            assert status in (0, 3), f'{example.path}:{example.line}: {command!r} ended with {status}:\n{shown}'
            assert words(shown) == words(expected), \
                f'{example.path}:{example.line}: {command!r} printed\n{shown}\nbut the manual says\n{expected}'

    def complaints(self):
        """What the daemon says of the files that were written."""
        found = list(self.host.client.manager('ConfigurationMessages'))
        for name in self.host.client.jobs():
            found += self.host.client.job(name, 'ConfigurationMessages')
        return [message for message in found if message[2] in self.written]

    def close(self):
        self.host.close()
