/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A certified OIDC issuer (the package oidc-provider) on a port of its own, with the clients that a test names.
 *
 *     node server.mjs CONFIG.json
 *
 * prints the issuer's address once it listens. The directory that the package is installed in stands in
 * CONFIG.json beside certificates, signing keys and clients. Access tokens are JWTs for the audience that stands
 * there as well. It ends with its standard input. */

import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const entry = path.join(config.modules, 'node_modules', 'oidc-provider', 'lib', 'index.js');
const { default: Provider } = await import(pathToFileURL(entry));

const server = https.createServer({
        cert: fs.readFileSync(config.certificate),
        key: fs.readFileSync(config.key),
        ca: config.clientAuthority,
        requestCert: true,
        rejectUnauthorized: false,
});

function certificateOf(ctx) {
        return ctx.socket.getPeerX509Certificate();
}

server.listen(0, '127.0.0.1', () => {
        const issuer = `https://127.0.0.1:${server.address().port}`;
        const provider = new Provider(issuer, {
                clients: config.clients,
                jwks: { keys: config.keys },
                clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt',
                                    'tls_client_auth', 'none'],
                scopes: ['openid', 'pull'],
                features: {
                        devInteractions: { enabled: false },
                        clientCredentials: { enabled: true },
                        mTLS: {
                                enabled: true,
                                tlsClientAuth: true,
                                getCertificate: certificateOf,
                                certificateAuthorized: (ctx) => ctx.socket.authorized,
                                certificateSubjectMatches: (ctx, property, expected) =>
                                        property === 'tls_client_auth_san_dns' &&
                                        certificateOf(ctx).subjectAltName === `DNS:${expected}`,
                        },
                        resourceIndicators: {
                                enabled: true,
                                defaultResource: () => config.defaultResource,
                                getResourceServerInfo: () => ({
                                        scope: 'pull',
                                        audience: config.audience,
                                        accessTokenFormat: 'jwt',
                                        accessTokenTTL: 300,
                                        jwt: { sign: { alg: 'RS256' } },
                                }),
                        },
                },
        });
        server.on('request', provider.callback());
        process.stdout.write(`${issuer}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
