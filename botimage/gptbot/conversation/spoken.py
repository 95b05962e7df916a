"""A change of role in plain words, such as "from now on you are a pirate": a rule, since asking a model costs a turn.

Only a message that is nothing but this counts. With a question in it, the model takes the role from the conversation.
"""

from __future__ import annotations

import re

MOST_CHARACTERS = 1000
"""Characters of a role."""

_POLITE = (
    r"(?:(?:please|pls|ok(?:ay)?|so|now|hey|listen|well|let'?s play|пожалуйста|плиз|ок|итак|так|слушай|эй|давай)"
    r"[,!.: ]+)*"
)
_NOW_EN = r"(?:from now on|from this moment(?: on)?|starting now|now)[, ]+"
_NOW_RU = r"(?:теперь|отныне|с этого момента|с этой минуты|впредь|сейчас)[, ]+"
_DASH = r"(?:\s*[—–-]+\s*|\s+)"

_SURE = re.compile(
    rf"{_POLITE}(?:"
    rf"{_NOW_EN}(?:you(?: are|'re|’re| will be|'ll be| shall be)|your role is|be|act as|act like|play|speak as"
    r"|answer as)"
    r"|you(?: are|'re|’re) (?:now|from now on)|you(?: will|'ll) (?:now )?(?:be|act as|play)"
    r"|(?:i want you to |i'?d like you to |you (?:must|should) )?(?:act as|act like|pretend (?:to be|you(?: are|'re))"
    r"|pretend that you(?: are|'re)|play the role of|take the role of|roleplay as|imagine (?:that )?you(?: are|'re))"
    rf"|{_NOW_RU}(?:ты|вы)(?: (?:будешь|будете|станешь|станете))?"
    rf"|(?:ты|вы){_DASH}(?:теперь|отныне|с этого момента|впредь)"
    r"|(?:ты|вы) (?:будешь|будете|станешь|станете)|(?:будь|будьте|стань|станьте)(?: теперь)?"
    r"|(?:представь|представьте|вообрази|притворись|притворитесь)(?: себе)?,? (?:что )?(?:ты|вы|будто ты|будто вы)"
    r"|(?:притворись|притворитесь|прикинься)|(?:веди|ведите) себя,? как"
    r"|(?:отвечай|отвечайте|говори|говорите|играй)(?: теперь)?,? как"
    r"|(?:сыграй|играй) роль|(?:твоя|ваша) роль|возьми на себя роль"
    rf"){_DASH}(?P<role>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
# Without such a word only what nobody says of a chat bot: a job, and where it is done.
_JOB_EN = re.compile(
    rf"{_POLITE}you(?: are|'re|’re) (?P<role>(?:an?|the|my)(?: [\w-]+){{1,4}}?"
    r" (?:in|at|of|for|from|on|with|who|that|working) \S.*)",
    re.IGNORECASE | re.DOTALL,
)
_JOB_RU = re.compile(
    rf"{_POLITE}(?:ты|вы)(?:\s*[—–-]+\s*(?P<defined>\S.*)|\s+(?P<role>(?:[а-яё]+(?:ый|ий|ой|ая|яя)\s+)?"
    r"[а-яё]{2,}(?:нт|ист|ор|ёр|ер|тель|ник|лог|граф|вед|арь|щик|чик|ач|ец|ица|яр|гид|шеф|пират|юрист|повар|врач)"
    r"(?:-[а-яё]+)?\s+(?:в|на|по|из|для|при|с|у|который|которая|магазина|компании|салона|школы|банка)\s\S.*))",
    re.IGNORECASE | re.DOTALL,
)
_NO_JOB = re.compile(
    r"(?:an?|the|my)\s+(?:bit|little|lot|great|good|bad|nice|real|true|big|huge|stupid|genius|liar|fool|star|legend|hero|life|"
    r"total|complete|waste|piece|member|part|one|kind|sort|victim|fan|best|worst|only|pain|joke|disgrace)\b",
    re.IGNORECASE,
)
_NO_ROLE = re.compile(
    r"(?:not|wrong|right|here|there|free|ready|able|sure|going|supposed|kidding|welcome|careful|kind|quiet|honest|brief|short"
    r"|polite|не|прав|права|правы|неправ|где|кто|как|тут|здесь|можешь|можете|знаешь|знаете|понял|поняла|поняли|свободен"
    r"|свободна|готов|готова|готовы|здоров|здорова|добр|добра|вежлив|краток|внимателен|внимательнее|осторожен|осторожнее"
    r"|честен|проще|короче|всё|все|это|мне|меня|сам|сама|уже|ещё|точно|просто)\b",
    re.IGNORECASE,
)


def spoken_role(text: str) -> str | None:
    """The role that a message gives to the bot, in the words of the message; None when it does something else."""
    text = text.strip()
    if "?" in text or len(text) > MOST_CHARACTERS:
        return None
    found = _SURE.fullmatch(text)
    if found is not None:
        return None if _NO_ROLE.match(found["role"]) else _trimmed(found["role"])
    found = _JOB_EN.fullmatch(text)
    if found is not None:
        return None if _NO_JOB.match(found["role"]) else _trimmed(found["role"])
    found = _JOB_RU.fullmatch(text)
    if found is not None:
        role = found["defined"] or found["role"]
        return None if _NO_ROLE.match(role) or len(role.split()) < 2 else _trimmed(role)
    return None


def _trimmed(role: str) -> str | None:
    role = role.strip().strip("\"'«»“”").rstrip(".! ")
    return role if len(role) >= 3 else None
