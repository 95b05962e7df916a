# Who may not be answered, and why
access-denied = You may not use this bot here. Its owner decides who may.
limit-user = You are sending messages faster than I may answer. Please try again in { DURATION($seconds) }.
limit-chat = There are more messages here than I may answer. Please try again in { DURATION($seconds) }.
limit-bot = Very many people are writing to me right now. Please try again in { DURATION($seconds) }.
limit-tokens = I have used up my daily budget of answers. Please come back in { DURATION($seconds) }.
limit-user-tokens = You have used up your share of my answers for today. Please come back in { DURATION($seconds) }.
limit-cost = I have used up my daily budget of answers. Please come back in { DURATION($seconds) }.
limit-user-cost = You have used up your share of my answers for today. Please come back in { DURATION($seconds) }.
budget-warning = *For you as an administrator: { $percent } % of my budget for today is used; it is new in { DURATION($seconds) }.*
limit-store = I have no room for new messages right now, so I have not kept yours. Please try again later.
limit-mute = You keep sending more messages than I may answer, so I shall not read yours for { DURATION($seconds) }. After that I will be glad to go on.
message-too-long = That is too long for me: I take up to { $most } characters in a message. Please shorten it or send it in parts.
message-too-old = This waited for an answer longer than I may keep messages, so I have dropped it unanswered. Please ask again.

# Moderation
moderation-input = I would rather not talk about that. Please ask me something else.
moderation-output = My answer was not fit to be shown, so I keep it to myself. Please ask in other words.
trouble-moderation = I cannot check messages right now, so I cannot answer yet. I will as soon as I can.
