#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for pullauthd on the bus that shows whatever a test wants, and misbehaves on order.

Run as a program it owns org.pullauth1 and offers the interfaces of org.pullauth1(5), plus org.pullauth1.Mock at
/mock for the test. `MockDaemon` starts it on a bus and gives orders:

    mock.job('edge', State='fresh')          a job; properties not given have quiet values
    mock.manager(Version='9')                properties of the manager
    mock.on('RefreshJob', 'error', NAME, TEXT)   answers this method with an error
    mock.on('RefreshJob', 'hang')            never answers;  'die': ends instead of answering
    mock.then('edge', [{'AttemptsEnded': 1}, 'remove', 'die'])   what happens after a refresh, step by step
    mock.answer('TestJob', steps, failure)   what a method answers; one value for each of its results
    mock.emit('edge', 'Failed', 'timeout', 'exchange', 'why')    a signal of a job
    mock.calls()                             [(member, argument, may a password be asked for, may a daemon be started)]
"""

import fcntl
import json
import os
import subprocess
import sys

import dbus
import dbus.lowlevel
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

SLOW = float(os.environ.get('PULLAUTH_TEST_SLOW', '1'))
NAME, ROOT = 'org.pullauth1', '/org/pullauth1'
MANAGER, JOB, MOCK = NAME + '.Manager', NAME + '.Job', NAME + '.Mock'
PROPERTIES, OBJECTS = 'org.freedesktop.DBus.Properties', 'org.freedesktop.DBus.ObjectManager'

SIGNATURES = {
    MANAGER: {'Version': 's', 'Ready': 'b', 'ConfigurationMessages': 'a(suss)', 'NJobs': 'u', 'NFresh': 'u',
              'NRefreshing': 'u', 'NRetrying': 'u', 'NExpired': 'u', 'NFailed': 'u'},
    JOB: {'Name': 's', 'Registry': 's', 'Exchange': 's', 'Robot': 's', 'Identity': 's', 'Scopes': 'as', 'Targets': 'as',
          'ConfigurationFiles': 'as', 'ConfigurationMessages': 'a(suss)', 'State': 's', 'Reason': 's', 'Step': 's',
          'Message': 's', 'RegistryWords': 's', 'Hint': 's', 'HTTPStatus': 'u', 'Notices': 'as',
          'AttemptsStarted': 't', 'AttemptsEnded': 't', 'Refreshes': 't', 'FailuresInARow': 'u', 'LastAttempt': 't',
          'LastSuccess': 't', 'Issued': 't', 'Expires': 't', 'NextAttempt': 't', 'IdentityIssuer': 's',
          'IdentitySubject': 's', 'IdentityAudience': 'as', 'IdentityExpires': 't', 'TargetStates': 'a(ssss)',
          'ClockSkew': 'x', 'Enabled': 'b', 'Runtime': 'b', 'OnExpiry': 's', 'OnRemove': 's', 'MinimumRemaining': 't',
          'TakeOver': 'b', 'WakeSystem': 'b', 'IdentityAlgorithm': 's', 'IdentityKeyID': 's', 'IdentityIssued': 't',
          'Failures': 't', 'Units': 'as', 'PodRobots': 'as'},
}
# Methods of the manager that only answer what a test said: what they take, and what they answer.
METHODS = {
    'RefreshRegistry': ('s', 'a(st)'), 'CreateJob': ('sa{sv}t', 'o'), 'ChangeJob': ('sa{sv}t', ''),
    'EnableJob': ('st', ''), 'DisableJob': ('st', ''), 'RemoveJob': ('s', ''), 'ResetFailedJob': ('s', ''),
    'ResetFailed': ('', ''), 'WaitJobs': ('ast', 'a(sss)'), 'ExplainIdentity': ('s', 'a{sv}'),
    'TestJob': ('s', 'a(ssts)a{sv}'), 'RenderTarget': ('s', 's'), 'GetMetrics': ('', 's'),
    'GetCredential': ('s', 'ht'), 'GetCredentialForImage': ('s', 'ssht'),
    'GetCredentialForRegistry': ('s', 'ssht'), 'ListRegistries': ('', 'a(sss)'),
}
# Members of dictionaries in answers.
MEMBERS = {'Audience': 'as', 'Issued': 't', 'Expires': 't', 'HTTPStatus': 'u'}
SIGNALS = {'Refreshed': 't', 'Failed': 'sss', 'Expired': '', 'Withdrawn': 'as'}
# What a property that a test does not give is, where that is not nothing.
USUAL = {'Enabled': True, 'Exchange': 'quay', 'OnExpiry': 'withdraw', 'OnRemove': 'withdraw'}
QUIET = {'s': '', 'b': False, 'u': 0, 't': 0, 'x': 0}
TYPES = {'s': dbus.String, 'b': dbus.Boolean, 'u': dbus.UInt32, 't': dbus.UInt64, 'x': dbus.Int64}


def typed(signature, value):
    if signature in TYPES:
        return TYPES[signature](value)
    if signature == 'o':
        return dbus.ObjectPath(value)
    if signature == 'h':
        return sealed(value)
    if signature == 'a{sv}':
        return dbus.Dictionary({key: typed(MEMBERS.get(key, 's'), part) for key, part in value.items()},
                               signature='sv')
    item = signature[1:]
    if item.startswith('('):
        rows = [dbus.Struct([TYPES[kind](part) for kind, part in zip(item[1:-1], row)], signature=item[1:-1])
                for row in value]
        return dbus.Array(rows, signature=item)
    return dbus.Array([TYPES[item](part) for part in value], signature=item)


def sealed(text):
    """A memory file as the daemon makes it; `!` at the beginning: one that is not sealed."""
    fd = os.memfd_create('auth', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, text.lstrip('!').encode())
    if not text.startswith('!'):
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW |
                    fcntl.F_SEAL_WRITE)
    return dbus.types.UnixFd(fd)


def parts(signature):
    """One complete type after the other."""
    return list(dbus.Signature(signature))


def plain(value):
    if isinstance(value, dbus.Dictionary):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (dbus.Array, dbus.Struct)):
        return [plain(part) for part in value]
    if isinstance(value, dbus.Boolean):
        return bool(value)
    return int(value) if isinstance(value, int) else str(value)


def properties(interface, values):
    """Of the API's types; a value of the form {'signature': …, 'value': …} has that type instead."""
    found = {}
    for name, signature in SIGNATURES[interface].items():
        value = values.get(name, USUAL.get(name, QUIET.get(signature, [])))
        if isinstance(value, dict):
            found[name] = typed(value['signature'], value['value'])
        elif value is not None:  # None: the property does not exist
            found[name] = typed(signature, value)
    return dbus.Dictionary(found, signature='sv')


