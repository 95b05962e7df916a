"""The operator's environment: what is taken, and what is said of the rest."""

from __future__ import annotations

import pytest

from gptbot_operator.settings import InvalidSettings, Settings


def test_everything_has_a_default_but_the_image() -> None:
    settings = Settings.from_environment({"GPTBOT_IMAGE": "gptbot:1"})
    assert settings == Settings(image="gptbot:1")


def test_everything_can_be_set() -> None:
    settings = Settings.from_environment(
        {
            "GPTBOT_IMAGE": "gptbot:1",
            "GPTBOT_IMAGE_PULL_POLICY": "Never",
            "GPTBOT_STORE_URL": "redis://:secret@valkey",
            "GPTBOT_MODEL_URL": "http://model/v1",
            "GPTBOT_NAMESPACES": "b, a,",
            "GPTBOT_REFRESH_SECONDS": "2.5",
            "GPTBOT_RESYNC_SECONDS": "60",
            "GPTBOT_CONCURRENCY": "2",
            "GPTBOT_ROLLOUT_MAX_UNAVAILABLE_BOTS": "3",
            "GPTBOT_ROLLOUT_PAUSE": "5m",
            "GPTBOT_LOG_LEVEL": "debug",
            "GPTBOT_HEALTH_PORT": "1",
            "GPTBOT_METRICS_PORT": "2",
        }
    )
    assert settings.namespaces == ("a", "b")
    assert (settings.refresh_seconds, settings.concurrency, settings.log_level) == (2.5, 2, "DEBUG")
    assert (str(settings.rollout_most), settings.rollout_pause) == ("3", 300)
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GPTBOT_IMAGE", ""),
        ("GPTBOT_IMAGE_PULL_POLICY", "Sometimes"),
        ("GPTBOT_LOG_LEVEL", "loud"),
        ("GPTBOT_NAMESPACES", "a,B!"),
        ("GPTBOT_REFRESH_SECONDS", "soon"),
        ("GPTBOT_CONCURRENCY", "0"),
        ("GPTBOT_ROLLOUT_MAX_UNAVAILABLE_BOTS", "0%"),
        ("GPTBOT_ROLLOUT_PAUSE", "30"),
        ("GPTBOT_STORE_SHARE", "200%"),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        Settings.from_environment({"GPTBOT_IMAGE": "gptbot:1"} | {name: value})
