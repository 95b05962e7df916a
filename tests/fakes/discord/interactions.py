"""Slash commands (docs/interactions): registering, callbacks within 3 s, and the token that is good for 15 minutes."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass

from tests.fakes.discord import errors
from tests.fakes.discord.errors import Json, invalid_form
from tests.fakes.discord.front import Call
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.messages import Messages, checked
from tests.fakes.discord.registered import check_choices, check_command, filled, kept_option
from tests.fakes.discord.settings import Settings
from tests.fakes.discord.state import CHAT_INPUT_COMMAND, DM, LOADING, Bot, Channel, Message, User, World

_AUTOCOMPLETE, _UPDATE = 4, 7


@dataclass(slots=True)
class Interaction:
    id: str
    token: str
    bot: Bot
    user: User
    channel: Channel
    made_at: float
    pressed: Message | None = None
    """The message whose button it was."""
    original: Message | None = None
    """The answer, once there was a callback; that of a button may be the message pressed."""
    typed: tuple[Json, str] | None = None
    """Of an Autocomplete: the command, and the name of the option that is being typed."""
    choices: list[Json] | None = None
    """What the bot answered to that."""


class Interactions:
    """Commands, and what users do with them."""

    def __init__(self, world: World, gateway: Gateway, messages: Messages, settings: Settings) -> None:
        self._world = world
        self._gateway = gateway
        self._messages = messages
        self._settings = settings
        self._tokens: dict[str, Interaction] = {}

    # Application commands.

    def commands(self, call: Call) -> list[Json]:
        """Get Global Application Commands."""
        bot = self._own(call)
        full = call.query.get("with_localizations") == "true"
        left_out = () if full else ("name_localizations", "description_localizations")
        return [{key: value for key, value in command.items() if key not in left_out} for command in bot.commands]

    def overwrite(self, call: Call) -> list[Json]:
        """Bulk Overwrite Global Application Commands."""
        bot = self._own(call)
        if not isinstance(call.body, list) or len(call.body) > 100:
            raise invalid_form("", "BASE_TYPE_MAX_LENGTH", "Must be a list of 100 or fewer commands.")
        names: set[str] = set()
        known = {command["name"]: command for command in bot.commands}
        made: list[Json] = []
        for number, command in enumerate(call.body):
            check_command(command, str(number))
            if command["name"] in names:
                raise invalid_form(
                    str(number), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
                )
            names.add(command["name"])
            old = known.get(command["name"])
            made.append(
                {
                    "id": old["id"] if old else self._world.snowflake(), "application_id": bot.application,
                    "version": self._world.snowflake(), "nsfw": False,
                    "type": command.get("type", 1), "name": command["name"], "name_localizations": None,
                    "default_member_permissions": command.get("default_member_permissions"),
                    "description": command["description"], "dm_permission": True,
                    "description_localizations": command.get("description_localizations") or None,
                    "contexts": command.get("contexts"), "integration_types": command.get("integration_types") or [0],
                }
                # Like Discord, leave out what is a default.
                | ({"options": [kept_option(o) for o in command["options"]]} if command.get("options") else {})
            )  # fmt: skip
        bot.commands = made
        return made

    def _own(self, call: Call) -> Bot:
        if call.path["application"] != call.caller.application:
            raise errors.ApiError(403, 20012, "You are not authorized to perform this action on this application")
        return call.caller

    # What users do.

    def slash(self, bot: Bot, channel: Channel, user: User, name: str, argument: str | Json | None, locale: str) -> str:
        """A user gives a slash command; returns the interaction's id."""
        command = self._offered(bot, channel, user, name)
        data: Json = {"id": command["id"], "name": name, "type": 1}
        if options := filled(command, argument):
            data["options"] = options
        return self._begin(bot, channel, user, 2, data, locale, None)

    def type(self, bot: Bot, channel: Channel, user: User, name: str, option: str, typed: str, locale: str) -> str:
        """A user types into an option of a slash command; returns the interaction's id."""
        command = self._offered(bot, channel, user, name)
        found = next((one for one in command.get("options") or () if one["name"] == option), None)
        if found is None or not found.get("autocomplete"):
            raise ValueError(f"the option {option!r} of {name!r} asks the bot for nothing")
        written = {"type": found["type"], "name": option, "value": typed, "focused": True}
        data: Json = {"id": command["id"], "name": name, "type": 1, "options": [written]}
        return self._begin(bot, channel, user, _AUTOCOMPLETE, data, locale, None)

    def choices(self, interaction: str) -> list[Json] | None:
        """What the bot answered to what was typed; None: nothing yet."""
        return next((one.choices for one in self._tokens.values() if one.id == interaction), None)

    def _offered(self, bot: Bot, channel: Channel, user: User, name: str) -> Json:
        """The command as the user's client shows it. Raises ValueError when it does not."""
        command = next((c for c in bot.commands if c["name"] == name), None)
        if command is None:
            raise ValueError(f"the bot has registered no command {name!r}")
        if (1 if channel.type == DM else 0) not in (command["contexts"] or (0, 1)):
            raise ValueError(f"the command {name!r} is not shown here")
        needed = int(command["default_member_permissions"] or 0)
        if channel.guild is not None and needed:
            held = self._world.permissions(user, self._world.guilds[channel.guild])
            if held & needed != needed:
                raise ValueError(f"the command {name!r} is not shown to this user")
        return command

    def press(self, channel: Channel, user: User, message: Message, custom_id: str, locale: str) -> str:
        """A user presses a button; returns the interaction's id."""
        buttons = [button for row in message.components for button in row["components"]]
        if message.deleted or custom_id not in [button["custom_id"] for button in buttons]:
            raise ValueError(f"the message has no button {custom_id!r}")
        bot = self._world.bot_of(message.author.id)
        assert bot is not None
        data: Json = {"id": 2, "component_type": 2, "custom_id": custom_id}
        return self._begin(bot, channel, user, 3, data, locale, message)

    def _begin(
        self, bot: Bot, channel: Channel, user: User, kind: int, data: Json, locale: str, pressed: Message | None
    ) -> str:
        interaction_id = self._world.snowflake()
        token = base64.urlsafe_b64encode(f"interaction:{interaction_id}:{secrets.token_hex(64)}".encode()).decode()
        made = Interaction(interaction_id, token, bot, user, channel, time.monotonic(), pressed)
        if kind == _AUTOCOMPLETE:
            command = next(c for c in bot.commands if c["id"] == data["id"])
            made.typed = command, data["options"][0]["name"]
        self._tokens[token] = made
        event: Json = {
            "id": interaction_id, "application_id": bot.application, "type": kind, "token": token, "version": 1,
            "data": data, "channel_id": channel.id, "channel": self._world.channel_json(channel),
            "locale": locale, "context": 1 if channel.type == DM else 0,
            "entitlements": [], "attachment_size_limit": 10_485_760,
            "authorizing_integration_owners": {"0": channel.guild or "0"}, "app_permissions": str(channel.permissions),
        }  # fmt: skip
        if pressed is not None:
            event["message"] = self._world.message_json(pressed)
        if channel.guild is None:
            event["user"] = user.json()
        else:
            guild = self._world.guilds[channel.guild]
            held = str(self._world.permissions(user, guild) | channel.permissions)
            event |= {
                "guild_id": guild.id, "guild_locale": guild.preferred_locale,
                "guild": {"id": guild.id, "locale": guild.preferred_locale, "features": guild.features},
                "member": self._world.member_json(user, guild.id) | {"user": user.json(), "permissions": held},
            }  # fmt: skip
        self._gateway.dispatch(bot, channel.guild, 0, "INTERACTION_CREATE", event)
        return interaction_id

    # What bots answer.

    def callback(self, call: Call) -> Json | None:
        """Create Interaction Response."""
        interaction = self._tokens.get(call.path["token"])
        if interaction is None or interaction.id != call.path["interaction"]:
            raise errors.unknown_interaction()
        if interaction.original is not None or interaction.choices is not None:
            raise errors.already_acknowledged()
        if time.monotonic() - interaction.made_at > self._settings.interaction_deadline:
            raise errors.unknown_interaction()
        body = call.body if isinstance(call.body, dict) else {}
        data = body.get("data") or {}
        match body.get("type"):
            case 8 if interaction.typed is not None:
                check_choices(*interaction.typed, data.get("choices"))
                interaction.choices = data["choices"]
                return None
            case _ if interaction.typed is not None:
                raise invalid_form("type", "BASE_TYPE_CHOICES", "Value must be 8 for an autocomplete.")
            case 4:
                content = checked(data, interaction=True)
                message = self._message(interaction, content["content"], content.get("flags") or 0, content)
            case 5:
                message = self._message(interaction, "", LOADING | (data.get("flags") or 0) & 1 << 6)
            case 6 | 7 if interaction.pressed is not None:
                interaction.original = interaction.pressed
                if body["type"] == _UPDATE:
                    self._messages.change(interaction.channel, interaction.pressed, checked(data, edit=True))
                return None
            case _:
                raise invalid_form("type", "BASE_TYPE_CHOICES", "Value must be one of {4, 5}, or {6, 7} for a button.")
        interaction.original = message
        self._messages.post(interaction.channel, message)
        return None

    def edit(self, call: Call) -> Json:
        """Edit Original Interaction Response, Edit Followup Message."""
        interaction = self._valid(call)
        message = self._made_by(interaction, call.path["message"])
        return self._messages.change(interaction.channel, message, checked(call.body, edit=True))

    def delete(self, call: Call) -> None:
        """Delete Original Interaction Response, Delete Followup Message: an ephemeral one as well."""
        interaction = self._valid(call)
        self._messages.remove(interaction.channel, self._made_by(interaction, call.path["message"]))

    def one(self, call: Call) -> Json:
        """Get Original Interaction Response."""
        return self._world.message_json(self._made_by(self._valid(call), call.path["message"]))

    def followup(self, call: Call) -> Json:
        """Create Followup Message; right after a deferral it fills that in."""
        interaction = self._valid(call)
        body = checked(call.body, interaction=True)
        original = interaction.original
        assert original is not None
        if original.flags & LOADING:
            return self._messages.change(interaction.channel, original, body)
        message = self._message(interaction, body["content"], body.get("flags") or 0, body)
        message.reply_to = original.id
        self._messages.post(interaction.channel, message)
        return self._world.message_json(message)

    def _valid(self, call: Call) -> Interaction:
        interaction = self._tokens.get(call.path["token"])
        if interaction is None or interaction.bot.application != call.path["application"]:
            raise errors.invalid_webhook_token()
        if time.monotonic() - interaction.made_at > self._settings.interaction_lifetime:
            raise errors.invalid_webhook_token()
        if interaction.original is None:
            raise errors.unknown_webhook()
        return interaction

    def _made_by(self, interaction: Interaction, message_id: str) -> Message:
        message = interaction.original if message_id == "@original" else interaction.channel.messages.get(message_id)
        ours = message is not None and (message.interaction == interaction.id or message is interaction.pressed)
        if message is None or message.deleted or not ours:
            raise errors.unknown_message()
        return message

    def _message(self, interaction: Interaction, content: str, flags: int, body: Json | None = None) -> Message:
        return Message(
            self._world.snowflake(), interaction.channel.id, interaction.bot.user, content, CHAT_INPUT_COMMAND,
            time.time(), flags=flags, webhook=interaction.bot.application, interaction=interaction.id,
            components=(body or {}).get("components") or [],
        )  # fmt: skip
