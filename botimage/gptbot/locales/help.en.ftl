# What the bot can do
help-start = I answer questions with a language model and remember our conversation for { $ttl }.
help-direct = Just write to me, in any language.
help-direct-commands = I answer commands only.
help-group-mentioned = In this group, mention me or reply to one of my messages.
help-group-always = In this group I answer every message.
help-group-commands = In this group I answer commands only.
help-files = You may send me { $kinds } too.
help-commands = Commands; `!help summary` explains one of them, here `summary`:
help-line = • `{ $form }` – { $text }
help-for-administrators = For administrators of this chat:
help-buttons = **Stop**, **Continue** and **Regenerate** below an answer do as `!stop`, `!continue` and `!retry`.
help-limits = How much you may ask is limited: `!usage` shows what is left.
help-privacy = Before anything is stored or sent to the model, I take out { $kinds }. `!privacy` tells the rest, `!reset` erases this conversation at once.
help-privacy-none = `!privacy` tells what I keep, `!reset` erases this conversation at once.

# A greeting
start-hello = Hello! I answer questions with a language model.
start-remembers = I remember what we said for { $ttl }.
button-help = What I can do
button-persona = My roles
button-privacy = What I keep
command-start = Greet, with buttons for what I can do
command-start-aliases = hello
command-start-long = What stands behind it makes no difference: links to me may put a word there.
command-start-example-1 = Just `!start`.

# How one command works
help-one = **`{ $form }`** – { $text }
help-argument = `{ $word }`: { $text }
help-aliases = Also: { $names }
help-where-group = In groups only.
help-where-private = In a private chat with me only.
help-administrators = For administrators of the chat only.
help-private-reply = Only you see the reply, where the platform can show it so.
help-stores = Kept because of it: { $text }
help-stores-nothing = Nothing.

# The commands of the conversation itself
command-help-aliases = commands, h
command-help-long = Without a name it shows all that I can do in this chat; with one, how that command works.
command-help-argument-command = Name of a command
command-help-example-1 = `!help` shows all commands.
command-help-example-2 = `!help persona` explains `!persona`.
argument-command = command
command-about-aliases = info
command-about-example-1 = Just `!about`.
command-persona-aliases = role
command-persona-long = Without a name it lists my roles, with a button for each. A role holds for everyone in this conversation, until another is chosen or `!reset`.
command-persona-stores = The name of the role, for as long as the conversation is in use.
command-stop-aliases = cancel
command-stop-long = What was said so far stays. It waits behind nothing and counts against no limit; in a group anybody may stop any answer.
command-stop-example-1 = Just `!stop`, or the Stop button below the answer.
command-continue-aliases = more, proceed
command-continue-long = For an answer that was cut off: what comes is remembered as the rest of it. An answer that was whole goes on too, if the model has more to say.
command-continue-example-1 = Just `!continue`, or the Continue button below an answer that was cut off.
command-continue-stores = The answer, with its rest.
command-retry-aliases = again, regenerate
command-retry-long = The new answer takes the place of the old one in what I remember; if it fails, the old one stays.
command-retry-example-1 = Just `!retry`, or the Regenerate button below the answer.
command-retry-stores = The new answer, in place of the old one.
command-reset-aliases = clear, new
command-reset-long = I forget what was said in this conversation, and the role and settings chosen in it, at once.
command-reset-example-1 = Just `!reset`.
