# Erasing
forget-how =
    I can erase at once what I keep:
    • `!forget me` – everything about you, in all chats: your messages with my answers, all of our private chat, and what is counted of your use.
    • `!forget chat` – everything of this chat: the conversation, its summary, what was chosen here. Only administrators may.
forget-how-private = I can erase at once all that I keep of you: our conversation, its summary, what you chose here, your messages in groups, and what is counted of your use. `!forget me` does it.
forget-chat-administrators = Only administrators may erase everything of this chat. What is yours you can erase with `!forget me`.
forget-done-private = Done. Of this chat and of you I have erased:
forget-done-me = Done. Of you, in all chats, I have erased:
forget-done-chat = Done. Of this chat I have erased:
forget-messages = { $count ->
    [one] • { $count } message of the conversation
   *[other] • { $count } messages of the conversation, questions and answers together
}
forget-waiting = { $count ->
    [one] • { $count } message that waited for its answer
   *[other] • { $count } messages that waited for their answers
}
forget-summary = • the summary of earlier messages
forget-overheard = { $count ->
    [one] • { $count } message kept for summaries
   *[other] • { $count } messages kept for summaries
}
forget-settings = { $count ->
    [one] • { $count } thing chosen, such as role or language
   *[other] • { $count } things chosen, such as role and language
}
forget-letters = { $count ->
    [one] • { $count } question that I could not answer
   *[other] • { $count } questions that I could not answer
}
forget-usage = • what was counted of your use
forget-nothing = • nothing: there was nothing kept
forget-left = Counters that my limits need, numbers without names, expire by themselves within a day.
forget-choice-me = me
forget-choice-chat = this chat
button-forget-me = Erase what is mine
button-forget-chat = Erase this chat
button-forget-private = Erase everything
command-forget = Erase everything about you or this chat, at once
command-forget-aliases = erase
command-forget-long = It goes past everything that waits, also for those who are over a limit, and ends an answer that is being made. `!reset` is for a fresh start: it forgets the conversation and my role, and keeps language and settings.
command-forget-argument-what = me: everything about you, in all chats; chat: everything of this chat
command-forget-example-1 = For example `!forget me`.
command-forget-example-2 = `!forget chat` erases everything of this chat; in groups for administrators.
argument-what = me|chat