def job_path(name):
    coded = ''.join(c if c.isascii() and (c.isalpha() or (c.isdigit() and i)) else '_' + c.encode().hex()
                    for i, c in enumerate(name))
    return f'{ROOT}/job/{coded or "_"}'


class Object(dbus.service.Object):
    """Root, jobs and the orders are objects of this one class; what does not belong to one is not called on it."""

    def __init__(self, daemon, path, interface, values):
        super().__init__(daemon.bus, path)
        self.daemon, self.path, self.interface, self.values = daemon, path, interface, values

    @dbus.service.method(PROPERTIES, in_signature='s', out_signature='a{sv}', async_callbacks=('ok', 'fail'),
                         message_keyword='message')
    def GetAll(self, interface, ok, fail, message):
        self.daemon.answer('GetAll', interface, message, ok, fail, lambda: properties(self.interface, self.values))

    @dbus.service.signal(PROPERTIES, signature='sa{sv}as')
    def PropertiesChanged(self, interface, changed, invalidated):
        pass

    def change(self, values):
        self.values.update(values)
        changed = {name: value for name, value in properties(self.interface, self.values).items() if name in values}
        self.PropertiesChanged(self.interface, changed, dbus.Array([], signature='s'))


    @dbus.service.signal(JOB, signature='t')
    def Refreshed(self, expires):
        pass

    @dbus.service.signal(JOB, signature='sss')
    def Failed(self, reason, step, message):
        pass

    @dbus.service.signal(JOB)
    def Expired(self):
        pass

    @dbus.service.signal(JOB, signature='as')
    def Withdrawn(self, targets):
        pass


