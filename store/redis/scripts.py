"""The operations that must be atomic, as Lua scripts; each carries its contract.

Lua and not WATCH/MULTI: a script is one round trip, cannot collide with another caller's and so
needs no loop, and a caller that gives up needs no UNWATCH, for which redis-py connects again and so
waits beyond our time limit. Each script may run twice for one call (the client repeats a command
whose reply was lost) and then finds its own work done. Values are compared as text: only `HGET` and
string functions are used, so that any server since 6.0 and any replacement of Redis runs them.
"""

from typing import Any


async def run(redis: Any, script: str, keys: list[str], *values: str | int | bytes) -> Any:
    """EVAL with the whole text, a few hundred bytes, and not EVALSHA: a server that restarted has
    forgotten the script, and asking twice would take another round trip to find out.
    """
    return await redis.eval(script, len(keys), *keys, *values)


# KEYS meta, claims of the target, pending
# ARGV epoch, seen grants, build, claim, replaceable ('' or how a claim begins that may be
#      replaced), owner, pending value, what the owner's earlier pending value ends with if it may
#      be replaced ('' for any)
# Returns {'epoch' | 'grants' | 'stands' | 'pending', the standing claim, the earlier pending value
#      or '', grants}
CLAIM = """
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'grants')
local grants = tonumber(meta[2] or '0') or 0
if meta[1] ~= ARGV[1] then return {'epoch', '', grants} end
if grants < tonumber(ARGV[2]) then return {'grants', '', grants} end
local standing = redis.call('HGET', KEYS[2], ARGV[3])
if standing == ARGV[4] then return {'stands', standing, grants} end
if standing then
  local replaceable = ARGV[5]
  if replaceable == '' or string.sub(standing, 1, #replaceable) ~= replaceable then
    return {'stands', standing, grants}
  end
end
local earlier = redis.call('HGET', KEYS[3], ARGV[6])
if earlier and ARGV[8] ~= '' and string.sub(earlier, -#ARGV[8]) ~= ARGV[8] then
  return {'pending', earlier, grants}
end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('HSET', KEYS[3], ARGV[6], ARGV[7])
grants = redis.call('HINCRBY', KEYS[1], 'grants', 1)
return {'stands', ARGV[4], grants}
"""

# KEYS pending, claims of the target
# ARGV owner, pending value, build, claim ('' to leave the claims alone)
SETTLE_OR_RELEASE = """
if ARGV[4] ~= '' and redis.call('HGET', KEYS[2], ARGV[3]) == ARGV[4] then
  redis.call('HDEL', KEYS[2], ARGV[3])
end
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return 1
"""

# One step of a refill: its claims are added, and only the last step joins or begins an epoch, so
# that nobody claims before all are there. An epoch that was rolled back is replaced by the first
# step: whoever goes by it may not claim from then on.
# KEYS meta, how far this refill is, then the claims of each target
# ARGV schema, epoch, cluster, epoch to be replaced ('' for none), number of the step, of how many,
#      then for each claim: number of its key, build, claim
# Returns {'stands', the epoch that stands now, grants} or, before the last step, {'more', '', 0};
# or, with nothing written, {'schema', the newer one, 0}, {'cluster', whose it is, 0}, or {'lost',
# '', 0} where the step before this one is not there any more: begin again
# An epoch or grants that somebody has deleted are as good as none: both are written anew. A target
# whose key is no hash is left out, for it grants no claim either.
REFILL = """
local meta = redis.call('HMGET', KEYS[1], 'schema', 'epoch', 'grants', 'cluster')
if (tonumber(meta[1] or '0') or 0) > tonumber(ARGV[1]) then return {'schema', meta[1], 0} end
local whose = meta[4] or ''
if whose ~= '' and whose ~= ARGV[3] then return {'cluster', whose, 0} end
local step, steps = tonumber(ARGV[5]), tonumber(ARGV[6])
if step > 1 then
  local done = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
  if done ~= step - 1 and done ~= step then return {'lost', '', 0} end
end
for i = 7, #ARGV, 3 do
  local done = redis.pcall('HSETNX', KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2])
  if type(done) == 'table' and done.err and not string.find(done.err, 'WRONGTYPE', 1, true) then
    return done
  end
end
if steps > 1 then redis.call('SET', KEYS[2], ARGV[5], 'EX', 600) end
local epoch, grants = meta[2] or '', tonumber(meta[3] or '')
if step < steps and (epoch == '' or epoch ~= ARGV[4]) then return {'more', '', 0} end
if epoch == '' or not grants or epoch == ARGV[4] or whose ~= ARGV[3] then
  epoch, grants = ARGV[2], 0
end
redis.call('HSET', KEYS[1], 'schema', ARGV[1], 'epoch', epoch, 'cluster', ARGV[3])
redis.call('HSET', KEYS[1], 'grants', tostring(grants))
return {'stands', epoch, grants}
"""

# KEYS copy of the record, names of all Deployments
# ARGV seq, name, then each field and its value
# Returns 1 if the copy was replaced, 0 if a newer one stands
# The HSET before the DEL is what a full server refuses: after a DEL it would let the rest through.
MIRROR = """
local standing = tonumber(redis.call('HGET', KEYS[1], 'seq') or '') or -math.huge
if tonumber(ARGV[1]) < standing then return 0 end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
redis.call('DEL', KEYS[1])
for i = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('SADD', KEYS[2], ARGV[2])
return 1
"""

# KEYS history of all, then for each transition: its hash, the history of its target
# ARGV for each transition: id, time, target, body
APPEND = """
for i = 0, #ARGV / 4 - 1 do
  local key, own = KEYS[2 + 2 * i], KEYS[3 + 2 * i]
  local id, at = ARGV[1 + 4 * i], ARGV[2 + 4 * i]
  if redis.call('HEXISTS', key, 'body') == 0 then
    redis.call('ZADD', KEYS[1], at, id)
    redis.call('ZADD', own, at, id)
    redis.call('HSET', key, 'target', ARGV[3 + 4 * i], 'body', ARGV[4 + 4 * i])
  end
end
return 1
"""

# KEYS any. Returns the type of each; `none` where there is none
# One script, for at a start there are as many as there were runs.
TYPES = """
local types = {}
for i = 1, #KEYS do types[i] = redis.call('TYPE', KEYS[i]).ok end
return types
"""

# KEYS hashes
# ARGV names of fields
# Returns the fields of each, or nothing for a key of another type.
FIELDS = """
local found = {}
for i = 1, #KEYS do
  local values = redis.pcall('HMGET', KEYS[i], unpack(ARGV))
  if values.err then
    if not string.find(values.err, 'WRONGTYPE', 1, true) then return values end
    values = {}
  end
  found[i] = values
end
return found
"""
