# Trouble
trouble-unreachable = I cannot reach my language model right now. I will answer as soon as it is back.
trouble-timeout = My language model is taking too long. I will answer as soon as it does.
trouble-overloaded = My language model is overloaded right now. I will answer as soon as it has room.
trouble-quota = My language model's quota is used up, so I cannot answer yet. I will try again; the owner has to top it up.
trouble-unauthorized = My language model refuses my key, so I cannot answer yet. I will try again; the owner has to check the key.
trouble-not_found = My language model is not there under the name I was given. I will try again; the owner has to check it.
trouble-context_too_long = This conversation has become too long for my language model. Send `!reset` to start afresh.
trouble-refused = My language model refused to answer this.
trouble-bad_stream = The answer broke off. I will try again in a moment.
trouble-bad_request = My language model does not understand my request. I will try again; the owner has to check the settings.
slow-model = My language model takes longer than usual. I am waiting for it.
trouble-internal = Something went wrong on my side. I will try again in a moment.
trouble-no_text = My language model came to its end without a word of an answer. Please ask for something smaller, or in other words.
trouble-given-up = I am sorry, I could not get an answer to this after several tries. Please ask again later.
trouble-empty = My language model gave an empty answer. Please put it in other words.

# Why an answer ends early
cut-stopped = *Stopped.*
cut-budget = *My budget for today ended here.*
cut-time = *This took too long, so I ended it here.*
cut-length = *The answer was cut off here: it had reached the longest that it may be.*
cut-loop = *I had begun to repeat myself, so I ended it here.*
cut-filter = *A content filter ended the answer here.*

# Buttons
button-stop = Stop
button-retry = Regenerate
button-continue = Continue

# Commands
command-help = Show what I can do
command-about = Tell who I am and what I keep
command-persona = Show or change my role
command-stop = End the answer I am writing
command-continue = Go on with my last answer
command-retry = Ask me the last question again
command-reset = Forget this conversation and start afresh

kind-email = e-mail addresses
kind-phone = phone numbers
kind-card = card numbers
kind-iban = bank accounts
kind-ip = IP addresses
kind-passport = passport numbers
kind-taxid = tax and insurance numbers
kind-secret = passwords and keys

stop-nothing = I am not writing an answer, so there is nothing to stop.
stop-done = I have stopped.

continue-nothing = There is no answer here that I could go on with: it went on already, or another one came after it.
retry-nothing = There is no question here that I could answer again.

duration-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
duration-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
duration-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
duration-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
