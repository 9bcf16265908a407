# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parts of Quay that a client of robot federation meets: the exchange, /v2/, /v2/auth and, through a real
registry where there is one, everything else below /v2. Texts and status codes are Quay's, oddities included."""

import base64
import binascii
import hmac
import re
import time

import jwt

from quaysim import answers, verification
from quaysim.answers import Answer, Dropped, GatewayTimeout, Refusal, header_error, model_error, registry_error, to_json
from quaysim.tokens import Unacceptable

EXCHANGE = '/oauth2/federation/robot/token'
NO_CACHE = [('Cache-Control', 'no-cache, no-store, must-revalidate')]
READING = ('GET', 'HEAD')
UNKNOWN_ROBOT = 'Could not find robot with specified username'
UNAUTHORIZED = 'access to the requested resource is not authorized'


def basic_credentials(header):
    """(user, password), or the text of what is wrong with the header."""
    parts = [part.strip() for part in header.split(' ') if part]
    if len(parts) != 2 or parts[0].lower() != 'basic':
        return None, 'Invalid basic auth header'
    try:
        found = [part.decode() for part in base64.b64decode(parts[1]).split(b':', 1)]
    except (binascii.Error, ValueError):
        return None, 'Could not parse basic auth header'
    if len(found) != 2:
        return None, 'Unexpected number of credentials found in basic auth header'
    return found, None


def looks_like_jwt(password):
    try:
        return jwt.get_unverified_header(password).get('typ', '').lower() == 'jwt'
    except jwt.InvalidTokenError:
        return False


