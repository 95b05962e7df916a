# Что не так с командой
wrong-missing = Нужно ещё указать: { $argument }. Вот так: `{ $form }`. { $example }
wrong-many = Это больше, чем нужно. Вот так: `{ $form }`. { $example }
wrong-choice = Не знаю, что такое «{ $word }». Вот так: `{ $form }`, где можно указать { $names }.
wrong-choice-near = Не знаю, что такое «{ $word }». Может быть, `{ $near }`? Вот так: `{ $form }`. { $example }
wrong-number = «{ $word }» не подходит. Вот так: `{ $form }`, где число от { NUMBER($least, useGrouping: 0) } до { NUMBER($most, useGrouping: 0) }. { $example }
wrong-long = Слишком длинно: в `{ $form }` помещается не больше { NUMBER($most, useGrouping: 0) } символов. { $example }
wrong-value = Не понимаю «{ $word }» на месте «{ $argument }». Вот так: `{ $form }`. { $example }
wrong-period = Не понимаю «{ $word }». Скажите, сколько сообщений или с какого времени: `100`, `2ч`, `14:00`, `сегодня`. Вот так: `{ $form }`. { $example }
command-unknown = Такой команды у меня нет. Все команды покажет `!help`.
command-unknown-near = Такой команды у меня нет. Может быть, `!{ $near }`? Все команды покажет `!help`.
command-not-offered = У этого бота нет `!{ $name }`. Что есть, покажет `!help`.
command-groups-only = `!{ $name }` работает только в группах.
command-private-only = `!{ $name }` работает только в личном чате со мной. Отправьте, пожалуйста, там.
command-administrators-only = `!{ $name }` могут использовать только администраторы этого чата.

# Слова в аргументах, через запятую
words-seconds = с, сек, секунд, секунда, секунды, секунду
words-minutes = м, мин, минут, минута, минуты, минуту
words-hours = ч, час, часа, часов
words-days = д, дн, день, дня, дней, сутки, суток
words-weeks = нед, неделя, недели, недель, неделю
words-mine = я, меня, моё, моего, моего последнего, моего последнего сообщения

# Имена аргументов в образцах команд
argument-name = имя

# Команды
command-persona-argument-name = Одна из моих ролей или off
command-persona-example-1 = Например, `!persona { $persona }`.
command-persona-example-2 = `!persona off` вернёт обычную роль.
persona-off = обычная роль
