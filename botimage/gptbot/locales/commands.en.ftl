# What is wrong with a command
wrong-missing = Please say { $argument } too: `{ $form }`. { $example }
wrong-many = That is more than I need: `{ $form }`. { $example }
wrong-choice = I do not know “{ $word }”. Use `{ $form }` with one of { $names }.
wrong-choice-near = I do not know “{ $word }”. Did you mean `{ $near }`? Use `{ $form }`. { $example }
wrong-number = “{ $word }” does not fit: use `{ $form }` with a number from { NUMBER($least, useGrouping: 0) } to { NUMBER($most, useGrouping: 0) }. { $example }
wrong-long = That is too long: up to { NUMBER($most, useGrouping: 0) } characters fit into `{ $form }`. { $example }
wrong-value = I do not understand “{ $word }” as { $argument }. Use `{ $form }`. { $example }
wrong-period = I do not understand “{ $word }”. Say how many messages, or since when: `100`, `2h`, `14:00`, `today`. Use `{ $form }`. { $example }
command-unknown = I have no such command. `!help` shows all that I have.
command-unknown-near = I have no such command. Did you mean `!{ $near }`? `!help` shows all that I have.
command-not-offered = This bot does not have `!{ $name }`. `!help` shows what it has.
command-groups-only = `!{ $name }` works in groups only.
command-private-only = `!{ $name }` works in a private chat with me only. Please send it there.
command-administrators-only = Only administrators of this chat may use `!{ $name }`.

# Words in arguments, with commas between them
words-seconds = s, sec, second, seconds
words-minutes = m, min, minute, minutes
words-hours = h, hour, hours
words-days = d, day, days
words-weeks = w, week, weeks
words-mine = me, mine, my last, my last message

# Names of arguments, as they stand in a command's form
argument-name = name

# Commands
command-persona-argument-name = One of my roles, or off
command-persona-example-1 = For example `!persona { $persona }`.
command-persona-example-2 = `!persona off` brings my usual role back.
persona-off = usual role
