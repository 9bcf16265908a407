# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Quay signs with its instance key: robot tokens, and bearer tokens for the registry itself."""

import time

import jwt

from quaysim import keys

ISSUER = 'quay'
ANONYMOUS = '(anonymous)'
LEEWAY = 30
MAX_FRESH = 3660        # a token that lives longer than this is refused
BEARER_LIFETIME = 3600
NO_TUF = '$disabled'


class Unacceptable(Exception):
    """A token that claims to be Quay's and is not good. Nobody catches it at /v2/auth, so it ends as a 500."""


def context_of(robot_name, roots):
    context = {'com.apostille.roots': roots, 'com.apostille.root': NO_TUF}
    if robot_name:
        context.update(version=2, entity_kind='robot', entity_reference=robot_name, kind='user', user=robot_name)
    return context


class Signer:
    def __init__(self, state, hostname):
        self.state = state
        self.hostname = hostname
        self.key = keys.SigningKey('rsa')

    def audience(self):
        return self.state.server_hostname or self.hostname

    def sign(self, claims):
        return keys.compact({'alg': 'RS256', 'kid': self.key.kid, 'typ': 'JWT'}, claims, self.key.private, 'RS256')

    def robot_token(self, robot, lifetime=None, offset=0, audience=None):
        """`offset` moves the time of issue, so that expired tokens need no waiting."""
        now = int(self.state.now() + offset)
        lifetime = self.state.token_lifetime if lifetime is None else lifetime
        return self.sign({'iss': ISSUER, 'aud': audience or self.audience(), 'nbf': now, 'iat': now,
                          'exp': now + lifetime, 'sub': robot, 'access': {}, 'context': context_of(robot, {})})

    def bearer_token(self, robot_name, audience, access):
        """For the registry, whose clock is this machine's, whatever Quay's is set to."""
        now = int(time.time())
        roots = {grant['name']: NO_TUF for grant in access}
        return self.sign({'iss': ISSUER, 'aud': audience, 'nbf': now, 'iat': now, 'exp': now + BEARER_LIFETIME,
                          'sub': robot_name or ANONYMOUS, 'access': access, 'context': context_of(robot_name, roots)})

    def verified(self, token, clock):
        """The claims of a token of ours, or Unacceptable."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get('kid') != self.key.kid:
                raise Unacceptable('unknown service key')
            claims = jwt.decode(token, self.key.private.public_key(), algorithms=['RS256'],
                                options={'verify_exp': False, 'verify_nbf': False, 'verify_iat': False,
                                         'require': ['nbf', 'iat', 'exp', 'sub']},
                                audience=self.audience(), issuer=ISSUER)
        except jwt.InvalidTokenError as error:
            raise Unacceptable(str(error)) from error
        now = clock()
        if claims['exp'] <= now - LEEWAY or max(claims['nbf'], claims['iat']) > now + LEEWAY:
            raise Unacceptable('expired or not yet valid')
        if claims['exp'] - claims['iat'] > max(MAX_FRESH, self.state.token_lifetime):
            raise Unacceptable('signed for too long')
        return claims
