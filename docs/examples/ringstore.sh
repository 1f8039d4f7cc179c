#!/bin/sh
# The commands of ringstore beside the unit in ringstore.service, as
# /usr/local/bin/ringstore: `ringstore user list`, `ringstore token --user me`.
# Root runs them as the user of the server, with its configuration and its files.
set -e
cd /var/lib/ringstore
exec runuser -u ringstore -- env DENO_DIR=/var/cache/ringstore \
  /usr/bin/deno run --frozen --no-prompt \
  --allow-net --allow-read --allow-write=/var/lib/ringstore/var \
  --allow-env=JWT_PUBLIC_KEY,JWT_PRIVATE_KEY,RINGSTORE_TOKEN,SESSION_KEY,SESSION_KEY_PREVIOUS,CROSS_LOGIN_JWT_PUBLIC_KEY,CROSS_LOGIN_JWT_HS512_KEY \
  --allow-sys \
  /opt/ringstore/main.ts -config /etc/ringstore/config.json "$@"
