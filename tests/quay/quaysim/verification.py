# SPDX-License-Identifier: LGPL-2.1-or-later
"""How Quay decides whether an identity JWT may become a robot token: real signatures, real requests to the issuer.

The order of the checks and the texts are part of what is imitated, including what ends as an HTML 500 (any
exception but Refusal) or as a dropped connection.
"""

import http.client
import json
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request

import jwt
from jwt.algorithms import RSAAlgorithm
from jwt.api_jws import PyJWS

from quaysim.answers import Dropped, GatewayTimeout, model_error

ALGORITHMS = ['RS256', 'RS384']
LEEWAY = 30


class InvalidToken(Exception):
    """The JWT was understood and is not acceptable; the text goes to the client."""


class NotServed(Exception):
    """Discovery or key set did not come as they should; ends as 500."""


def unverified(token):
    """Header and payload. What is no JWT raises an exception that nobody catches."""
    parts = jwt.PyJWT().decode_complete(token, options={'verify_signature': False})
    return parts['header'], parts['payload']


class IssuerClient:
    """Quay's requests to an issuer: a new connection for each, nothing remembered."""

    def __init__(self, state, context):
        self.state = state
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                                  urllib.request.HTTPSHandler(context=context))

    def get(self, url, timeout):
        request = urllib.request.Request(url, headers={'User-Agent': 'quaysim'})
        with self.opener.open(request, timeout=timeout) as answer:
            return answer.status, answer.read()

    def discovery(self, issuer):
        if not issuer.startswith('https://'):
            raise NotServed('https only')
        try:
            _, body = self.get(issuer.rstrip('/') + '/.well-known/openid-configuration', self.state.discovery_timeout)
        except urllib.error.HTTPError as error:
            raise NotServed(str(error)) from error
        except (urllib.error.URLError, http.client.HTTPException, ssl.SSLError, OSError) as error:
            raise Dropped(str(error)) from error
        return json.loads(body)

    def public_key(self, url, kid):
        timeout = self.state.gateway_timeout if self.state.front_end else None
        try:
            status, body = self.get(url, timeout)
        except socket.timeout as error:
            raise GatewayTimeout from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, socket.timeout):
                raise GatewayTimeout from error
            raise NotServed(str(error)) from error
        if status != 200:
            raise NotServed(f'key set answered {status}')
        found = [jwk for jwk in json.loads(body)['keys'] if jwk.get('kid') == kid]
        if not found or found[0]['kty'] != 'RSA':
            raise NotServed('no such key, or no RSA form of it')
        return RSAAlgorithm.from_jwk(json.dumps(found[0]))


def check_claims(claims, audiences, now):
    """The registered claims, in the order of the JWT library, with its texts."""
    for name in ('iat', 'exp'):
        if claims.get(name) is None:
            raise InvalidToken(f'Token is missing the "{name}" claim')
    try:
        issued = int(claims['iat'])
    except ValueError:
        raise InvalidToken('Issued At claim (iat) must be an integer.') from None
    if issued > now + LEEWAY:
        raise InvalidToken('Issued At claim (iat) cannot be in the future.')
    try:
        expires = int(claims['exp'])
    except ValueError:
        raise InvalidToken('Expiration Time claim (exp) must be an integer.') from None
    if expires <= now - LEEWAY:
        raise InvalidToken('Signature has expired')
    if audiences:
        check_audience(claims, audiences)
    if 'sub' in claims and not isinstance(claims['sub'], str):
        raise InvalidToken('Subject must be a string')


def check_audience(claims, audiences):
    if not claims.get('aud'):
        raise InvalidToken('Token is missing the "aud" claim')
    has = claims['aud'] if isinstance(claims['aud'], list) else [claims['aud']]
    if not all(isinstance(one, str) for one in has):
        raise InvalidToken('Invalid claim format in token')
    if not set(has) & set(audiences):
        raise InvalidToken("Audience doesn't match")


def check_token(token, key, audiences, now):
    try:
        payload = PyJWS().decode_complete(token, key, algorithms=ALGORITHMS)['payload']
    except jwt.InvalidTokenError as error:
        raise InvalidToken(str(error)) from error
    claims = json.loads(payload)
    check_claims(claims, audiences, now)
    return claims


def verified_claims(state, client, token, audiences):
    header, payload = unverified(token)
    if header.get('kid') is None:
        raise InvalidToken('Missing `kid` header')
    issuer = payload['iss']
    document = client.discovery(issuer)
    issuers = [document.get('issuer', issuer)]
    if issuer.rstrip('/') not in [one.rstrip('/') for one in issuers]:
        raise InvalidToken(f"Issuer '{issuer}' not in configured issuers: {issuers}")
    try:
        return check_token(token, client.public_key(document['jwks_uri'], header['kid']), audiences, state.now())
    except InvalidToken:
        # The key might have been an old one: once more with what the issuer publishes by now.
        return check_token(token, client.public_key(document['jwks_uri'], header['kid']), audiences, state.now())


def verify_identity(state, client, robot, token):
    """Returns the claims of a JWT that may act as this robot; raises Refusal or worse."""
    _, payload = unverified(token)
    issuer = payload.get('iss')
    if not issuer:
        raise model_error('Token does not contain issuer')
    if not robot.federation:
        raise model_error('Robot does not have federated login configured')
    entries = [entry for entry in robot.federation if entry.get('issuer') == issuer]
    if not entries:
        raise model_error(f'issuer {issuer} not configured for this robot')
    audiences = [entry['audiences'] for entry in entries if entry.get('audiences')]
    try:
        claims = verified_claims(state, client, token, audiences[-1] if audiences else None)
    except InvalidToken as error:
        raise model_error(f'Invalid token: {error}') from error
    if claims.get('sub') not in [entry.get('subject') for entry in entries]:
        raise model_error('Token does not match robot')
    return claims
