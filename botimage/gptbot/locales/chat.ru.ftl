# Кто этот бот
about-name = Я **{ $name }**, чат-бот. Отвечаю с помощью языковой модели: { $model }.
about-owner = Мой владелец: { $owner }.
about-owner-unknown = Мой владелец не указал, кто он.
about-contact = Связь: { $contact }
about-role = Моя роль здесь: **{ $role }**.
about-program = Программа: gptbot { $version }.
about-source = Исходный код: { $source }
about-kept = • Я помню последние сообщения разговора (не больше { $messages }) ещё { $ttl } после последнего, без имён и идентификаторов.
about-taken-out = • Прежде чем что-либо сохранить или передать модели, я убираю { $kinds }.
about-nothing-taken-out = • Владелец отключил удаление личных данных из сообщений, поэтому, пожалуйста, не присылайте их.
about-more = • Остальное расскажет `!privacy`, сразу всё сотрёт `!forget`.

# Язык самого бота
language-name = Русский
language-in-english = Russian
language-off = как на платформе
language-now = В этом разговоре мой язык – { $language }.
language-now-off = Я говорю на том языке, который называет ваша платформа.
language-how = Сменить: `!language` и один из { $names } или `off`. На вопросы я отвечаю на том языке, на котором их задают.
language-set = Теперь я говорю здесь по-русски. На вопросы отвечаю на том языке, на котором их задают. `!language off` отменит это.
language-unset = Теперь я говорю на том языке, который называет ваша платформа.
command-language = Выбрать, на каком языке я здесь говорю
command-language-aliases = язык
command-language-long = Это язык всех моих собственных сообщений в этом разговоре, что бы ни называла платформа. На вопросы я отвечаю на том языке, на котором их задают.
command-language-stores = Выбранный язык, пока разговором пользуются.
command-language-argument-language = Язык или off, тогда как на платформе
command-language-example-1 = Например, `!language ru`.
argument-language = язык

# Что решают администраторы
settings-list = Настройки этого чата:
settings-line = • `{ $name }` – { $title }: **{ $now }**
settings-how = Изменить: `!settings НАСТРОЙКА ЗНАЧЕНИЕ`, например `!settings persona-lock on`; `default` вернёт как было.
settings-answer-in = когда я отвечаю
settings-persona-lock = мою роль меняют только администраторы
settings-summary-buffer = сообщения хранятся для пересказов
settings-value-always = всегда
settings-value-mentioned = когда меня упоминают
settings-value-commands = только на команды
settings-value-on = да
settings-value-off = нет
settings-value-default = по умолчанию
settings-values = Для `!settings { $name }` подходит { $values } или `default`.
settings-answer-in-always = Теперь я отвечаю в этом чате на каждое сообщение.
settings-withheld-privacy = Но здесь мне приходит только сказанное мне: у меня включён privacy mode. Сделайте меня администратором этой группы; или пусть владелец выключит его (`/setprivacy` у @BotFather) и добавит меня в группу заново.
settings-withheld-content = Но здесь я вижу только тексты, где меня упомянули. Владельцу нужно указать `messageContentIntent: true` и включить для меня message content intent (Developer Portal, раздел Bot).
settings-answer-in-mentioned = Теперь я отвечаю в этом чате, когда меня упоминают или отвечают мне.
settings-answer-in-commands = Теперь я отвечаю в этом чате только на команды.
settings-persona-lock-on = Теперь мою роль в этом чате меняют только администраторы.
settings-persona-lock-off = Теперь мою роль в этом чате могут менять все.
settings-summary-buffer-on = Теперь я храню то, что пишут в этом чате, чтобы `!summary` мог пересказать: последние сообщения (не больше { $most }), { $ttl }, без имён и личных данных. Чтобы всё видеть, мне нужно быть здесь администратором или с выключенным режимом приватности. Администратор закончит это командой `!settings summary-buffer off`, она сразу всё удалит; `!forget me` удалит ваши.
settings-summary-buffer-off = Больше не храню сообщений этого чата для пересказов. Те, что были, удалены.
settings-summary-buffer-needless = Здесь я могу прочитать прежние сообщения, когда просят пересказ, поэтому ничего не храню.
settings-summary-buffer-never = Владелец решил, что я не храню сообщений для пересказов.
button-answer-in-always = Отвечать всегда
button-answer-in-mentioned = Отвечать на упоминания
button-answer-in-commands = Только на команды
button-persona-lock-on = Закрепить роль
button-persona-lock-off = Открепить роль
button-summary-buffer-on = Хранить для пересказов
button-summary-buffer-off = Не хранить сообщения
command-settings = Решить, как мне вести себя в этом чате
command-settings-aliases = настройки
command-settings-long = Когда я отвечаю, только ли администраторы меняют мою роль и хранить ли сообщения для пересказов.
command-settings-stores = То, что выбрано, пока чатом пользуются.
command-settings-argument-setting = Что изменить
command-settings-argument-value = Новое значение
command-settings-example-1 = Например, `!settings answer-in mentioned`.
command-settings-example-2 = `!settings` покажет все настройки.
argument-setting = настройка
argument-value = значение

