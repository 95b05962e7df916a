# The guide of commands (docs/commands.md)
guide-title = Commands
guide-intro =
    In the messengers a command begins with `/`: there it can be tapped, stands in a menu, and reaches the bot in groups too. On the web page it begins with `!` or `/`, and a menu stands at the top. `!` works on all platforms wherever the message itself reaches the bot: in private chats, behind a mention, and in groups whose messages it may see. Upper or lower case does not matter. They work in groups too, whatever `answerIn` says, unless one is for somebody else's bot (`/help@other_bot`).

    Names in all languages work everywhere. A mistyped command is answered with the one that was probably meant, in private chats and where the bot is mentioned; commands of other bots in a group are left alone. A wrong argument is answered with the right form. In the forms below, what may be left out stands in brackets.
guide-command = command
guide-what = what it does
guide-buttons =
    An answer that is being made has a **Stop** button, a finished one **Regenerate**, one that was cut off **Continue**, and the list of roles a button for each role, where the platform has buttons. `!stop` ends one answer, with all the messages that were merged into it, within about a second: what was sent while it was being made is answered next. Where the model has finished, the answer goes out whole. An answer that has not begun, or waits for another try, ends too. The next question knows what was said until then.
guide-each = Each of them
guide-questions = Everything else
guide-questions-text = Anything else is a question for the model, as `spec.answerIn` says; administrators of a group change that for it with `!settings answer-in`:
guide-direct = private chats, web page (`direct`)
guide-groups = groups, channels, threads (`groups`)
guide-every = every message
guide-mention = a mention, or a reply to the bot
guide-only = commands only
guide-default = { $what } (default)
guide-conversations = A conversation is a private chat, a group, a topic of a forum, a channel, a thread, or a session of the web page. They never mix. The bot speaks English or Russian, as the person's platform says or `!language` chose; the model answers in the language it is asked in.
guide-administrators = Administrators of a chat are those whom the platform names so: owner and administrators of a group, also anonymous ones, or whoever may manage a server. Those in `spec.access.administrators` count everywhere. In private chats and on the web page, everybody is their own.
