"""A file from a platform's server: so many bytes and no more, within a time, from that server and no other."""

from __future__ import annotations

import aiohttp

from gptbot.platforms.bounded import read_at_most
from gptbot.platforms.errors import FloodWait, NotSent, Rejected, SendError

_CONNECT_TIMEOUT = 10.0


async def download(http: aiohttp.ClientSession, url: str, limit: int, timeout: float) -> bytes:
    """GET a file of at most `limit` bytes within `timeout` seconds.

    Redirects are not followed: they could lead into the cluster. Raises TooLarge, FloodWait, Rejected when the file
    is not there (any more), NotSent for what may pass by itself. None of them holds the address: it may be a secret.
    """
    limits = aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_TIMEOUT)
    failure: SendError
    try:
        async with http.get(
            url, timeout=limits, allow_redirects=False, headers={"Accept-Encoding": "identity"}
        ) as response:
            if response.status == 200:
                return await read_at_most(response, limit)
            failure = _failure(response)
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
        failure = Rejected("the platform names no address that can be called")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        failure = NotSent(f"a file cannot be fetched ({type(error).__name__})")
    raise failure


def _failure(response: aiohttp.ClientResponse) -> SendError:
    status = response.status
    if status == 429:
        try:
            asked = float(response.headers["Retry-After"])
        except (KeyError, ValueError):
            asked = 1.0
        return FloodWait(max(0.1, asked), "request")
    if status >= 500:
        return NotSent(f"the server of files fails ({status})")
    return Rejected(f"the server of files does not give it ({status})")
