"""What a store's refusals mean, in the same words for the bot's log and the status of the GptBot."""

from __future__ import annotations

import ssl
from typing import NamedTuple


class StoreFault(NamedTuple):
    """Why a store cannot be used."""

    reason: str
    """One word, for a condition."""
    message: str
    """What it does, and what to do about it; the subject is the store."""

    def __str__(self) -> str:
        return f"the store {self.message}"


_READ_ONLY = StoreFault("ReadOnly", "is a read-only replica; point the URL at the primary, or use redis+sentinel://")
_MOVING = StoreFault("MovingSlots", "is moving the bot's slot to another server; this passes")
_PASSWORD = StoreFault("PasswordRefused", "refuses the password; check the store's URL")
RIGHTS = StoreFault("RightsRefused", "refuses the user's rights; check the store's ACL")
IS_CLUSTER = StoreFault("IsCluster", "is a cluster; write its URL as redis+cluster://HOST:PORT or rediss+cluster://")
NO_CLUSTER = StoreFault("NoCluster", "is no cluster; write its URL as redis:// or rediss://")
NO_PRIMARY = StoreFault(
    "NoPrimary", "has no primary that its sentinels name; check the service in the URL, and the sentinels"
)
PRIMARY_AWAY = StoreFault("NoPrimary", "has a primary that cannot be reached; its sentinels should name another soon")
NO_OWNER = StoreFault("ClusterDown", "is a cluster with slots that nobody serves; bring its servers back")
CERTIFICATE = StoreFault(
    "CertificateRefused", "has a certificate that is not trusted; check ssl_ca_certs and the host in the URL"
)
IN_USE = StoreFault("InUse", "is still used by pods of a deleted GptBot of this name; this passes when they have ended")
SILENT = StoreFault("TimedOut", "did not answer in time")
UNREACHABLE = StoreFault("Unreachable", "cannot be reached; check that it runs, and the host and port of its URL")
MEMORY_FULL = StoreFault("MemoryFull", "has no memory left; raise its maxmemory or lower retention")

NO_FUNCTIONS = StoreFault(
    "FunctionsMissing",
    "lacks the functions of this version of gptbot; the operator loads them into a store that bots share, "
    "and a bot into its own if its user may (+function|load)",
)

_BY_CODE = {
    "NOAUTH": StoreFault("PasswordMissing", "wants a password; put one into the store's URL"),
    "WRONGPASS": _PASSWORD,
    "NOPERM": RIGHTS,
    "LOADING": StoreFault("Loading", "is still loading its data"),
    "OOM": MEMORY_FULL,
    "READONLY": _READ_ONLY,
    "MASTERDOWN": StoreFault("NoPrimary", "is a replica without its primary; bring the primary back"),
    "CLUSTERDOWN": NO_OWNER,
    "MOVED": IS_CLUSTER,
    "ASK": _MOVING,
    "TRYAGAIN": _MOVING,
    "MISCONF": StoreFault("DiskFailed", "cannot write to its disk; make room there"),
    "NOREPLICAS": StoreFault("TooFewReplicas", "has too few replicas to take writes; bring them back"),
    "BUSY": StoreFault(
        "Busy", "is busy with a function or script that does not end; it is stopped, or the store has to be restarted"
    ),
    "UNBLOCKED": StoreFault("RoleChanged", "has changed its role"),
}
_BY_TEXT = {
    "invalid password": _PASSWORD,
    "without any password configured": StoreFault(
        "PasswordUnwanted", "has no password; take it out of the store's URL"
    ),
    "max number of clients": StoreFault("TooManyClients", "has too many clients; raise its maxclients"),
    "Function not found": NO_FUNCTIONS,
    "cluster support disabled": NO_CLUSTER,
    "DB index is out of range": StoreFault("NoDatabase", "has no database of that number; check the URL's end"),
}


def fault_of_reply(text: str) -> StoreFault | None:
    """What an error reply (`CODE text`) says of a store that cannot do its work; None when the command was wrong.

    Codes: https://valkey.io/topics/protocol/#simple-errors and the servers' own sources.
    """
    if known := _BY_CODE.get(text.partition(" ")[0]):
        return known
    return next((fault for part, fault in _BY_TEXT.items() if part in text), None)


def fault_of_failure(error: BaseException) -> StoreFault | None:
    """What a failed connection says; None when it was none."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return CERTIFICATE
    if isinstance(error, ssl.SSLError | ConnectionAbortedError):  # asyncio's when a handshake takes too long
        return StoreFault("TLSFailed", "does not speak TLS as its URL says; check rediss:// and the port")
    if isinstance(error, TimeoutError):  # an OSError too
        return SILENT
    return UNREACHABLE if isinstance(error, OSError | EOFError) else None
