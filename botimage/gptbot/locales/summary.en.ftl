# Words in what part of a conversation is meant, with commas between them
words-since = since, from, last, the, past, in, for
words-moment = since, from
words-ago = ago
words-messages = messages, message, msgs
words-today = today
words-yesterday = yesterday

argument-period = what

command-summary = Retell this chat in short
command-summary-aliases = recap, tldr
command-summary-long =
    Who said, asked, decided and promised what: without names, people appear as `@user-k3Fq`.
    Without an argument: since your last message, else the last 50 messages. `!summary 100` takes the last 100 messages, `!summary 2h` or `!summary since 14:00` all since then (UTC; `14:00+3` for another time zone), `!summary today` all of today. At most 1,000 messages.
    Where the platform lets me read earlier messages, I read them when you ask. Where it does not, I retell what an administrator had me keep with `!settings summary-buffer on`; without that, and in private chats, what I was asked and answered. To see all messages of a group, I have to be its administrator on some platforms.
    The Stop button or `!stop` ends it.
command-summary-argument-period = Messages or time: 100, 2h, since 14:00, today
command-summary-example-1 = `!summary` retells what you missed.
command-summary-example-2 = `!summary 100` retells the last 100 messages.
command-summary-example-3 = `!summary since 14:00` retells what was said since 14:00 UTC.
command-summary-stores = Nothing of what I read for it, and nothing of the retelling.

summary-messages = { $count ->
    [one] { $count } message
   *[other] { $count } messages
}
summary-head-mine = **Since your last message** ({ $messages }, { $from } – { $to } UTC)
summary-head-last = **{ $messages }** ({ $from } – { $to } UTC)
summary-head-own = **What I was asked and answered here** ({ $messages })
summary-no-buffer = *I keep no other messages of this chat. Its administrators can have me keep them for `!summary`: `!settings summary-buffer on`.*
summary-nothing = There is nothing to retell.
summary-gathering = Reading the chat…
summary-reading = Reading: { $done } of { $parts } …
summary-no-permission = I cannot read the earlier messages here. Please give my role the permission “Read Message History” in this channel.
summary-no-content = I cannot see the texts of messages here. My owner has to switch on the message-content intent for me (Developer Portal, Bot).
summary-trouble = The platform does not let me read the chat right now. Please try again in a few minutes.
