"""A platform is named in its own folder alone, so that one more is one more folder."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOT = ROOT / "botimage" / "gptbot"


def test_nothing_outside_platforms_says_telegram_or_discord() -> None:
    sources = [path for path in BOT.rglob("*") if path.suffix in (".py", ".lua", ".ftl", ".html", ".css", ".js")]
    outside = [path for path in sources if path.relative_to(BOT).parts[0] != "platforms"]
    assert len(outside) > 30
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in outside
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"telegram|discord", line, re.IGNORECASE)
    ]
    assert not named


def test_no_platform_says_another_ones_name() -> None:
    names = {"telegram", "discord"}
    for name in names:
        for path in (BOT / "platforms" / name).rglob("*.py"):
            assert not re.search("|".join(names - {name}), path.read_text(), re.IGNORECASE), path
