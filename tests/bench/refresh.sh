#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What people write who have no pullauthd, written well: reads the token of the host, exchanges it, tries what came of
# it at the registry's token endpoint, and puts it into an auth.json that is replaced at once. No secret is an argument.
# REGISTRY, ROBOT, SCOPE, TOKEN_FILE, CA_FILE and AUTH_FILE come from the environment.

set -euo pipefail
umask 077

request() {
        curl -q --silent --show-error --proto =https --max-time 60 --cacert "$CA_FILE" "$@"
}

token=$(<"$TOKEN_FILE")
answer=$(request --fail --config - "https://$REGISTRY/oauth2/federation/robot/token" <<<"user = \"$ROBOT:$token\"")
secret=$(jq --exit-status --raw-output .token <<<"$answer")

challenge=$(request --output /dev/null --dump-header - "https://$REGISTRY/v2/")
[[ $challenge =~ [Rr]ealm=\"(https://$REGISTRY/[^\"]*)\" ]]
realm=${BASH_REMATCH[1]}
[[ $challenge =~ service=\"([^\"]*)\" ]]
service=${BASH_REMATCH[1]}
request --fail --output /dev/null --config - "$realm?service=$service&scope=repository:${SCOPE#*/}:pull" \
        <<<"user = \"$ROBOT:$secret\""

[[ -e $AUTH_FILE ]] || echo '{}' >"$AUTH_FILE"
new=$(mktemp "$AUTH_FILE.XXXXXX")
trap 'rm -f "$new"' EXIT
jq --raw-input --slurpfile old "$AUTH_FILE" --arg scope "$SCOPE" --arg robot "$ROBOT" \
        '. as $secret | $old[0] | .auths[$scope].auth = ("\($robot):\($secret)" | @base64)' <<<"$secret" >"$new"
sync "$new"
mv -f "$new" "$AUTH_FILE"
