# Что бот умеет
help-start = Я отвечаю на вопросы с помощью языковой модели и помню наш разговор { $ttl }.
help-direct = Просто напишите мне на любом языке.
help-direct-commands = Я отвечаю только на команды.
help-group-mentioned = В этой группе упомяните меня или ответьте на моё сообщение.
help-group-always = В этой группе я отвечаю на каждое сообщение.
help-group-commands = В этой группе я отвечаю только на команды.
help-files = Ещё мне можно присылать { $kinds }.
help-commands = Команды; `!help summary` объяснит одну из них, здесь `summary`:
help-line = • `{ $form }` – { $text }
help-for-administrators = Для администраторов этого чата:
help-buttons = Кнопки **Остановить**, **Продолжить** и **Ответить заново** под ответом делают то же, что `!stop`, `!continue` и `!retry`.
help-limits = Сколько можно спрашивать, ограничено: `!usage` покажет, что осталось.
help-privacy = Прежде чем что-либо сохранить или передать модели, я убираю { $kinds }. Остальное расскажет `!privacy`, а `!reset` сразу стирает этот разговор.
help-privacy-none = Что я храню, расскажет `!privacy`, а `!reset` сразу стирает этот разговор.

# Приветствие
start-hello = Здравствуйте! Я отвечаю на вопросы с помощью языковой модели.
start-remembers = Наш разговор я помню { $ttl }.
button-help = Что я умею
button-persona = Мои роли
button-privacy = Что я храню
command-start = Поздороваться и показать кнопки с тем, что я умею
command-start-aliases = старт, привет
command-start-long = Что стоит после имени, неважно: ссылки на меня могут добавить туда слово.
command-start-example-1 = Просто `!start`.

# Как работает одна команда
help-one = **`{ $form }`** – { $text }
help-argument = `{ $word }`: { $text }
help-aliases = Ещё так: { $names }
help-where-group = Только в группах.
help-where-private = Только в личном чате со мной.
help-administrators = Только для администраторов чата.
help-private-reply = Ответ видите только вы, если платформа это умеет.
help-stores = Что хранится из-за неё: { $text }
help-stores-nothing = Ничего.

# Команды самого разговора
command-help-aliases = помощь, справка, команды
command-help-long = Без имени показывает всё, что я умею в этом чате; с именем – как работает эта команда.
command-help-argument-command = Имя команды
command-help-example-1 = `!help` покажет все команды.
command-help-example-2 = `!help persona` объяснит `!persona`.
argument-command = команда
command-about-aliases = инфо
command-about-example-1 = Просто `!about`.
command-persona-aliases = роль
command-persona-long = Без имени показывает список ролей, с кнопкой для каждой. Роль действует для всех в этом разговоре, пока не выбрана другая или не отправлено `!reset`.
command-persona-stores = Имя роли, пока разговором пользуются.
command-stop-aliases = стоп, хватит
command-stop-long = Сказанное останется. Команда ничего не ждёт и не входит ни в какой предел; в группе любой может остановить любой ответ.
command-stop-example-1 = Просто `!stop` или кнопка «Остановить» под ответом.
command-continue-aliases = дальше, продолжи
command-continue-long = Для ответа, который оборвался: продолжение я запомню как его конец. Законченный ответ тоже продолжится, если модели есть что добавить.
command-continue-example-1 = Просто `!continue` или кнопка «Продолжить» под оборвавшимся ответом.
command-continue-stores = Ответ вместе с продолжением.
command-retry-aliases = заново, повтори
command-retry-long = В том, что я помню, новый ответ займёт место старого; если он не удастся, останется старый.
command-retry-example-1 = Просто `!retry` или кнопка «Ответить заново» под ответом.
command-retry-stores = Новый ответ, на месте старого.
command-reset-aliases = сброс, сбросить
command-reset-long = Я сразу забываю, что было сказано в этом разговоре, а также выбранные в нём роль и настройки.
command-reset-example-1 = Просто `!reset`.
