"""What Redis has to refuse, in a form that does no harm where it does not.

Redis asks who may run a command, on which keys, before it looks at anything else. So what would destroy
something is tried with an argument that no version takes, an entry with an id that no stream takes, and a
pattern or name that fits nothing.
"""

from __future__ import annotations

from signoff.queue import stream

NOBODY = "signoff-doctor"
"""Names an agent, a key, a user or a host that is none."""
ID = "00000000-0000-8000-8000-000000000000"
WRONG = "signoff-doctor-wrong"
"""An argument that nothing takes."""
ANYWHERE = f"""
ACL LIST|ACL WHOAMI|ACL GETUSER default|ACL SETUSER {NOBODY} {WRONG}|ACL DELUSER {NOBODY}|ACL LOG {WRONG}
CONFIG GET maxmemory|CONFIG SET maxmemory {WRONG}|CLIENT KILL ID 0|CLIENT PAUSE {WRONG}|CLIENT UNBLOCK 0
FLUSHALL {WRONG}|FLUSHDB {WRONG}|SWAPDB {WRONG} {WRONG}|SELECT 1|KEYS {NOBODY}|RANDOMKEY|DBSIZE
SHUTDOWN {WRONG}|DEBUG HELP|MONITOR|REPLICAOF {NOBODY} {WRONG}|FAILOVER {WRONG}|BGSAVE {WRONG}|ROLE
MODULE LIST|MODULE LOAD /{NOBODY}|FUNCTION LIST|FUNCTION LOAD {WRONG}|FUNCTION FLUSH {WRONG}
FCALL {NOBODY} 0|SCRIPT FLUSH {WRONG}|SLOWLOG GET 1|LATENCY LATEST|CLUSTER INFO|COMMAND COUNT
GET {NOBODY}|SET {NOBODY} x {WRONG}|SET signoff:spent:{NOBODY} x {WRONG}|GET signoff:spent:{NOBODY}
DEL {NOBODY}|GET rq:{NOBODY}:{NOBODY}|XADD {NOBODY} 0-0 v 1
PSUBSCRIBE *|SUBSCRIBE {NOBODY}|SUBSCRIBE __keyspace@0__:{NOBODY}|SUBSCRIBE rq:pubsub:{NOBODY}
PUBLISH {NOBODY} x|PUBLISH rq:pubsub:{NOBODY} x|PUBSUB CHANNELS {NOBODY}
"""
"""For agents and for the server's own user."""


def _read(text: str) -> list[list[str]]:
    return [line.split() for part in text.splitlines() for line in part.split("|") if line.strip()]


def of_server() -> list[list[str]]:
    """What the server's own user may not do."""
    rq = {"GET", "SET", "DEL"}  # its right to RQ's keys lets it run these on a key of RQ's
    shared = [words for words in _read(ANYWHERE) if not (words[0] in rq and words[1].startswith("rq:"))]
    more = f"""
    XADD {stream.requests(NOBODY)} 0-0 v 1|SET signoff:{NOBODY} x {WRONG}|DEL {stream.decisions(NOBODY)}
    PSUBSCRIBE {stream.NOTIFICATIONS}*|PUBLISH {stream.decisions(NOBODY)} x
    """
    scripted = ["EVAL", f"return redis.call('get', '{NOBODY}')", "0"]
    return [*shared, *_read(more), scripted]