class Quay:
    def __init__(self, listener, state, signer, issuer_client, api):
        self.listener, self.state, self.signer = listener, state, signer
        self.issuer_client = issuer_client
        self.api = api
        self.backend = None  # quaysim.registry.Backend
        listener.decide = self.decide

    def decide(self, request):
        try:
            return self.route(request)
        except Dropped:
            if self.state.front_end:
                return answers.gateway_error(502)
            raise
        except GatewayTimeout:
            return answers.gateway_error(504)

    def route(self, request):
        if request.path == EXCHANGE and self.state.federation:
            if request.method == 'OPTIONS':
                return Answer(200, '', 'text/html; charset=utf-8', [('Allow', 'HEAD, OPTIONS, GET')])
            return self.exchange(request) if request.method in READING else answers.wrong_method()
        if request.path == '/v2/auth':
            return self.authorize(request) if request.method in READING else answers.wrong_method()
        if request.path in ('/v2', '/v2/'):
            return self.version_check(request) if request.method in READING else answers.wrong_method()
        if request.path.startswith('/v2/'):
            return self.backend.forward(request) if self.backend else self.no_repository(request)
        if request.path.startswith('/api/v1/'):
            return self.api.decide(request)
        return answers.not_found()

    # The exchange

    def exchange(self, request):
        header = (request.header('Authorization') or '').strip()
        if not header:
            raise header_error('No auth header')
        credentials, trouble = basic_credentials(header)
        if trouble:
            raise header_error(trouble)
        name, token = credentials
        if '+' not in name:
            raise header_error('Invalid robot')
        robot = self.state.robot(name)
        if robot is None:
            raise model_error(UNKNOWN_ROBOT)
        claims = verification.verify_identity(self.state, self.issuer_client, robot, token)
        if self.state.read_only:  # noticed when the audit row cannot be written
            return answers.read_only()
        self.state.write_audit('federated_robot_token_exchange', robot=name, issuer=claims['iss'],
                               subject=claims['sub'])
        return to_json(200, {'token': self.signer.robot_token(name)})

    # The token endpoint of the registry

    def challenge(self, scope=None):
        host = self.state.server_hostname or self.listener.address
        value = f'Bearer realm="https://{host}/v2/auth",service="{host}"'
        if scope:
            value += f',scope="{scope}"'
        return [('WWW-Authenticate', value), ('Docker-Distribution-API-Version', 'registry/2.0')]

    def unauthorized(self, message, scope=None):
        return Refusal(registry_error(401, 'UNAUTHORIZED', message, self.challenge(scope)))

    def robot_of(self, name, password):
        """Who these credentials are, or why not. A bad JWT of Quay's own kind ends as a 500, as it does there."""
        if '+' not in name:
            raise self.unauthorized('Invalid Username or Password')
        if self.state.robots_refused(name):
            raise self.unauthorized('Robot account have been disabled. Please contact your administrator.')
        robot = self.state.robot(name)
        if robot is None:
            raise self.unauthorized(UNKNOWN_ROBOT)
        if looks_like_jwt(password):
            claims = self.signer.verified(password, self.state.now)
            if claims['sub'] != name:
                raise self.unauthorized('Token does not match robot')
        elif not hmac.compare_digest(password.encode(), robot.static_token.encode()):
            raise self.unauthorized(f'Could not find robot with username: {name} and supplied password.')
        if robot.owner in self.state.disabled:
            raise self.unauthorized(f'Robot {name} owner {robot.owner} is disabled')
        return robot

    def authorize(self, request):
        header = (request.header('Authorization') or '').strip()
        robot = None
        if header:
            credentials, trouble = basic_credentials(header)
            if trouble:
                raise self.unauthorized('Specified credentials are invalid')
            robot = self.robot_of(*credentials)
        scopes = [value for name, value in request.query if name == 'scope']
        if robot is None and not any(scopes):
            raise self.unauthorized(UNAUTHORIZED)
        access = [self.grant(scope, robot) for scope in scopes if scope]
        if robot is not None and not scopes:
            self.state.write_audit('login_success', robot=robot.name, type='v2auth',
                                   useragent=request.header('User-Agent'))
        token = self.signer.bearer_token(robot and robot.name, request.parameter('service'), access)
        answer = to_json(200, {'token': token})
        answer.headers += NO_CACHE
        return answer

    def grant(self, scope, robot):
        host = re.escape(self.signer.audience())
        found = re.fullmatch(rf'repository:((?:{host}/)?((?:[.a-zA-Z0-9_-]+/)*[.a-zA-Z0-9_-]+)):'
                             r'((?:push|pull|\*)(?:,(?:push|pull|\*))*)', scope)
        if found is None:
            raise Refusal(registry_error(400, 'INVALID_REQUEST',
                                         f'Unable to decode repository and actions: {scope}'))
        full, repository, wanted = found.groups()
        owner = repository.split('/')[0]
        if owner in self.state.disabled:
            raise Refusal(registry_error(405, 'DENIED', f'Namespace {owner} has been disabled. Please contact a '
                                                        'system administrator.'))
        known = self.state.repositories.get(repository)
        may = known is not None and (known.get('public') or (robot is not None and robot.may_pull(repository)))
        return {'type': 'repository', 'name': full,
                'actions': ['pull'] if may and 'pull' in wanted.split(',') else []}

    # The registry

    def bearer_claims(self, request):
        """Claims of a good bearer token, None without one."""
        header = (request.header('Authorization') or '').strip()
        if not header:
            return None
        found = re.fullmatch(r'Bearer ((?:[a-zA-Z0-9+\-_/]+\.)+[a-zA-Z0-9+\-_/]+)', header)
        try:
            if found is None:
                raise Unacceptable('Invalid bearer token format')
            return self.signer.verified(found.group(1), time.time)
        except Unacceptable as error:
            raise self.unauthorized(str(error)) from error

    def version_check(self, request):
        claims = self.bearer_claims(request)
        return Answer(200 if claims else 401, 'true', 'text/html; charset=utf-8', self.challenge())

    def no_repository(self, request):
        """What is left of the registry when no real one stands behind: who may look, sees that there is nothing."""
        found = re.fullmatch(r'/v2/(.+)/(?:manifests|blobs|tags)/[^/]+', request.path)
        if found is None:
            return answers.not_found()
        claims = self.bearer_claims(request)
        may = claims and any(grant['name'] == found.group(1) and 'pull' in grant['actions']
                             for grant in claims['access'])
        if not may:
            raise self.unauthorized(UNAUTHORIZED, f'repository:{found.group(1)}:pull')
        return registry_error(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