def relay(member, takes, answers):
    """A method that is noted and answered as a test said."""
    def answer(self, arguments, ok, fail, message):
        self.daemon.relay(member, answers, arguments, ok, fail, message)
    method = [lambda self, ok, fail, message: answer(self, [], ok, fail, message),
              lambda self, a, ok, fail, message: answer(self, [a], ok, fail, message),
              lambda self, a, b, ok, fail, message: answer(self, [a, b], ok, fail, message),
              lambda self, a, b, c, ok, fail, message: answer(self, [a, b, c], ok, fail, message)][len(parts(takes))]
    method.__name__ = member
    return dbus.service.method(MANAGER, in_signature=takes, out_signature=answers, async_callbacks=('ok', 'fail'),
                               message_keyword='message')(method)


class Root(Object):
    locals().update({member: relay(member, *signatures) for member, signatures in METHODS.items()})

    @dbus.service.method(OBJECTS, out_signature='a{oa{sa{sv}}}', async_callbacks=('ok', 'fail'),
                         message_keyword='message')
    def GetManagedObjects(self, ok, fail, message):
        self.daemon.answer('GetManagedObjects', '', message, ok, fail, self.daemon.managed)

    @dbus.service.method(MANAGER, in_signature='s', out_signature='t', async_callbacks=('ok', 'fail'),
                         message_keyword='message')
    def RefreshJob(self, name, ok, fail, message):
        self.daemon.answer('RefreshJob', name, message, ok, fail, lambda: self.daemon.refresh(name))

    @dbus.service.method(MANAGER, out_signature='a(st)', async_callbacks=('ok', 'fail'), message_keyword='message')
    def RefreshAll(self, ok, fail, message):
        self.daemon.answer('RefreshAll', '', message, ok, fail, self.daemon.refresh_all)

    @dbus.service.method(MANAGER, out_signature='a(suss)', async_callbacks=('ok', 'fail'), message_keyword='message')
    def Reload(self, ok, fail, message):
        self.daemon.answer('Reload', '', message, ok, fail, lambda: typed('a(suss)', self.daemon.reload_messages))

    @dbus.service.signal(MANAGER, signature='so')
    def JobAdded(self, name, job):
        pass

    @dbus.service.signal(MANAGER, signature='so')
    def JobRemoved(self, name, job):
        pass


class Orders(dbus.service.Object):
    def __init__(self, daemon):
        super().__init__(daemon.bus, '/mock')
        self.daemon = daemon

    @dbus.service.method(MOCK, in_signature='ss')
    def Job(self, name, values):
        self.daemon.set_job(str(name), json.loads(values))

    @dbus.service.method(MOCK, in_signature='s')
    def Manager(self, values):
        values = json.loads(values)
        self.daemon.reload_messages = values.pop('reload', self.daemon.reload_messages)
        self.daemon.root.values.update(values)

    @dbus.service.method(MOCK, in_signature='sas')
    def On(self, member, what):
        self.daemon.faults[str(member)] = [str(part) for part in what]

    @dbus.service.method(MOCK, in_signature='ss')
    def Then(self, name, steps):
        self.daemon.steps[str(name)] = json.loads(steps)

    @dbus.service.method(MOCK, in_signature='ss')
    def Answer(self, member, values):
        self.daemon.answers[str(member)] = json.loads(values)

    @dbus.service.method(MOCK, in_signature='sss')
    def Emit(self, name, member, values):
        values = [typed(kind, value) for kind, value in zip(parts(SIGNALS[str(member)]), json.loads(values))]
        getattr(self.daemon.jobs[str(name)], str(member))(*values)

    @dbus.service.method(MOCK, in_signature='s')
    def Remove(self, name):
        self.daemon.step(str(name), 'remove')

    @dbus.service.method(MOCK, out_signature='s')
    def Calls(self):
        return json.dumps(self.daemon.calls)


