"""What is read of an agent's stream in one step inside Redis, so that nothing can be slipped in between.

Whoever may append to a stream may append entries of any size, and reading one means holding it. So a stream
is measured before it is read; what is too large never leaves Redis. Redis runs a script as one command.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import Any

import redis
from redis.exceptions import NoScriptError

_STREAM = """
local key, group, me = KEYS[1], ARGV[1], ARGV[2]
local kind = redis.call('TYPE', key).ok
if kind == 'none' then return {'gone', 0, 0, 0, {}} end
if kind ~= 'stream' then return {'type', 0, 0, 0, {}} end
local size = redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')
local length = redis.call('XLEN', key)
local count, careful = tonumber(ARGV[3]), tonumber(ARGV[6])
local plain = tonumber(ARGV[9]) * length
if size - plain > tonumber(ARGV[4]) or length > tonumber(ARGV[5]) then
  return {'over', size, length, 0, {}}
end
if size > careful then count = 1 end

local function asked(...)
  local found = redis.pcall(...)
  if type(found) == 'table' and found.err and string.find(found.err, 'NOGROUP', 1, true) then
    redis.call('XGROUP', 'CREATE', key, group, '0')
    found = redis.pcall(...)
  end
  return found
end

local function short(entries, times)
  local taken = {}
  for i, entry in ipairs(entries) do
    local fields, bytes, kept = entry[2], 0, {}
    local whole = #fields <= tonumber(ARGV[8])
    if whole then
      for _, text in ipairs(fields) do bytes = bytes + #text end
      whole = bytes <= tonumber(ARGV[7])
    end
    if whole then
      kept = fields
    else
      for n = 1, math.min(#fields, 8), 2 do
        if #fields[n] <= 8 then
          table.insert(kept, fields[n])
          table.insert(kept, string.sub(fields[n + 1], 1, 64))
        end
      end
    end
    taken[i] = {entry[1], times and times[entry[1]] or 0, whole and 1 or 0, kept}
  end
  return taken
end
"""
"""ARGV: group, consumer, entries at most, then bounds: a stream's bytes and entries, the bytes beyond which
it is read one by one, an entry's bytes, its names and values, what a plain one takes. Replies: how it is
(`''`: well), its bytes and entries, how many were read and not acknowledged, and the entries: id,
deliveries, 1 where it is whole, what it holds."""

READ = (
    _STREAM
    + """
local found = asked('XREADGROUP', 'GROUP', group, me, 'COUNT', count, 'STREAMS', key, '>')
if not found then return {'', size, length, 0, {}} end
if found.err then return found end
return {'', size, length, 0, short(found[1][2])}
"""
)
CLAIM = (
    _STREAM
    + """
if length == 0 then
  local about = redis.call('XINFO', 'STREAM', key)
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' and about[i + 1] == '18446744073709551615-18446744073709551615' then
      redis.call('UNLINK', key)
      return {'full', size, length, 0, {}}
    end
  end
end
local held = asked('XPENDING', key, group)
if held.err then return held end
if held[1] == 0 then return {'', size, length, 0, {}} end
local waiting = redis.call('XPENDING', key, group, 'IDLE', ARGV[10], '-', '+', count)
local entries, times = {}, {}
for _, one in ipairs(waiting) do
  local taken = redis.call('XCLAIM', key, group, me, ARGV[10], one[1], 'RETRYCOUNT', one[4])
  if taken[1] then
    table.insert(entries, taken[1])
    times[one[1]] = one[4]
  end
end
return {'', size, length, held[1], short(entries, times)}
"""
)
"""Besides: milliseconds after which an entry counts as left by whoever read it. Claiming does not count as a
delivery: who takes one counts itself. A stream that no entry can be appended to any more, by an id that its
agent chose, begins anew."""

FORGET = """
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local found = {}
  for i = 1, #consumer, 2 do found[consumer[i]] = consumer[i + 1] end
  if found.pending == 0 and found.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], found.name)
  end
end
return 1
"""
"""Forget consumers of a group that hold nothing, and have asked for nothing for so many milliseconds."""


class Script:
    """One script, run for many keys in one round trip."""

    def __init__(self, client: redis.Redis, text: str) -> None:
        self._redis = client
        self._text = text
        self._sha = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def run(self, keys: Sequence[str], *arguments: Any) -> list[Any]:
        """A reply, or the error, for each key; raises RedisError only where Redis is away."""
        found = self._run(keys, arguments)
        if any(isinstance(one, NoScriptError) for one in found):
            self._redis.script_load(self._text)
            missing = [i for i, one in enumerate(found) if isinstance(one, NoScriptError)]
            for i, one in zip(missing, self._run([keys[i] for i in missing], arguments), strict=True):
                found[i] = one
        return found

    def _run(self, keys: Sequence[str], arguments: Sequence[Any]) -> list[Any]:
        pipe = self._redis.pipeline(transaction=False)
        for key in keys:
            pipe.evalsha(self._sha, 1, key, *arguments)
        return list(pipe.execute(raise_on_error=False))
