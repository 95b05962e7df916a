# Who the bot is
about-name = I am **{ $name }**, a chat bot that answers with a language model: { $model }.
about-owner = I am run by { $owner }.
about-owner-unknown = My owner has not said who runs me.
about-contact = Contact: { $contact }
about-role = My role here: **{ $role }**.
about-program = Program: gptbot { $version }.
about-source = Source: { $source }
about-kept = • I remember the last { $messages } messages of a conversation for { $ttl } after the last one, without names or ids.
about-taken-out = • Before anything is stored or sent to the model, I take out { $kinds }.
about-nothing-taken-out = • My owner has switched off that personal data is taken out of messages: please send none.
about-more = • `!privacy` tells the rest, `!forget` erases it at once.

# The language of the bot's own texts
language-name = English
language-in-english = English
language-off = as the platform says
language-now = In this conversation I speak { $language }.
language-now-off = I speak the language that your platform names.
language-how = Another one: `!language` with one of { $names }, or `off`. Questions I answer in the language they are asked in.
language-set = I speak English here from now on. Questions I answer in the language they are asked in. `!language off` undoes it.
language-unset = From now on I speak the language that your platform names.
command-language = Choose the language I speak here
command-language-aliases = lang
command-language-long = It is for all of my own texts in this conversation, whatever language the platform names. Questions are answered in the language they are asked in.
command-language-stores = The language chosen, for as long as the conversation is in use.
command-language-argument-language = A language, or off for the one that the platform names
command-language-example-1 = For example `!language en`.
argument-language = language

# What administrators decide
settings-list = The settings of this chat:
settings-line = • `{ $name }` – { $title }: **{ $now }**
settings-how = Change one with `!settings NAME VALUE`, for example `!settings persona-lock on`; `default` undoes it.
settings-answer-in = when I answer
settings-persona-lock = only administrators change my role
settings-summary-buffer = messages are kept for summaries
settings-value-always = always
settings-value-mentioned = when mentioned
settings-value-commands = commands only
settings-value-on = on
settings-value-off = off
settings-value-default = default
settings-values = `!settings { $name }` takes one of { $values }, or `default`.
settings-answer-in-always = From now on I answer every message in this chat.
settings-withheld-privacy = But here I get only what is said to me, since my privacy mode is on. Make me an administrator of this group; or my owner switches the mode off (`/setprivacy` at @BotFather) and adds me to the group anew.
settings-withheld-content = But here I see only the texts that mention me. My owner has to set `messageContentIntent: true` and switch the message-content intent on for me (Developer Portal, Bot).
settings-answer-in-mentioned = From now on I answer in this chat when I am mentioned or replied to.
settings-answer-in-commands = From now on I answer only commands in this chat.
settings-persona-lock-on = From now on only administrators change my role in this chat.
settings-persona-lock-off = From now on everyone may change my role in this chat.
settings-summary-buffer-on = From now on I keep what is written in this chat, so that `!summary` can retell it: the last { $most } messages for { $ttl }, without names and personal data. To see all of it, I have to be an administrator here, or my privacy mode has to be off. An administrator ends it with `!settings summary-buffer off`, which deletes them at once; `!forget me` deletes your own.
settings-summary-buffer-off = I keep no messages of this chat for summaries any more. Those I had are deleted.
settings-summary-buffer-needless = Here I can read earlier messages when a summary is asked for, so I keep none.
settings-summary-buffer-never = My owner has decided that I keep no messages for summaries.
button-answer-in-always = Answer always
button-answer-in-mentioned = Answer when mentioned
button-answer-in-commands = Answer commands only
button-persona-lock-on = Lock my role
button-persona-lock-off = Unlock my role
button-summary-buffer-on = Keep messages for summaries
button-summary-buffer-off = Keep no messages
command-settings = Decide how I behave in this chat
command-settings-aliases = options
command-settings-long = When I answer, whether only administrators change my role, and whether I keep messages for summaries.
command-settings-stores = What was chosen, for as long as the chat is in use.
command-settings-argument-setting = What to change
command-settings-argument-value = Its new value
command-settings-example-1 = For example `!settings answer-in mentioned`.
command-settings-example-2 = `!settings` shows all of them.
argument-setting = setting
argument-value = value

# What was used
usage-start = What you may still use:
usage-user = • your messages: { $left } of { $of } in { $per }
usage-chat = • messages of this chat: { $left } of { $of } in { $per }
usage-bot = • messages of everybody: { $left } of { $of } in { $per }
usage-user-tokens = { $limited ->
    [none] • your tokens today: { $used } used, no limit
   *[some] • your tokens today: { $used } used, { $left } of { $of } left
}
usage-bot-tokens = { $limited ->
    [none] • everybody's tokens today: { $used } used, no limit
   *[some] • everybody's tokens today: { $used } used, { $left } of { $of } left
}
usage-user-cost = { $limited ->
    [none] • your answers cost today: { NUMBER($used, maximumFractionDigits: 4) } { $currency }, no limit
   *[some] • your answers cost today: { NUMBER($used, maximumFractionDigits: 4) } { $currency }, { NUMBER($left, maximumFractionDigits: 4) } of { NUMBER($of, maximumFractionDigits: 4) } left
}
usage-bot-cost = { $limited ->
    [none] • everybody's answers cost today: { NUMBER($used, maximumFractionDigits: 4) } { $currency }, no limit
   *[some] • everybody's answers cost today: { NUMBER($used, maximumFractionDigits: 4) } { $currency }, { NUMBER($left, maximumFractionDigits: 4) } of { NUMBER($of, maximumFractionDigits: 4) } left
}
usage-day = A token is a piece of a word. A new day begins in { DURATION($seconds) }.
command-usage = Show what you have used today and what is left
command-usage-aliases = limits
command-usage-long = Messages are counted for you, for the chat and for all together, in private chats and groups alike. Tokens, pieces of words that the model reads and writes, are counted a day.
command-usage-stores = Times of your last messages and today's sum of tokens, with what they cost where prices are set, under a name made from your id that tells nothing of it.
command-usage-example-1 = Just `!usage`.

# Whether the bot is there
ping-text = Pong! Your message was with me after { $waited } ms, and my store answered in { $store } ms.
ping-model-good = My language model has answered well.
ping-model-fallback = My language model is in trouble; another one answers in its place.
ping-model-away = My language model is in trouble. I try it again from time to time.
command-ping = Ask whether I am there, and how fast
command-ping-example-1 = Just `!ping`.
