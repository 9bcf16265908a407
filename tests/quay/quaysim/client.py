# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rig from the outside, for every suite: starts one, or finds one that runs, and speaks its control API."""

import base64
import http.client
import json
import os
import ssl
import subprocess
import sys
import urllib.parse

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXCHANGE = '/oauth2/federation/robot/token'
START_LIMIT = 60


class RigError(Exception):
    """The control API refused."""


class Reply:
    """An answer of the simulated world, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.type = (response.getheader('Content-Type') or '').split(';')[0]

    @property
    def text(self):
        return self.body.decode('utf-8', 'replace')

    def json(self):
        return json.loads(self.body)


class Rig:
    """Attributes: those of rig.json (quay, registry, issuer, ca, cert_dir, control, token_file, image, …)."""

    def __init__(self, directory, process=None):
        self.directory = str(directory)
        self.process = process
        with open(os.path.join(self.directory, 'rig.json'), encoding='utf-8') as file:
            self.description = json.load(file)
        self.context = ssl.create_default_context(cafile=self.description['ca'])

    def __getattr__(self, name):
        try:
            return self.__dict__['description'][name]
        except KeyError:
            raise AttributeError(name) from None

    @classmethod
    def start(cls, directory, *options):
        """Starts `python3 -m quaysim` and returns when everything listens. It ends with the calling process."""
        path = os.pathsep.join(filter(None, [HERE, os.environ.get('PYTHONPATH')]))
        process = subprocess.Popen([sys.executable, '-B', '-m', 'quaysim', '--dir', str(directory),
                                    '--die-with-parent', *map(str, options)],
                                   env={**os.environ, 'PYTHONPATH': path}, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        if line.strip() != 'ready':
            process.kill()
            process.wait()
            raise RigError(f'the simulator did not start: {line!r}')
        return cls(directory, process)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # The control API

    def call(self, operation, **parameters):
        address = urllib.parse.urlsplit(self.control).netloc
        connection = http.client.HTTPConnection(address, timeout=120)
        try:
            connection.request('POST', f'/{operation}', json.dumps(parameters))
            response = connection.getresponse()
            value = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise RigError(value['error'])
        return value

    def reset(self, clock_offset=0):
        """Robots, settings, issuer, misbehaviour and logs as at the start; the clocks are so many seconds ahead."""
        self.call('reset', clock_offset=clock_offset)

    def jwt(self, claims=None, **parameters):
        """A JWT of the issuer; see Issuer.mint for what can be asked for."""
        return self.call('jwt', claims=claims or {}, **parameters)['jwt']

    def robot_token(self, robot=None, **parameters):
        return self.call('robot-token', robot=robot or self.robots[0], **parameters)['token']

    def robot(self, name, **fields):
        """Makes or changes a robot: federation, repositories, static_token; delete=True removes it."""
        return self.call('robot', name=name, **fields)

    def federation_entry(self, **changes):
        return {'issuer': self.issuer, 'subject': self.subject, 'audiences': [self.audience], **changes}

    def misbehave(self, action, path='*', count=None, server='quay', method=None, user=None, skip=0, hold=False,
                  **parameters):
        """The next `count` matching requests (all, if None) meet this action; returns the number of the rule."""
        rule = {'action': action, 'path': path, 'count': count, 'server': server, 'method': method, 'user': user,
                'skip': skip, 'hold': hold, 'parameters': parameters}
        return self.call('misbehave', **rule)['rule']

    def let_go(self, rule):
        """The requests that this rule holds meet its action from here on."""
        self.call('let-go', rule=rule)

    def behave(self, rule=None):
        self.call('clear', **({} if rule is None else {'rule': rule}))

    def requests(self, path=None, at_least=0, timeout=30, **filters):
        """What arrived, oldest first; waits until there are `at_least` so many."""
        if path is not None:
            filters['path'] = path
        found = self.call('requests', at_least=at_least, timeout=timeout, **filters)
        if len(found) < at_least:
            raise RigError(f'{len(found)} requests after {timeout} s, {at_least} expected')
        return found

    def exchanges(self, at_least=0, timeout=30, **filters):
        return self.requests(EXCHANGE, at_least, timeout, **filters)

    def connections(self, server='quay'):
        return [entry for entry in self.call('connections') if entry['server'] == server]

    def audit(self):
        return self.call('audit')

    def settings(self, **values):
        return self.call('settings', **values)

    def set_lifetime(self, seconds):
        """Of the robot tokens that are issued from here on."""
        self.settings(token_lifetime=seconds)

    def set_clock(self, offset):
        """Quay's clock is so many seconds ahead of this machine's."""
        self.settings(clock_offset=offset)

    # The simulated world, as a client meets it

    def request(self, target, method='GET', headers=None, body=None, user=None, password=None, issuer=False,
                timeout=60):
        """One https request; credentials go out as Basic."""
        headers = dict(headers or {})
        if user is not None:
            headers['Authorization'] = basic(user, password)
        address = urllib.parse.urlsplit(self.issuer).netloc if issuer else self.quay
        connection = http.client.HTTPSConnection(address, context=self.context, timeout=timeout)
        try:
            connection.request(method, target, body, headers)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def exchange(self, token=None, robot=None, **parameters):
        robot = robot or self.robots[0]
        return self.request(EXCHANGE, user=robot, password=self.jwt() if token is None else token, **parameters)

    def auth_file(self, path, entries):
        """Writes an auth.json: scope → (user, password)."""
        auths = {scope: {'auth': base64.b64encode(f'{user}:{password}'.encode()).decode()}
                 for scope, (user, password) in entries.items()}
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='utf-8') as file:
            json.dump({'auths': auths}, file)
        return str(path)


def basic(user, password):
    return 'Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode()
