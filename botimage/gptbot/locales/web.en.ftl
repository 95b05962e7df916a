# Texts of the web page.
web-language = en
web-log = Conversation
web-skip = Skip to the message box
web-new = New conversation
web-commands = Commands
web-message = Message
web-placeholder = Write a message…
web-send = Send
web-attach = Attach files
web-picked = Attached files
web-attached = Attached
web-remove = Remove
web-file-image = Image
web-file-text = Text file
web-file-audio = Recording
web-file-other = File
web-hint = Enter sends, Shift + Enter starts a new line.
web-hint-help = !help lists the commands.
web-you = You
web-welcome = How can I help?
web-welcome-text = Ask anything. The answer appears here while it is being written.
web-welcome-small = A small model answers here, for trying things out: it speaks English only, and is often wrong.
web-suggestions = Suggestions
web-chip-help = What can you do?
web-chip-about = About this bot
web-chip-small = In English: { $question }
web-typing = { $bot } is writing
web-privacy = Personal data is taken out before a message is stored. This conversation is deleted { $time } after its last message.
web-privacy-plain = This conversation is deleted { $time } after its last message.
web-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
web-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
web-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
web-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
web-lost = Connection lost. Trying again…
web-back = Connected again.
web-offline = You are offline. Your conversation is kept.
web-copy = Copy
web-copied = Copied
web-copy-label = Copy code
web-refresh = Show new messages
web-refused = Not taken: there is a limit, or you may not write here.
web-latest = New messages below
web-error-empty = Write something first.
web-error-long = Your message has { $length } characters; { $limit } fit. Please shorten it.
web-error-size = Your message is too long; { $limit } characters fit. Please shorten it.
web-error-form = The page sent something that is not understood. Please reload it.
web-error-origin = This message came from another website, so it was not taken. Please reload the page.
web-error-conversation = A new conversation was started elsewhere. Please reload the page.
web-error-store = The bot cannot be reached right now. Your message is kept in the box; please try again in a moment.
web-error-load = The conversation cannot be shown right now. Please reload the page in a moment.
web-error-network = The message could not be sent. It is still in the box; please try again.
web-error-slow = The message arrived too slowly. Please try again, or send smaller files.
web-error-pages = This conversation is open in too many windows. Please close some.
web-error-files-many = { $limit } files fit into one message. Please send the others with another.
web-error-files-size = These files are too large together; { $limit } MB fit into one message.
web-error-files-full = Many files are waiting for their answers right now. Please try again in a moment.
web-login = Log in
web-logout = Log out
web-login-password = Password
web-login-token = Please open this page from the site that it belongs to.
web-error-login = Your login has ended. Please reload the page and log in again; copy first what you have written.
web-error-password = This is not the password. Please try again.
web-error-tries = There were too many tries to log in. Please try again in a few minutes.
web-error-token = This login is no longer good. Please open the page again from the site that it belongs to.
web-error-refused = This login was not accepted. Please try again, or with another account.
web-error-issuer = Logging in is not possible right now. Please try again in a moment.
web-error-store-login = The bot cannot be reached right now. Please try again in a moment.
web-error-address = Too many requests come from your network right now. Please try again in a moment.