# Сколько израсходовано
usage-start = Сколько вам ещё можно:
usage-user = • ваших сообщений: { $left } из { $of } за { $per }
usage-chat = • сообщений этого чата: { $left } из { $of } за { $per }
usage-bot = • сообщений всех вместе: { $left } из { $of } за { $per }
usage-user-tokens = { $limited ->
    [none] • ваши токены за сегодня: израсходовано { $used }, без ограничения
   *[some] • ваши токены за сегодня: израсходовано { $used }, осталось { $left } из { $of }
}
usage-bot-tokens = { $limited ->
    [none] • токены всех за сегодня: израсходовано { $used }, без ограничения
   *[some] • токены всех за сегодня: израсходовано { $used }, осталось { $left } из { $of }
}
usage-user-cost = { $limited ->
    [none] • ваши ответы сегодня стоили: { NUMBER($used, maximumFractionDigits: 4) } { $currency }, без ограничения
   *[some] • ваши ответы сегодня стоили: { NUMBER($used, maximumFractionDigits: 4) } { $currency }, осталось { NUMBER($left, maximumFractionDigits: 4) } из { NUMBER($of, maximumFractionDigits: 4) }
}
usage-bot-cost = { $limited ->
    [none] • ответы всех сегодня стоили: { NUMBER($used, maximumFractionDigits: 4) } { $currency }, без ограничения
   *[some] • ответы всех сегодня стоили: { NUMBER($used, maximumFractionDigits: 4) } { $currency }, осталось { NUMBER($left, maximumFractionDigits: 4) } из { NUMBER($of, maximumFractionDigits: 4) }
}
usage-day = Токен – это кусочек слова. Новый день начнётся через { DURATION($seconds) }.
command-usage = Показать, сколько вы израсходовали сегодня и сколько осталось
command-usage-aliases = расход
command-usage-long = Сообщения считаются для вас, для чата и для всех вместе, одинаково в личных чатах и группах. Токены, кусочки слов, которые модель читает и пишет, считаются за день.
command-usage-stores = Время ваших последних сообщений и сумма токенов за сегодня (и их цена, если цены заданы), под именем, которое получено из вашего идентификатора и ничего о нём не говорит.
command-usage-example-1 = Просто `!usage`.

# Здесь ли бот
ping-text = Понг! Ваше сообщение дошло до меня за { $waited } мс, хранилище ответило за { $store } мс.
ping-model-good = Языковая модель отвечала хорошо.
ping-model-fallback = С языковой моделью неполадки, вместо неё отвечает другая.
ping-model-away = С языковой моделью неполадки. Время от времени пробую её снова.
command-ping = Проверить, здесь ли я и как быстро отвечаю
command-ping-example-1 = Просто `!ping`.