def of_agent(agent: str) -> list[list[str]]:
    """What an agent's user may not do: others' keys, the server's, RQ's, and what it needs not of its own."""
    asked, told = stream.requests(agent), stream.decisions(agent)
    theirs, key, their_key = stream.decisions(NOBODY), stream.decision(agent, ID), stream.decision(NOBODY, ID)
    body, their_body = f"signoff:body:{agent}:{ID}", f"signoff:body:{NOBODY}:{ID}"
    more = f"""
    XADD {stream.requests(NOBODY)} 0-0 v 1|XADD {told} 0-0 id x|XADD {theirs} 0-0 id x|XADD {key} 0-0 id x
    XADD {stream.DEAD} 0-0 v 1|XADD signoff:req: 0-0 v 1|XADD {asked}x 0-0 v 1|XADD {asked}:x 0-0 v 1
    SET {key} x {WRONG}|SET {their_key} x {WRONG}|SET {told} x {WRONG}|SET {asked} x {WRONG}
    SET {their_body} x {WRONG}|SET {stream.DEAD} x {WRONG}|SET {stream.INSTANCE} x {WRONG}
    GET {body}|SET {body} x GET {WRONG}|GET {their_body}|STRLEN {body}|DEL {body}|EXPIRE {their_body} {WRONG}
    GET {their_key}|MGET {key} {their_key}|GET {told}|GET {stream.INSTANCE}|GET {asked}|GETDEL {key}
    GETEX {key}|GETRANGE {key} 0 1|SETRANGE {key} {WRONG} x|DEL {key}|UNLINK {key}|EXPIRE {key} {WRONG}
    PERSIST {key}|RENAME {key} {their_key}|COPY {key} {their_key}|DUMP {key}|RESTORE {key} 0 {WRONG}
    MOVE {key} 1|SORT {key} {WRONG}
    TYPE {their_key}|EXISTS {their_key}|TOUCH {key}|OBJECT ENCODING {key}|MEMORY USAGE {key}
    XREAD STREAMS {theirs} 0|XREAD STREAMS {told} 0|XREAD STREAMS {asked} 0
    XREADGROUP GROUP {NOBODY} c STREAMS {theirs} >|XREADGROUP GROUP intake c STREAMS {asked} >
    XREADGROUP GROUP {NOBODY} c STREAMS {told} {theirs} > >
    XGROUP CREATE {asked} {NOBODY} {WRONG}|XGROUP CREATE {theirs} {NOBODY} {WRONG}
    XGROUP DESTROY {told} {NOBODY}|XGROUP DESTROY {asked} {NOBODY}
    XGROUP SETID {asked} {NOBODY} {WRONG}|XGROUP DELCONSUMER {asked} {NOBODY} c
    XACK {asked} intake 0-0|XACK {theirs} {NOBODY} 0-0|XAUTOCLAIM {asked} {NOBODY} c 0 {WRONG}
    XCLAIM {told} {NOBODY} c 0 0-0|XPENDING {told} {NOBODY}|XSETID {asked} {WRONG}|XINFO STREAM {asked}
    XTRIM {asked} MAXLEN {WRONG}|XTRIM {told} MAXLEN {WRONG}|XTRIM {theirs} MAXLEN {WRONG}|XDEL {asked} 0-0
    XDEL {told} 0-0|XRANGE {asked} - + COUNT 1|XREVRANGE {told} + - COUNT 1|XLEN {asked}|XLEN {stream.DEAD}
    BLPOP {key} {WRONG}|LPUSHX {key} x|LRANGE rq:queue:signoff 0 0|LTRIM rq:queue:signoff {WRONG} 0
    LPUSHX rq:{NOBODY} x
    HINCRBY rq:job:{NOBODY} f {WRONG}|SMEMBERS rq:workers|HGETALL rq:job:{NOBODY}|SREM rq:workers {NOBODY}
    SUBSCRIBE {stream.notification(NOBODY, ID)}|SUBSCRIBE {stream.NOTIFICATIONS}{agent}x:{ID}
    SUBSCRIBE {stream.notification(agent, ID)} {stream.notification(NOBODY, ID)}
    PSUBSCRIBE {stream.NOTIFICATIONS}*|PSUBSCRIBE {stream.notification(agent, "*")}|SSUBSCRIBE {NOBODY}
    PUBLISH {stream.notification(agent, ID)} x|PUBLISH {stream.notification(NOBODY, ID)} x|SPUBLISH {NOBODY} x
    SCAN 0 COUNT 1|INFO server|TIME|CLIENT LIST|CLIENT INFO|CLIENT ID|CLIENT GETNAME|CLIENT TRACKING {WRONG}
    CLIENT NO-EVICT {WRONG}|MULTI|EXEC|DISCARD|WATCH {key}|WAIT {WRONG} 0|ECHO x|LOLWUT|SCRIPT LOAD {WRONG}
    EVALSHA {WRONG} 0
    """
    return [*_read(ANYWHERE), *_read(more), ["EVAL", "return 1", "0"], ["EVAL_RO", "return 1", "0"]]


def needed(agent: str) -> list[list[str]]:
    """What an agent's user has to be allowed."""
    told, key = stream.decisions(agent), stream.decision(agent, ID)
    topic = stream.notification(agent, ID)
    return _read(f"""
    PING|CLIENT SETNAME {NOBODY}|XADD {stream.requests(agent)} * v 1|SET signoff:body:{agent}:{ID} x EX 1
    EXPIRE signoff:body:{agent}:{ID} 1
    GET {key}|MGET {key} {key}|XGROUP CREATE {told} g 0 MKSTREAM|XREADGROUP GROUP g c STREAMS {told} >
    XACK {told} g 0-0|XAUTOCLAIM {told} g c 0 0|SUBSCRIBE {topic}|UNSUBSCRIBE {topic}
    """)
