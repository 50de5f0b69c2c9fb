#!/bin/sh
#
# Starts Redis with a password that is in no argument, no variable and no log: Redis gets its hash,
# in a file in memory.

set -eu
umask 077

secret=${REDIS_PASSWORD_FILE:-/etc/redis-password/password}
users=${REDIS_USERS_FILE:-/run/redis/users.acl}
config=${REDIS_CONFIG_FILE:-/etc/redis/redis.conf}

password=$(tr -d '[:space:]' <"$secret")
if [ -z "$password" ]; then
    echo "the Secret bootstrap-redis has an empty password" >&2
    exit 1
fi
# printf is built in: no process shows the password among its arguments.
hash=$(printf '%s' "$password" | sha256sum | cut -d ' ' -f 1)

# Everything but what harms the server or all of its data; and of that, what people look at it with
# (INFO, CONFIG GET, SORT) and back it up with (redis-cli --rdb: SYNC and its like).
echo "user default on #$hash ~* &* +@all -@dangerous +info +role +config|get +sort +sync +psync +replconf" \
    >"$users"

exec redis-server "$config"
