# SPDX-License-Identifier: LGPL-2.1-or-later
"""No property changes in silence, and the object manager tells of whole objects.

A listener who asked once for all properties and applies each PropertiesChanged to what it knows must come to what
asking again returns, whatever happens to a job.
"""

import os
import xml.etree.ElementTree as ElementTree

from client import JOB, MANAGER, PROPERTIES, ROOT
from fakeworker import Later, failure
from rig import TOP

OBJECT_MANAGER = 'org.freedesktop.DBus.ObjectManager'
EDGE = f'{ROOT}/job/edge'


def golden(name):
    tree = ElementTree.parse(os.path.join(TOP, 'dbus', f'org.pullauth1.{name}.xml'))
    return {node.get('name') for node in tree.iter('property')}


class Listener:
    """What one knows of an object who asks once and then listens."""

    def __init__(self, client, path, interface):
        self.client, self.path, self.interface = client, path, interface
        self.seen = len(client.signals)
        self.known = self.ask()

    def ask(self):
        return self.client.call(PROPERTIES, 'GetAll', 's', self.interface, path=self.path)

    def listen(self):
        for path, _interface, member, arguments in self.client.signals[self.seen:]:
            if (path, member) == (self.path, 'PropertiesChanged') and arguments[0] == self.interface:
                assert arguments[2] == [], 'each change comes with its value'
                assert arguments[1].keys() <= self.known.keys()
                self.known.update(arguments[1])
        self.seen = len(self.client.signals)
        return self.known

    def unknown(self):
        asked, known = self.ask(), self.listen()
        return {key: (known[key], value) for key, value in asked.items() if known[key] != value}

    def check(self, after):
        """The answer may overtake what is told, and something else may happen meanwhile: in the end both agree."""
        try:
            self.client.wait(lambda: not self.unknown(), f'the news {after}')
        except AssertionError as error:
            raise AssertionError(f'{error}; told and so: {self.unknown()}') from None


def test_no_property_of_a_job_or_of_the_manager_changes_in_silence(edge):
    client, worker = edge.client, edge.worker
    listeners = [Listener(client, EDGE, JOB), Listener(client, ROOT, MANAGER)]

    def check(after):
        for listener in listeners:
            listener.check(after)

    for number, reason in enumerate(('robot-unknown', 'timeout'), 1):
        worker.answer = lambda request, reason=reason: failure(
            reason, HTTPStatus=400, Words='No.', Notices=['a notice'], Issuer='https://other', Skew=5, SkewKnown=True)
        client.call(MANAGER, 'ResetFailed')
        client.call(MANAGER, 'RefreshJob', 's', 'edge')
        client.wait_job('edge', Failures=lambda n, least=number: n >= least)
        check(f'of {reason}')
    held = Later()
    worker.answer = lambda request: held
    client.call(MANAGER, 'RefreshJob', 's', 'edge')
    client.wait_job('edge', State='refreshing')
    check('of an attempt that runs')
    worker.wait(held.asked.is_set, 'the question')
    held.send(worker.credential({'Robot': 'acme+edge'}, IdentityIssued=1700000000, Subject='other', KeyId='k2'))
    worker.answer = worker.credential
    client.wait_job('edge', State='fresh')
    check('of a success')
    edge.write('etc/containers/auth.json', '{')
    client.wait_job('edge', TargetStates=lambda rows: {row[2] for row in rows} != {'published'})
    check('of a target that somebody broke')
    edge.write('etc/containers/auth.json', '{}')
    client.wait_job('edge', TargetStates=lambda rows: {row[2] for row in rows} == {'published'})
    check('of a target that was mended')
    edge.job(more='Scopes=acme/app\nTargets=system\nMinimumRemaining=10min\nOnExpiry=retain\nOnRemove=retain\n'
             'TakeOver=yes\nWakeSystem=yes\nUnits=app.service\nPodRobots=acme+*\nFrob=1\n')
    edge.reload()
    client.wait_job('edge', WakeSystem=True, State='fresh')
    check('of other settings')
    edge.job(robot='acme+else', more='Enabled=no\n')
    edge.reload()
    client.wait_job('edge', Enabled=False, State='inactive')
    check('of a job that is off')
    edge.job(more='Identity=missing\n')
    edge.reload()
    client.wait_job('edge', State='failed')
    check('of a job that cannot work')
    edge.write('etc/pullauth/jobs/broken.job', 'x')
    edge.write('etc/pullauth/wrong', 'x')
    edge.job()
    edge.reload()
    client.wait_job('edge', State='fresh')
    check('of a job that works again')


def test_no_property_changes_in_silence_at_the_end_of_a_credential(host):
    host.standard()
    host.worker.lifetime = 4
    host.start()
    host.client.wait_job('edge', State='fresh')
    listener = Listener(host.client, EDGE, JOB)
    host.worker.answer = lambda request: failure('robot-unknown')
    host.client.wait_job('edge', TargetStates=lambda rows: {row[2] for row in rows} == {'withdrawn'})
    listener.check('of the end')


def test_objects_come_whole_and_go(edge):
    client = edge.client
    client.signals.clear()
    edge.job('new', registry='new.example.com')
    edge.reload()
    added = client.wait(lambda: [s for s in client.signals if s[2] == 'InterfacesAdded'], 'the new object')
    path, interfaces = added[0][3]
    assert (added[0][0], added[0][1], path) == (ROOT, OBJECT_MANAGER, f'{ROOT}/job/new')
    assert interfaces[JOB].keys() == golden('Job')
    assert interfaces[JOB]['Registry'] == 'new.example.com'
    members = [s[2] for s in client.signals if path in (s[0], *s[3])]
    assert members.index('InterfacesAdded') == 0, 'nothing is told of what nobody knows yet'
    objects = client.call(OBJECT_MANAGER, 'GetManagedObjects')
    assert objects.keys() == {EDGE, path}
    assert all(found[JOB].keys() == golden('Job') for found in objects.values())
    os.unlink(edge.path('etc/pullauth/jobs/new.job'))
    edge.reload()
    removed = client.wait(lambda: [s for s in client.signals if s[2] == 'InterfacesRemoved'], 'the end of the object')
    assert removed[0][3][0] == path and JOB in removed[0][3][1] and len(removed) == 1
    assert set(removed[0][3][1]) == set(added[0][3][1]), 'what came goes'
    assert client.call(OBJECT_MANAGER, 'GetManagedObjects').keys() == {EDGE}
