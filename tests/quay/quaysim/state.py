# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the simulated Quay knows: robots with their federation entries, owners, repositories, settings, audit rows."""

import copy
import secrets
import threading
import time

SETTINGS = {
    'token_lifetime': 3600,     # of robot tokens; a real Quay has no such setting
    'clock_offset': 0,          # seconds that Quay's clock is ahead of this machine's
    'server_hostname': None,    # audience of robot tokens and service of the challenge, if not host:port
    'read_only': False,
    'robots_disallow': False,
    'robots_exempt': [],        # robots that robots_disallow does not concern
    'front_end': None,          # or "nginx": 502 where the application server drops, 504 where it is too slow
    'discovery_timeout': 60,    # of a real Quay 5: a machine that is slow shall be no issuer that is silent
    'gateway_timeout': 60,      # of the front end
    'federation': True,         # false: a Quay from before 3.13, which knows no such path
}


class Robot:
    def __init__(self, name, federation=(), repositories=None, static_token=None):
        self.name = name
        self.federation = [dict(entry) for entry in federation]
        self.repositories = repositories  # names it may pull; None: all of its own namespace
        self.static_token = static_token or secrets.token_hex(32)

    @property
    def owner(self):
        return self.name.split('+')[0]

    def may_pull(self, repository):
        if self.repositories is None:
            return repository.split('/')[0] == self.owner
        return repository in self.repositories

    def describe(self):
        return {'name': self.name, 'federation': self.federation, 'repositories': self.repositories}


class State:
    """All of it behind one lock; reset() returns to what the rig was started with."""

    def __init__(self, initial_robots=(), repositories=None, settings=None):
        self.lock = threading.RLock()
        self.initial = {'robots': {robot.name: robot for robot in initial_robots},
                        'repositories': repositories or {},
                        'settings': {**SETTINGS, **(settings or {})}}
        self.reset()

    def reset(self, clock_offset=0):
        with self.lock:
            first = copy.deepcopy(self.initial)
            self.robots = first['robots']
            self.repositories = first['repositories']  # name → {"public": bool}
            self.settings = {**first['settings'], 'clock_offset': clock_offset}
            self.disabled = set()                      # owners
            self.audit = []

    def __getattr__(self, name):
        try:
            return self.__dict__['settings'][name]
        except KeyError:
            raise AttributeError(name) from None

    def configure(self, **values):
        unknown = set(values) - set(SETTINGS)
        if unknown:
            raise ValueError(f'unknown settings: {", ".join(sorted(unknown))}')
        with self.lock:
            self.settings.update(values)

    def now(self):
        return time.time() + self.settings['clock_offset']

    def robot(self, name):
        with self.lock:
            return self.robots.get(name)

    def put_robot(self, name, **values):
        """Makes a robot or changes the given fields of one."""
        with self.lock:
            robot = self.robots.get(name) or Robot(name)
            for key, value in values.items():
                if key not in ('federation', 'repositories', 'static_token'):
                    raise ValueError(f'unknown in a robot: {key}')
                setattr(robot, key, value)
            self.robots[name] = robot
            return robot

    def write_audit(self, kind, **metadata):
        with self.lock:
            self.audit.append({'kind': kind, 'time': self.now(), **metadata})

    def count(self, kind):
        with self.lock:
            return sum(1 for row in self.audit if row['kind'] == kind)

    def robots_refused(self, name):
        return self.robots_disallow and name not in self.robots_exempt

    def describe(self):
        with self.lock:
            return {'settings': dict(self.settings), 'robots': [robot.describe() for robot in self.robots.values()],
                    'repositories': self.repositories, 'disabled_owners': sorted(self.disabled)}
