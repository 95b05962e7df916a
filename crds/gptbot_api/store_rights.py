"""What a bot may do in a store that others use too: its user's name, the prefix of its keys, its commands."""

from __future__ import annotations

import re

USER_PREFIX = "gptbot:"
"""What the names of the bots' users begin with."""
_RIGHTS = 2
"""Another number for rights that pods of an older version could not live with: those keep their user until they end."""

FULL_PREFIX = "gptbot:full:"
"""What keys begin with that say of a bot that it has filled its share of the store: the operator alone writes them."""
_NUMBER = re.compile(r"[0-9]{1,9}")

COMMANDS: tuple[str, ...] = (
    # the connection
    "client|setname", "cluster|slots", "ping", "select",
    # functions; what they call is checked like anything else
    "fcall", "time",
    # keys
    "del", "exists", "expire", "pexpire", "pttl", "rename", "type", "unlink",
    # strings
    "get", "incr", "mget", "set",
    # hashes
    "hdel", "hexists", "hget", "hgetall", "hincrby", "hlen", "hmget", "hscan", "hset",
    # lists
    "lindex", "llen", "lpop", "lpush", "lrange", "lrem", "lset", "ltrim", "rpush",
    # sorted sets
    "zadd", "zcard", "zrange", "zrangebylex", "zrangebyscore", "zrem", "zremrangebyrank", "zremrangebyscore",
    "zrevrange", "zrevrangebyscore", "zscan", "zscore",
    # streams
    "xack", "xadd", "xautoclaim", "xclaim", "xdel", "xgroup|create", "xinfo|stream", "xlen", "xpending",
    "xrange", "xread", "xreadgroup", "xrevrange", "xtrim",
)  # fmt: skip
"""Every command that a bot sends or its functions call, and no other; a test compares this with the bot's sources."""

_GLOB = str.maketrans({character: f"\\{character}" for character in "\\*?[]"})


def user_name(bot: str) -> str:
    """The user of a bot (`namespace/name`)."""
    return f"{USER_PREFIX}{_RIGHTS}:{bot}"


def former_user_name(bot: str) -> str:
    """The user of its pods of the first versions, which may run scripts of their own."""
    return f"{USER_PREFIX}{bot}"


def bot_of_user(name: str) -> str | None:
    """Whose user it is, or was with the rights of another version; None: no bot's."""
    number, _, bot = name.removeprefix(USER_PREFIX).rpartition(":")
    ours = name.startswith(USER_PREFIX) and "/" in bot and (not number or _NUMBER.fullmatch(number))
    return bot if ours else None


def key_prefix(bot: str) -> str:
    """What all keys of a bot begin with."""
    return f"{{{bot}}}:"


def full_key(bot: str) -> str:
    """The key that is there while a bot has filled its share of the store; in a cluster it lies with the bot's."""
    return f"{FULL_PREFIX}{{{bot}}}"


def key_pattern(bot: str) -> str:
    """A glob-style pattern of a bot's keys."""
    return f"{key_prefix(bot).translate(_GLOB)}*"


def rules(bot: str, database: int = 0) -> tuple[str, ...]:
    """Rules for `ACL SETUSER` that leave the user these rights and no others; passwords are not among them.

    `database`: the number of the only one that the user may use, so that nothing of a bot's lies where nobody looks.
    https://valkey.io/topics/acl/
    """
    return _rules(bot, COMMANDS, database)


def former_rules(bot: str, database: int = 0) -> tuple[str, ...]:
    """The same for the user of its pods of an older version, as they were: without scripts those do nothing."""
    return _rules(bot, (*COMMANDS, "eval", "evalsha"), database)


def _rules(bot: str, commands: tuple[str, ...], database: int) -> tuple[str, ...]:
    return (
        "on", "clearselectors", "resetkeys", f"~{key_pattern(bot)}",
        f"%R~{full_key(bot).translate(_GLOB)}", "resetchannels", "-@all",
        *(f"+{command}|{database}" if command == "select" else f"+{command}" for command in commands),
    )  # fmt: skip
