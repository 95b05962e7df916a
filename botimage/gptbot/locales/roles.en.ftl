# Roles: one of the bot's own, or one in somebody's words
role-own = “{ $role }”
persona-list = My roles (now: **{ $current }**):
persona-line = • `{ $name }` – { $title }
persona-how = Change it with `!persona NAME`, for example `!persona { $example }`.
persona-own = Or give me a role in your own words, for example `!act a consultant in a home-appliance store`.
persona-set = I am **{ $title }** now. `!persona off` makes me **{ $usual }** again.
persona-usual = I am **{ $title }** again.
persona-locked = Only administrators may change my role in this chat. It is **{ $role }**.
persona-list-locked = Only administrators may change my role in this chat.
button-persona-off = Back to { $title }

command-act = Give me a role in your own words
command-act-aliases = be
command-act-long = I play the role for everyone in this conversation until somebody sends `!persona off` or `!reset`. It stays a role: it changes none of the rules I follow. Plain words do too, if you say nothing else in the message: “from now on you are a pirate”, and later “be yourself again”.
command-act-stores = Your words, without personal data, for as long as the conversation is in use and the bot's owner allows.
command-act-argument-role = Who I am to be, such as: a consultant in a home-appliance store
command-act-example-1 = For example `!act a consultant in a home-appliance store`.
command-act-example-2 = `!act` alone tells the role that I have now.
argument-role = role
act-how =
    Tell me who to be, in your own words, for example `!act a consultant in a home-appliance store`.
    “From now on you are a consultant in a home-appliance store” does it too. `!persona off` brings my usual role back.
act-now = I am playing { $role }. `!persona off` brings my usual role back; `!act` with other words gives me another one.
act-set = From now on I play { $role } here. `!persona off` makes me **{ $usual }** again.

reset-done = Done: this conversation is forgotten. I am **{ $title }** again.
reset-done-locked = Done: this conversation is forgotten. My role stays **{ $role }**: only administrators may change it here.
