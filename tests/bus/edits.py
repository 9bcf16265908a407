# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of methods that change jobs have in common: calls, and the files that they come to."""

import os

from client import GLib

MANAGER = 'org.pullauth1.Manager'
ERROR = 'org.pullauth1.Error.'
RUNTIME = 1
TYPES = {'Registry': 's', 'Robot': 's', 'Identity': 's', 'Scopes': 'as', 'Targets': 'as', 'MinimumRemaining': 't',
         'OnExpiry': 's', 'OnRemove': 's', 'TakeOver': 'b', 'WakeSystem': 'b'}
NEW = {'Registry': 'quay.example.com', 'Robot': 'acme+new', 'Scopes': ['acme/new']}
ETC, RUN, USR = 'etc/pullauth/jobs', 'run/pullauth/jobs', 'usr/lib/pullauth/jobs'


def variants(settings):
    return {key: GLib.Variant(TYPES[key], value) for key, value in settings.items()}


def create(host, name='new', flags=0, **settings):
    return called(host, 'CreateJob', 'sa{sv}t', name, variants({**NEW, **settings}), flags)


def change(host, name='edge', flags=0, **settings):
    return called(host, 'ChangeJob', 'sa{sv}t', name, variants(settings), flags)


def called(host, method, signature=None, *arguments):
    return host.client.call(MANAGER, method, signature, *arguments)


def error(host, method, signature=None, *arguments):
    name, text = host.client.error_of(MANAGER, method, signature, *arguments)
    return name.replace(ERROR, ''), text


def refused(host, method, *arguments):
    """Error and text of a call that changes nothing, neither on disk nor in the daemon."""
    def state():
        jobs = {name: host.client.job(name) for name in host.client.jobs()}
        return tree(host), {name: {key: job[key] for key in (*TYPES, 'Enabled', 'ConfigurationFiles')}
                            for name, job in jobs.items()}
    before = state()
    answer = error(host, method, *arguments)
    assert state() == before
    return answer


def refused_create(host, name='new', flags=0, **settings):
    return refused(host, 'CreateJob', 'sa{sv}t', name, variants({**NEW, **settings}), flags)


def refused_change(host, name='edge', flags=0, **settings):
    return refused(host, 'ChangeJob', 'sa{sv}t', name, variants(settings), flags)


def tree(host):
    """path → content, mode or what a link names, of all files that jobs are read from."""
    found = {}
    for top in (ETC, RUN, USR):
        for base, names, files in os.walk(host.path(top)):
            for name in names + files:
                path = os.path.join(base, name)
                short = os.path.relpath(path, host.root)
                found[short] = os.readlink(path) if os.path.islink(path) else \
                    host.read(short).decode() if os.path.isfile(path) else None
    return found


def files(host):
    return sorted(path for path, content in tree(host).items() if content is not None)


def lines(text):
    return [line for line in text.splitlines() if not line.startswith('#')]
