"""A store's URL: what is read from it, and what is said of one that is none."""

from __future__ import annotations

import pytest

from gptbot_api.store_url import StoreUrl


def test_one_server() -> None:
    url = StoreUrl.parse("rediss://ann:p%40ss@redis.example.com:6380/3?ssl_check_hostname=false\n")
    assert (url.kind, url.tls, url.addresses) == ("server", True, (("redis.example.com", 6380),))
    assert (url.username, url.password, url.database) == ("ann", "p@ss", 3)
    context = url.ssl_context()
    assert context is not None
    assert not context.check_hostname


def test_socket() -> None:
    url = StoreUrl.parse("unix://:word@/run/valkey.sock?db=2")
    assert (url.kind, url.path, url.password, url.database) == ("socket", "/run/valkey.sock", "word", 2)


def test_sentinels() -> None:
    url = StoreUrl.parse("redis+sentinel://:word@one,two:5000,[::1]:6000/bots/1?sentinel_password=other")
    assert url.addresses == (("one", 26379), ("two", 5000), ("::1", 6000))
    assert (url.kind, url.service, url.database, url.tls) == ("sentinel", "bots", 1, False)
    assert url.options == {"sentinel_password": "other"}


def test_cluster() -> None:
    url = StoreUrl.parse("rediss+cluster://one,two:7000")
    assert (url.kind, url.addresses, url.tls) == ("cluster", (("one", 6379), ("two", 7000)), True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://hunter2@host", "has no known scheme: it must begin with redis://"),
        ("redis://:hunter2@host:port/0", "a port in the store's URL is not one"),
        ("redis://:hunter2@/0", "names no host"),
        ("redis://:hun#ter2@host/0", "percent-encode the password"),
        ("redis://:hunter2?x=1@host/0", "an unknown option"),
        ("redis://:hunter2?x@host/0", "options of the store's URL cannot be read"),
        ("redis://:hunter2@host/zero", "database in the store's URL is not a number"),
        ("redis://:hunter2@one,two/0", "several hosts: write redis\\+sentinel:// or redis\\+cluster://"),
        ("redis://:hunter2@host/0?ssl_ca_certs=/ca", "the option ssl_ca_certs, which redis:// does not take"),
        ("redis+sentinel://:hunter2@host", "names no service"),
        ("redis+cluster://:hunter2@host/1", "a cluster has only 0"),
        ("unix://:hunter2@", "names no socket"),
        ("redis://[hunter2", "cannot be read: percent-encode the password"),
    ],
)
def test_what_is_no_url_is_explained_without_repeating_it(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        StoreUrl.parse(text)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_repr_keeps_the_password() -> None:
    assert "hunter2" not in repr(StoreUrl.parse("redis://:hunter2@host/0"))
