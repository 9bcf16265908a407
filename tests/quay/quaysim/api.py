# SPDX-License-Identifier: LGPL-2.1-or-later
"""The small part of Quay's REST API by which an administrator federates a robot. It loses `audiences`, as the real
one does; the control API of the rig does not."""

import json
import re

from quaysim.answers import Answer, not_found, to_json, wrong_method

PATH = re.compile(r'/api/v1/(?:organization/(?P<org>[^/]+)|user)/robots/(?P<short>[^/]+)(?P<rest>/federation)?')


def refused(text):
    return to_json(400, {'detail': text, 'error_message': text, 'error_type': 'invalid_request', 'status': 400,
                         'title': 'invalid_request', 'type': 'about:blank'})


class Api:
    def __init__(self, state, token, user='admin'):
        self.state = state
        self.token = token  # an OAuth token with the scope org:admin
        self.user = user

    def decide(self, request):
        found = PATH.fullmatch(request.path)
        if found is None:
            return not_found()
        if request.header('Authorization') != f'Bearer {self.token}':
            return to_json(403, {'error_message': 'Unauthorized', 'status': 403})
        name = f'{found.group("org") or self.user}+{found.group("short")}'
        if found.group('rest'):
            return self.federation(request, name)
        if request.method == 'PUT':
            robot = self.state.put_robot(name)
            return to_json(201, {'name': name, 'token': robot.static_token})
        return wrong_method('PUT')

    def federation(self, request, name):
        robot = self.state.robot(name)
        if robot is None:
            return refused('Could not find robot with specified username')
        if request.method == 'GET':
            return to_json(200, robot.federation)
        if request.method == 'DELETE':
            self.state.put_robot(name, federation=[])
            return Answer(204, '', None)
        if request.method != 'POST':
            return wrong_method('GET, POST, DELETE')
        try:
            entries = self.parsed(json.loads(request.body))
        except ValueError as error:
            return refused(str(error))
        self.state.put_robot(name, federation=entries)
        return to_json(200, entries)

    @staticmethod
    def parsed(items):
        entries = []
        for item in items:
            if not item or not item.get('issuer') or not item.get('subject'):
                raise ValueError('Missing one or more required fields (issuer, subject)')
            if not item['issuer'].startswith(('http://', 'https://')):
                raise ValueError('Issuer must be a URL (http:// or https://)')
            entry = {'issuer': item['issuer'], 'subject': item['subject']}
            if entry in entries:
                raise ValueError('Duplicate federation config entry')
            entries.append(entry)
        return entries
