"""A change of role in plain words, such as "from now on you are a pirate": a rule, since asking a model costs a turn.

Only a message that is nothing but this counts. With a question in it, the model takes the role from the conversation.
"""

from __future__ import annotations

import re

from gptbot.conversation.persona import OFF, named
from gptbot_api import GptBotSpec

MOST_CHARACTERS = 1000
"""Characters of a role."""
MOST_CHARACTERS_OF_END = 120
"""Characters of a message that ends one."""

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

_ARTICLE = re.compile(r"(?:an?|the|my|our|наш(?:им|ей)?|мо(?:им|ей)|мой|моя)\s+", re.IGNORECASE)

_ROLE_EN = r"(?:the |that |this |your |playing |being )*(?:role|character|part|persona)"
_USUAL_EN = (
    r"(?:(?:just |simply )?(?:the |an? |your )?(?:usual|normal|ordinary|regular|default|old|real|true)(?: \w+)?"
    r"|yourself)"
)
_USUAL_RU = (
    r"(?:(?:сам(?:им|ой)? собой|собой|прежн(?:им|ей|ий|яя)|прежний)"
    r"|(?:обычн|нормальн|стандартн|прост)(?:ый|ая|ым|ой)(?: (?:бот|ассистент|помощник)(?:ом)?)?"
    r"|(?:просто )?(?:бот|ассистент|помощник)(?:ом)?)"
)
_END = re.compile(
    rf"{_POLITE}(?:(?:forget (?:it|that|about it)|enough|that'?s enough|забудь(?:те)?(?: об этом)?|хватит|достаточно"
    r"|всё|все)[,.! ]+)?(?:"
    r"(?:stop|quit|no more) (?:pretending|acting|role-?playing|the role-?play"
    rf"|playing (?:{_ROLE_EN}|a role|roles|around)|being {_ROLE_EN})"
    rf"|(?:drop|leave|end|forget) {_ROLE_EN}|(?:break|drop|get out of|come out of) (?:the |your )?character"
    rf"|(?:now |from now on |just )*(?:be|become) {_USUAL_EN}(?: again| now| once more)*"
    rf"|(?:go|come|turn|change|switch) back to (?:being )?{_USUAL_EN}"
    rf"|you(?: are|'re|’re) {_USUAL_EN} (?:again|once more)|you(?: are|'re|’re) (?:again|once more) {_USUAL_EN}"
    r"|(?:перестань(?:те)?|прекрати(?:те)?|хватит|кончай|довольно)"
    r" (?:притворяться|прикидываться|играть(?: (?:эту )?роль)?|ломать комедию)"
    r"|(?:выйди|выйдите|выходи|выходите) из (?:роли|образа)"
    r"|(?:забудь|забудьте|оставь|оставьте|брось|бросьте) (?:эту |свою )?роль"
    rf"|(?:снова |опять |теперь )*(?:будь|будьте|стань|станьте)(?: снова| опять| теперь)* {_USUAL_RU}(?: снова| опять)?"
    rf"|(?:теперь )?(?:ты|вы)(?:\s*[—–-]+)?(?: теперь)? (?:снова|опять)(?:\s*[—–-]+)? {_USUAL_RU}"
    r"|(?:снова |опять )?верни(?:тесь|сь) (?:к обычной роли|в обычн\w+ (?:режим|роль|состояние)|обратно)"
    r")(?:,? (?:please|pls|пожалуйста|плиз|now))?[\s.!)]*",
    re.IGNORECASE,
)


def spoken_command(spec: GptBotSpec, text: str) -> tuple[str, str] | None:
    """The command that a message amounts to, with its argument: `persona` or `act`; None when it is a message."""
    if spoken_end(text):
        return "persona", OFF
    role = spoken_role(text)
    if role is None:
        return None
    known = named(spec, role) or named(spec, _ARTICLE.sub("", role, count=1))
    if known is not None:
        return "persona", known.name
    return ("act", role) if spec.custom_persona == "allowed" else None


def spoken_end(text: str) -> bool:
    """Whether a message takes the bot out of its role, and does nothing else."""
    return len(text) <= MOST_CHARACTERS_OF_END and _END.fullmatch(text.strip()) is not None


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