class Daemon:
    def __init__(self):
        dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
        self.bus = dbus.bus.BusConnection(os.environ['DBUS_SYSTEM_BUS_ADDRESS'])
        self.jobs, self.faults, self.steps, self.calls, self.reload_messages = {}, {}, {}, [], []
        self.answers = {}
        self.root = Root(self, ROOT, MANAGER, {'Version': '0.1.0', 'Ready': True})
        self.orders = Orders(self)
        self.name = dbus.service.BusName(NAME, self.bus, do_not_queue=True)

    def answer(self, member, argument, message, ok, fail, work):
        self.calls.append((member, str(argument), bool(message.get_allow_interactive_authorization()),
                           bool(message.get_auto_start())))
        kind, *rest = self.faults.get(member, ['ok'])
        if kind == 'die':
            os._exit(0)
        if kind == 'error':
            fail(dbus.DBusException(rest[1], name=rest[0]))
        elif kind == 'type':  # an answer that is not of the type that the interface promises
            self.bus.send_message(reply_of(message, rest[0]))
        elif kind == 'ok':
            try:
                ok(work())
            except dbus.DBusException as error:
                fail(error)

    def relay(self, member, signature, arguments, ok, fail, message):
        noted = plain(arguments[0]) if len(arguments) == 1 else json.dumps([plain(one) for one in arguments])

        def work():
            values = self.answers.get(member, ['/org/pullauth1/job/made'] if signature == 'o' else [])
            return [typed(kind, value) for kind, value in zip(parts(signature), values)]
        self.answer(member, noted, message, lambda values: ok(*values), fail, work)

    def managed(self):
        objects = {dbus.ObjectPath(job.path): dbus.Dictionary({JOB: properties(JOB, job.values)}, signature='sa{sv}')
                   for job in self.jobs.values()}
        return dbus.Dictionary(objects, signature='oa{sa{sv}}')

    def set_job(self, name, values):
        if name in self.jobs:
            self.jobs[name].change(values)
        else:
            self.jobs[name] = Object(self, job_path(name), JOB, {'Name': name, **values})
            self.root.JobAdded(name, dbus.ObjectPath(job_path(name)))

    def refresh(self, name):
        if name not in self.jobs:
            raise dbus.DBusException(f"There is no job '{name}'", name=NAME + '.Error.NoSuchJob')
        job = self.jobs[name]
        job.values['AttemptsStarted'] = job.values.get('AttemptsStarted', 0) + 1
        for step in self.steps.get(name, []):
            GLib.idle_add(self.step, name, step)
        return dbus.UInt64(job.values['AttemptsStarted'])

    def refresh_all(self):
        able = [name for name in sorted(self.jobs) if self.jobs[name].values.get('Step') != 'configuration']
        return dbus.Array([dbus.Struct([name, self.refresh(name)], signature='st') for name in able],
                          signature='(st)')

    def step(self, name, step):
        if step == 'die':
            os._exit(0)
        if step == 'remove':
            job = self.jobs.pop(name)
            job.remove_from_connection()
            self.root.JobRemoved(name, dbus.ObjectPath(job.path))
        else:
            self.jobs[name].change(step)
        return False


def reply_of(message, value):
    reply = dbus.lowlevel.MethodReturnMessage(message)
    reply.append(value)
    return reply


class MockDaemon:
    """The program, seen from a test."""

    def __init__(self, address):
        self.bus = dbus.bus.BusConnection(address)
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, env={**os.environ, 'DBUS_SYSTEM_BUS_ADDRESS': address})
        if self.process.stdout.readline() != b'here\n':
            raise RuntimeError('the mock did not start')

    def order(self, member, *arguments):
        proxy = self.bus.get_object(NAME, '/mock', introspect=False)
        return proxy.get_dbus_method(member, MOCK)(*arguments, timeout=60 * SLOW)

    def job(self, name, **values):
        self.order('Job', name, json.dumps(values))

    def manager(self, **values):
        self.order('Manager', json.dumps(values))

    def on(self, member, *what):
        self.order('On', member, dbus.Array(what, signature='s'))

    def then(self, name, steps):
        self.order('Then', name, json.dumps(steps))

    def answer(self, member, *values):
        self.order('Answer', member, json.dumps(values))

    def emit(self, name, member, *values):
        self.order('Emit', name, member, json.dumps(values))

    def remove(self, name):
        self.order('Remove', name)

    def calls(self):
        return [tuple(call) for call in json.loads(self.order('Calls'))]

    def close(self):
        self.bus.close()
        self.process.terminate()
        self.process.wait(20 * SLOW)
        self.process.stdout.close()


def main():
    loop = GLib.MainLoop()
    daemon = Daemon()
    print('here', flush=True)
    loop.run()
    del daemon


if __name__ == '__main__':
    main()
