"""What `gptbot validate` and `gptbot run` say of files that show that they cannot be right, or likely are not."""
# ruff: noqa: E501 - tables

from __future__ import annotations

from pathlib import Path

import pytest

from gptbot.documents import documents
from gptbot.manifest import load
from gptbot.review import refuse, review
from gptbot_api import InvalidManifest
from gptbot_api.doubts import Finding

TELEGRAM = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"
DISCORD = "MTE4NzY1NDMyMTA5ODc2NTQz.GabcDE.abcdefghijklmnopqrstuvwxyz0123456789ABCD"
KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz"
GOOD = f"""\
apiVersion: gptbot.dev/v1alpha1
kind: GptBot
metadata: {{name: shop}}
spec:
  platforms:
    telegram: {{tokenSecretRef: {{name: shop, key: telegram}}}}
    discord: {{tokenSecretRef: {{name: shop, key: discord}}}}
    web: {{}}
  llm:
    baseUrl: https://api.openai.com/v1
    apiKeySecretRef: {{name: shop, key: openai}}
    model: gpt-4.1
  personas:
    - {{name: seller, promptFrom: {{configMapKeyRef: {{name: prompts, key: seller}}}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: shop}}
stringData:
  telegram: {TELEGRAM}
  discord: {DISCORD}
  openai: {KEY}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: prompts}}
data: {{seller: You sell refrigerators.}}
"""
OTHER = GOOD.replace("name: shop", "name: other").replace("{name: prompts}", "{name: more}").replace(
    "name: prompts,", "name: more,"
)  # fmt: skip


def said(tmp_path: Path, *texts: str, here: bool = False) -> list[Finding]:
    """What is said of files; refused ones are certain. No line says a value of a Secret."""
    paths = [tmp_path / f"bot{number}.yaml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    try:
        found = review(load(paths), here=here)
    except InvalidManifest as error:
        found = [Finding.of(fault) for fault in error.faults]
    for each in found:
        assert each.path.startswith(str(tmp_path)), each
        for secret in (TELEGRAM[10:], DISCORD[10:], KEY[8:]):
            assert secret not in str(each)
    return found


def one(tmp_path: Path, *texts: str, here: bool = False) -> Finding:
    found = said(tmp_path, *texts, here=here)
    assert len(found) == 1, found
    return found[0]


def test_a_good_file_has_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, GOOD) == said(tmp_path, GOOD, here=True) == []


