# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for the API of a cluster about Secrets, as strict as the documented one: versions, preconditions, the
managers of fields and their conflicts in a server-side apply, rights verb by verb, and what a Secret for pulling must
hold.

Fields are paths such as ('data', '.dockerconfigjson'); each remembers who set it last, which is all of managedFields
that an apply asks for.
"""

import base64
import json
import re
import threading
import urllib.parse
import uuid

from quaysim.answers import to_json
from service import Service, json_of

ASKER = 'the-token-of-a-service-account-that-may-write-secrets'
TYPE, KEY = 'kubernetes.io/dockerconfigjson', '.dockerconfigjson'
ALL = ('get', 'create', 'patch', 'delete')


class Refusal(Exception):
    def __init__(self, code, reason, message, **details):
        super().__init__(message)
        self.body = {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Failure', 'message': message,
                     'reason': reason, 'details': details, 'code': code}

    def answer(self):
        return to_json(self.body['code'], self.body)


def leaves(found):
    """What an apply can own, and its values."""
    metadata = found.get('metadata', {})
    return {('type',): found.get('type'),
            **{('metadata', part, key): value for part in ('labels', 'annotations')
               for key, value in metadata.get(part, {}).items()},
            **{('data', key): value for key, value in found.get('data', {}).items()}}


class Stored:
    """One Secret."""

    def __init__(self, name, namespace):
        self.metadata = {'name': name, 'namespace': namespace, 'uid': str(uuid.uuid4())}
        self.fields, self.managers = {}, {}
        self.immutable = False

    def set(self, fields, manager):
        for path, value in fields.items():
            if self.fields.get(path) != value or path not in self.managers:
                self.managers[path] = manager
            self.fields[path] = value

    def drop(self, path):
        self.fields.pop(path, None)
        self.managers.pop(path, None)

    def part(self, *path):
        return {full[-1]: value for full, value in self.fields.items() if full[:-1] == path}

    def shown(self):
        managers = sorted(set(self.managers.values()))
        return {'kind': 'Secret', 'apiVersion': 'v1', 'type': self.fields[('type',)], 'data': self.part('data'),
                'metadata': {**self.metadata, 'labels': self.part('metadata', 'labels'),
                             'annotations': self.part('metadata', 'annotations'),
                             'managedFields': [{'manager': manager} for manager in managers]}}

    @property
    def auths(self):
        return json.loads(base64.b64decode(self.fields[('data', KEY)]))['auths']


class Cluster(Service):
    def __init__(self, rig, client_ca=None, namespaces=('edge', 'default')):
        super().__init__(rig, client_ca)
        self.namespaces, self.rights, self.token = set(namespaces), set(ALL), ASKER
        self.secrets, self.version, self.lock = {}, 100, threading.Lock()
        self.before = lambda request: None  # by others, in between

    # As people and other programs would

    def put(self, name, fields, manager='kubectl-create', namespace='edge'):
        """Makes a Secret, or sets `fields` of one."""
        stored = self.secrets.setdefault((namespace, name), Stored(name, namespace))
        stored.set({('type',): TYPE, **fields} if not stored.fields else fields, manager)
        self.touch(stored)
        return stored

    def put_auths(self, name, auths, **parameters):
        text = json.dumps({'auths': {key: {'auth': value} for key, value in auths.items()}}, indent=1)
        return self.put(name, {('data', KEY): base64.b64encode(text.encode()).decode()}, **parameters)

    def find(self, name, namespace='edge'):
        return self.secrets.get((namespace, name))

    def writes(self):
        return [request.method for request in self.asked if request.method != 'GET']

    # The API

    def touch(self, stored):
        self.version += 1
        stored.metadata['resourceVersion'] = str(self.version)

    def decide(self, request):
        with self.lock:
            self.before(request)
            try:
                return to_json(*self.serve(request))
            except Refusal as refusal:
                return refusal.answer()

    def serve(self, request):
        if request.header('Authorization') != (None if self.listener.certificates.by_certificate
                                               else f'Bearer {self.token}'):
            raise Refusal(401, 'Unauthorized', 'Unauthorized')
        target = urllib.parse.urlsplit(request.target)
        found = re.fullmatch('/api/v1/namespaces/([a-z0-9-]+)/secrets/([a-z0-9.-]+)', target.path)
        if not found:
            raise Refusal(404, 'NotFound', 'the server could not find the requested resource')
        where = found[1], found[2]
        query = dict(urllib.parse.parse_qsl(target.query, strict_parsing=bool(target.query)))
        if request.method == 'GET':
            return 200, self.get(where, query)
        if request.method == 'DELETE':
            return 200, self.delete(where, query, request)
        if request.method != 'PATCH':
            raise Refusal(405, 'MethodNotAllowed', 'the server does not allow this method')
        if request.header('Content-Type') == 'application/apply-patch+yaml':
            return self.apply(where, query, json_of(request))
        if request.header('Content-Type') == 'application/merge-patch+json':
            return 200, self.merge(where, query, json_of(request))
        raise Refusal(415, 'UnsupportedMediaType', 'the body of the request was in an unknown format')

    def allow(self, verb, where):
        if verb not in self.rights:
            raise Refusal(403, 'Forbidden', f'secrets "{where[1]}" is forbidden: User "edge-1" cannot {verb} resource '
                          f'"secrets" in API group "" in the namespace "{where[0]}"', name=where[1], kind='secrets')

    def get(self, where, query):
        assert not query
        self.allow('get', where)
        return self.existing(where).shown()

    def existing(self, where):
        if where not in self.secrets:
            raise Refusal(404, 'NotFound', f'secrets "{where[1]}" not found', name=where[1], kind='secrets')
        return self.secrets[where]

    @staticmethod
    def check_version(stored, said):
        """Of an object that is not there, nothing can be said."""
        for key in ('uid', 'resourceVersion'):
            if key in said and (stored is None or stored.metadata[key] != said[key]):
                raise Refusal(409, 'Conflict', 'Operation cannot be fulfilled: the object has been modified; please '
                              'apply your changes to the latest version and try again', kind='secrets')

    @staticmethod
    def check_content(fields):
        try:
            held = json.loads(base64.b64decode(fields[('data', KEY)], validate=True))
        except (KeyError, ValueError) as error:
            raise Refusal(422, 'Invalid', f'data[{KEY}]: Invalid value: "<secret contents redacted>"') from error
        if not isinstance(held.get('auths'), dict):
            raise Refusal(422, 'Invalid', f'data[{KEY}]: Invalid value: no auths')
        for part, limit in (('labels', 63), ('annotations', 1 << 18)):
            for path, value in fields.items():
                if path[:2] == ('metadata', part) and (len(value) > limit or not re.fullmatch(
                        r'([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?', path[2])):
                    raise Refusal(422, 'Invalid', f'metadata.{part}: Invalid value')

    def manager(self, query, *more):
        if set(query) != {'fieldManager', *more} or query['fieldManager'] != 'pullauthd':
            self.complain(f'another query: {query}')
        return query['fieldManager']

    def apply(self, where, query, wanted):
        manager, force = self.manager(query, 'force'), query.get('force') == 'true'
        metadata = wanted.get('metadata', {})
        if (wanted.get('apiVersion'), wanted.get('kind'), metadata.get('namespace'), metadata.get('name')) != \
                ('v1', 'Secret', *where):
            raise Refusal(400, 'BadRequest', 'the object does not match what the URL says')
        if set(wanted) != {'apiVersion', 'kind', 'metadata', 'type', 'data'}:
            self.complain(f'more or less than expected: {sorted(wanted)}')
        self.allow('patch', where)
        if where[0] not in self.namespaces:
            raise Refusal(404, 'NotFound', f'namespaces "{where[0]}" not found', name=where[0], kind='namespaces')
        stored, fields = self.secrets.get(where), leaves(wanted)
        self.check_version(stored, metadata)
        made = stored is None
        if made:
            self.allow('create', where)
            stored = Stored(where[1], where[0])
        self.check_conflicts(stored, fields, manager, force)
        self.change(stored, fields, manager)
        for path in [path for path, owner in stored.managers.items() if owner == manager and path not in fields]:
            stored.drop(path)
        self.secrets[where] = stored
        return 201 if made else 200, stored.shown()

    @staticmethod
    def check_conflicts(stored, fields, manager, force):
        others = [f'conflict with "{stored.managers[path]}": .{".".join(path)}' for path, value in fields.items()
                  if stored.managers.get(path, manager) != manager and stored.fields[path] != value]
        if others and not force:
            raise Refusal(409, 'Conflict', f'Apply failed with {len(others)} conflict: {others[0]}', causes=others)

    def change(self, stored, fields, manager):
        if stored.fields and ('type',) in fields and stored.fields[('type',)] != fields[('type',)]:
            raise Refusal(422, 'Invalid', 'type: Invalid value: field is immutable')
        if stored.immutable and stored.fields.get(('data', KEY)) != fields.get(('data', KEY)):
            raise Refusal(422, 'Invalid', 'data: Forbidden: field is immutable when `immutable` is set')
        if fields.get(('type',), stored.fields.get(('type',))) == TYPE:
            self.check_content({**stored.fields, **fields})
        before = dict(stored.fields)
        stored.set(fields, manager)
        if stored.fields != before:
            self.touch(stored)

    def merge(self, where, query, patch):
        manager = self.manager(query)
        self.allow('patch', where)
        stored = self.existing(where)
        if set(patch) != {'metadata', 'data'} or set(patch['metadata']) != {'uid', 'resourceVersion'}:
            self.complain(f'another patch: {patch.keys()}')
        self.check_version(stored, patch['metadata'])
        self.change(stored, {('data', key): value for key, value in patch['data'].items()}, manager)
        return stored.shown()

    def delete(self, where, query, request):
        options = json_of(request)
        if query or request.header('Content-Type') != 'application/json' or \
                set(options) != {'apiVersion', 'kind', 'preconditions'} or options['kind'] != 'DeleteOptions' or \
                set(options['preconditions']) != {'uid', 'resourceVersion'}:
            self.complain(f'other options: {options.keys()}')
        self.allow('delete', where)
        stored = self.existing(where)
        self.check_version(stored, options['preconditions'])
        del self.secrets[where]
        return {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Success',
                'details': {'name': where[1], 'kind': 'secrets', 'uid': stored.metadata['uid']}}