CERTAIN = {
    "a key that the Secret lacks": ("key: telegram}", "key: telegramm}", "tokenSecretRef", "has no key 'telegramm'; its keys are: telegram"),
    "a Secret in another namespace": ("kind: Secret\nmetadata: {name: shop}", "kind: Secret\nmetadata: {name: shop, namespace: b}", "SecretRef", "in namespace 'b'"),
    "a ConfigMap in another namespace": ("kind: ConfigMap\nmetadata: {name: prompts}", "kind: ConfigMap\nmetadata: {name: prompts, namespace: b}", "configMapKeyRef", "in namespace 'b'"),
    "a key that the ConfigMap lacks": ("data: {seller", "data: {buyer", "configMapKeyRef", "its keys are: buyer"),
    "no address": ("https://api.openai.com/v1", '"https://[abc/v1"', "llm.baseUrl", "is no address"),
    "a prompt that is empty": ("You sell refrigerators.", "' '", "configMapKeyRef", "is empty"),
    "an example's words": (TELEGRAM, "put-the-token-of-BotFather-here", "telegram.tokenSecretRef", "stands for the value"),
    "a variable": (TELEGRAM, "${TELEGRAM_TOKEN}", "telegram.tokenSecretRef", "a variable that nothing has put in"),
    "a variable of a shell": (KEY, "$OPENAI_API_KEY", "apiKeySecretRef", "a variable"),
    "a template of helm": (KEY, "'{{ .Values.key }}'", "apiKeySecretRef", "a template"),
    "angle brackets": (KEY, "<your key>", "apiKeySecretRef", "stands for the value"),
    "a key of a manual": (KEY, "sk-...", "apiKeySecretRef", "stands for the value"),
    "change me": (DISCORD, "changeme", "discord.tokenSecretRef", "stands for the value"),
    "nothing": (KEY, "''", "apiKeySecretRef", "is empty"),
    "white space inside": (TELEGRAM, f'"{TELEGRAM[:20]} {TELEGRAM[20:]}"', "telegram.tokenSecretRef", "white space or a line end inside"),
    "quotes within": (KEY, f"'\"{KEY}\"'", "apiKeySecretRef", "between quotes"),
    "a header's word": (DISCORD, f"Bot {DISCORD}", "discord.tokenSecretRef", "the word that goes before it"),
    "a letter that looks like another": (KEY, KEY.replace("a", "а"), "apiKeySecretRef", "beyond ASCII"),
    "no token of Telegram": (TELEGRAM, "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "telegram.tokenSecretRef", "NUMBER:LETTERS"),
    "a number in stringData": (TELEGRAM, "12345", "Secret shop: stringData.telegram", "put quotes around it"),
    "a truth value in stringData": (KEY, "yes", "stringData.openai", "a truth value"),
    "a date in stringData": (KEY, "2024-01-01", "stringData.openai", "a date"),
    "nothing in stringData": (KEY, "", "stringData.openai", "is nothing to YAML"),
    "a mapping in stringData": (KEY, "{a: b}", "stringData.openai", "a mapping or list"),
    "a number in a ConfigMap": ("You sell refrigerators.", "5", "ConfigMap prompts: data.seller", "put quotes around it"),
    "a text for keys": ("data: {seller: You sell refrigerators.}", "data: seller", "ConfigMap prompts: data", "must be keys"),
    "no base64": ("stringData:", "data:", "data.telegram", "stringData for plain text"),
    "a key twice": ("  openai:", f"  telegram: {TELEGRAM}\n  openai:", "line", "the key telegram stands a second time, after line 20"),
    "a field twice": ("  llm:", "  llm: {model: m}\n  llm:", "line 10", "the key llm stands a second time, after line 9"),
    "documents not parted": ("---\napiVersion: v1\nkind: Secret", "apiVersion: v1\nkind: Secret", "line 15", "a line that says ---"),
    "no kind": ("kind: ConfigMap\n", "", "document 3", "has no kind"),
    "no apiVersion": ("apiVersion: v1\nkind: Secret", "kind: Secret", "document 2", "has no apiVersion"),
    "an apiVersion of something else": ("apiVersion: v1\nkind: Secret", "apiVersion: v2\nkind: Secret", "Secret 'shop'", "apiVersion: v1"),
    "a kind in other letters": ("kind: Secret", "kind: secret", "kind", "did you mean Secret?"),
    "a bot in other letters": ("kind: GptBot", "kind: Gptbot", "kind", "did you mean GptBot?"),
    "no name": ("kind: Secret\nmetadata: {name: shop}", "kind: Secret\nmetadata: {}", "Secret: metadata", "needs a name"),
    "web with nothing behind it": ("web: {}", "web:", "spec.platforms.web", "write web: {} to switch it on"),
    "a path behind the address": ("openai.com/v1", "openai.com/v1/chat/completions", "spec.llm.baseUrl", "base address of the API"),
    "another path": ("openai.com/v1", "openai.com/v1/models/", "spec.llm.baseUrl", "base address of the API"),
    "a query": ("openai.com/v1", "openai.com/v1?a=b", "spec.llm.baseUrl", "base address of the API"),
    "no version at OpenAI": ("openai.com/v1", "openai.com", "spec.llm.baseUrl", "up to and with its version"),
    "a name for a person": ("  llm:", "  access: {deny: ['telegram:user:anna']}\n  llm:", "spec.access.deny[0]", "An ID is a number"),
    "a platform misspelt": ("  llm:", "  access: {deny: ['telegramm:user:5']}\n  llm:", "spec.access.deny", "telegramm:user:5 matches nobody"),
    "a kind that there is not": ("  llm:", "  access: {deny: ['discord:server:1']}\n  llm:", "spec.access.deny[0]", "discord:guild:ID"),
    "a page that there is not": ("  llm:", "  access: {deny: ['web:page:private']}\n  llm:", "spec.access.deny[0]", "web:page:public"),
    "a person of the page": ("  llm:", "  access: {administrators: ['web:user:1']}\n  llm:", "spec.access.administrators[0]", "web:page:public"),
    "a group for a person": ("  llm:", "  access: {deny: ['telegram:user:-100']}\n  llm:", "spec.access.deny[0]", "telegram:chat:ID"),
    "a platform of one's own name": ("    web: {}", "    extra: {web: {}}", "spec.platforms.extra", "no names of installed packages"),
}  # fmt: skip
"""What is put in the place of what in the good file; where and what is said."""


def test_keys_that_are_merged_twice_over_are_given_once(tmp_path: Path) -> None:
    merged = "base: &b {x: 0}\none: {two: &a {<<: *b, x: 1}}\nthree: {<<: *a}\n"
    (tmp_path / "merged.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\n{merged}")
    [document] = documents(tmp_path / "merged.yaml")
    assert (document["one"], document["three"]) == ({"two": {"x": 1}}, {"x": 1})


@pytest.mark.parametrize("what", CERTAIN)
@pytest.mark.parametrize("here", [False, True], ids=["validate", "run"])
def test_what_cannot_be_right_is_refused(what: str, here: bool, tmp_path: Path) -> None:
    before, after, where, message = CERTAIN[what]
    assert before in GOOD
    found = said(tmp_path, GOOD.replace(before, after, 1), here=here)
    wrong = [each for each in found if each.certain]
    assert wrong
    assert all(where in each.path and message in each.message for each in wrong), found
    with pytest.raises(InvalidManifest):
        refuse(found)


LIKELY = {
    "no key at OpenAI": ("    apiKeySecretRef: {name: shop, key: openai}\n", "", "spec.llm.apiKeySecretRef", "without a key"),
    "a line end behind it": (TELEGRAM, f"|\n    {TELEGRAM}", "telegram.tokenSecretRef", "white space or a line end around"),
    "spaces around it": (KEY, f'"  {KEY} "', "apiKeySecretRef", "white space or a line end around"),
    "half a token": (TELEGRAM, TELEGRAM[:-3], "telegram.tokenSecretRef", "longer or shorter"),
    "the client secret": (DISCORD, "a" * 32, "discord.tokenSecretRef", "client secret"),
    "another one's key": (KEY, "gsk_abcdefghijklm", "spec.llm.apiKeySecretRef", "does not begin with sk-"),
    "a method": ("api.openai.com/v1", "llm.example/v1/chat", "spec.llm.baseUrl", "ends in '/chat'"),
    "a method of another API": ("api.openai.com/v1", "llm.example/api/generate/", "spec.llm.baseUrl", "ends in"),
    "no version": ("api.openai.com/v1", "llm.example", "spec.llm.baseUrl", "names no version"),
    "in the clear": ("https://api.openai", "http://api.openai", "spec.llm.baseUrl", "write https://"),
    "a parameter of other models": ("model: gpt-4.1", "model: gpt-5-mini\n    parameters: {temperature: 0.7}", "spec.llm.parameters.temperature", "is refused by gpt-5-mini"),
    "a parameter by its old name": ("model: gpt-4.1", "model: gpt-5-mini\n    parameters: {max_tokens: 7}", "spec.llm.parameters.max_tokens", "max_completion_tokens"),
    "a parameter of gptbot's": ("model: gpt-4.1", "model: gpt-4.1\n    parameters: {stream: false}", "spec.llm.parameters.stream", "has no effect"),
    "all is heard of groups": ("  llm:", "  answerIn: {groups: always}\n  llm:", "spec.answerIn.groups", "message-content intent"),
    "kept for longer": ("  llm:", "  context: {ttl: 48h}\n  llm:", "spec.context.ttl", "longer than privacy.retention"),
    "in both lists": (
        "  llm:", "  access: {allow: ['telegram:user:5', 'discord:guild:1', 'web:page:public'], deny: ['telegram:user:5']}\n  llm:",
        "spec.access.allow[0]", "is in deny too",
    ),
    "nobody of a platform": ("  llm:", "  access: {allow: ['telegram:user:5', 'web:page:public']}\n  llm:", "spec.access.allow", "lets in nobody of discord"),
    "nothing behind a field": ("  llm:", "  answerIn:\n  llm:", "spec.answerIn", "nothing stands behind it"),
}  # fmt: skip


@pytest.mark.parametrize("what", LIKELY)
def test_what_is_likely_wrong_is_a_warning(what: str, tmp_path: Path) -> None:
    before, after, where, message = LIKELY[what]
    assert before in GOOD
    found = one(tmp_path, GOOD.replace(before, after, 1))
    assert not found.certain
    assert found.path.endswith(where)
    assert message in found.message
    refuse([found])


def test_an_entry_of_a_platform_that_is_off_is_likely_wrong(tmp_path: Path) -> None:
    text = GOOD.replace("    web: {}\n", "").replace("  llm:", "  access: {deny: ['web:page:public']}\n  llm:")
    found = one(tmp_path, text)
    assert (found.certain, found.path.endswith("spec.access.deny[0]")) == (False, True)
    assert not said(tmp_path, GOOD.replace("  llm:", "  access: {deny: ['terminal:user:gptbot']}\n  llm:"))


def test_a_secret_that_is_in_no_file_may_be_in_the_cluster(tmp_path: Path) -> None:
    bot = GOOD.partition("---\n")[0].replace("    discord: {tokenSecretRef: {name: shop, key: discord}}\n", "")
    bot = bot.replace("promptFrom: {configMapKeyRef: {name: prompts, key: seller}}", "prompt: Sell.")
    in_cluster = said(tmp_path, bot)
    assert len(in_cluster) == 2
    assert all("the cluster must have it" in each.message and not each.certain for each in in_cluster)
    assert all(each.certain and "add it to the manifest" in each.message for each in said(tmp_path, bot, here=True))


def test_a_platform_that_is_not_installed(tmp_path: Path) -> None:
    text = GOOD.replace("    web: {}", "    web: {}\n    extra: {matrix: {server: a}}")
    warned, refused = one(tmp_path, text), one(tmp_path, text, here=True)
    assert (warned.certain, refused.certain) == (False, True)
    assert "no platform named 'matrix' is installed; there are: discord" in refused.message


def test_an_entry_of_an_installed_platform_is_known(tmp_path: Path) -> None:
    text = GOOD.replace("    web: {}", "    extra: {matrix: {}}\n  access: {deny: ['matrix:user:Anna']}")
    assert "matrix" in one(tmp_path, text).path


def test_two_bots_must_not_share_a_token(tmp_path: Path) -> None:
    other = OTHER.replace(DISCORD, DISCORD.replace("Gabc", "Gxyz"))
    found = one(tmp_path, GOOD, other)
    assert found.certain
    assert "default/shop, default/other have the same token" in found.message
    assert not said(tmp_path, GOOD, other.replace("  llm:", "  suspend: true\n  llm:"))
    elsewhere = other.replace("telegram}}", "telegram}, apiBaseUrl: 'http://127.0.0.1:9'}")
    assert not said(tmp_path, GOOD, elsewhere)


def test_a_secret_stands_once(tmp_path: Path) -> None:
    twice = GOOD + "---\n" + GOOD.split("---\n")[1]
    assert "stands twice" in one(tmp_path, twice).message


def test_a_secret_of_another_bots_namespace_is_that_ones(tmp_path: Path) -> None:
    there = OTHER.replace("{name: other}", "{name: other, namespace: b}").replace(
        "{name: more}", "{name: more, namespace: b}"
    )
    here = GOOD.replace("name: shop, key: openai", "name: other, key: openai")
    there = there.replace(TELEGRAM, TELEGRAM.replace("1", "2")).replace(DISCORD, DISCORD.replace("Gabc", "Gxyz"))
    found = one(tmp_path, here, there)
    assert (found.certain, "the cluster must have it" in found.message) == (False, True)


def test_a_token_in_place_of_a_name_is_not_repeated(tmp_path: Path) -> None:
    found = one(tmp_path, GOOD.replace("{name: shop, key: telegram}", f"{{name: '{TELEGRAM}', key: telegram}}"))
    assert "(hidden" in found.message


def test_a_password_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    text = GOOD.replace("https://api.openai.com/v1", f"https://user:{KEY}@llm.example/v1/chat/completions")
    assert all("llm.example" in each.message for each in said(tmp_path, text) if "baseUrl" in each.path)


def test_a_list_of_objects_is_read_as_its_items(tmp_path: Path) -> None:
    items = "".join("- " + part.replace("\n", "\n  ").rstrip(" ") for part in GOOD.split("---\n"))
    assert said(tmp_path, f"apiVersion: v1\nkind: List\nitems:\n{items}") == []


WEB = """\
apiVersion: gptbot.dev/v1alpha1
kind: GptBot
metadata: {name: page}
spec: {platforms: {web: {access: ACCESS}}, llm: {embedded: {}}}
---
apiVersion: v1
kind: Secret
metadata: {name: page}
stringData: {key: VALUE}
"""


@pytest.mark.parametrize(
    ("access", "value", "certain", "message"),
    [
        ("{mode: password, passwordSecretRef: {name: page, key: key}}", "abc", False, "may soon be guessed"),
        ("{mode: password, passwordSecretRef: {name: page, key: key}}", "put-a-password-here", False, "stands for"),
        ("{mode: password, passwordSecretRef: {name: page, key: key}}", "$scrypt$bad", True, "hash cannot be used"),
        ("{mode: token, token: {issuer: a, audience: b, secretRef: {name: page, key: key}}}", "abc", True, "32 bytes"),
    ],
)
def test_the_page(access: str, value: str, certain: bool, message: str, tmp_path: Path) -> None:
    found = one(tmp_path, WEB.replace("ACCESS", access).replace("VALUE", f"'{value}'"))
    assert (found.certain, message in found.message) == (certain, True), found
    assert value not in found.message


@pytest.mark.parametrize(
    ("url", "secret", "message"),
    [
        ("http://a.example/hook", "a", "must begin with https://"),
        ("https://a.example:9000/hook", "a", "must have port"),
        ("https://a.example/hook", "a b", "no secret token"),
    ],
)
def test_a_webhook(url: str, secret: str, message: str, tmp_path: Path) -> None:
    web = f"{{tokenSecretRef: {{name: page, key: token}}, mode: webhook, webhook: {{url: '{url}', secretRef: {{name: page, key: key}}}}}}"
    text = WEB.replace("web: {access: ACCESS}", f"telegram: {web}")
    found = one(tmp_path, text.replace("key: VALUE", f"key: '{secret}', token: '{TELEGRAM}'"))
    assert found.certain
    assert message in found.message


def test_a_store(tmp_path: Path) -> None:
    text = WEB.replace("ACCESS", "{mode: open}").replace(
        "spec: {", "spec: {store: {urlSecretRef: {name: page, key: key}}, "
    )
    found = one(tmp_path, text.replace("VALUE", f"'http://:{KEY}@redis'"))
    assert (found.certain, "no known scheme" in found.message) == (True, True)
