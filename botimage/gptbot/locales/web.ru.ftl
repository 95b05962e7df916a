# Тексты веб-страницы.
web-language = ru
web-log = Беседа
web-skip = Перейти к полю ввода
web-new = Новая беседа
web-commands = Команды
web-message = Сообщение
web-placeholder = Напишите сообщение…
web-send = Отправить
web-attach = Прикрепить файлы
web-picked = Прикреплённые файлы
web-attached = Прикреплено
web-remove = Убрать
web-file-image = Картинка
web-file-text = Текстовый файл
web-file-audio = Запись
web-file-other = Файл
web-hint = Enter — отправить, Shift + Enter — новая строка.
web-hint-help = !help — список команд.
web-you = Вы
web-welcome = Чем могу помочь?
web-welcome-text = Спросите о чём угодно. Ответ появляется здесь по мере написания.
web-suggestions = Подсказки
web-chip-help = Что ты умеешь?
web-chip-about = Об этом боте
web-typing = { $bot } пишет
web-privacy = Личные данные удаляются до сохранения сообщения. Беседа стирается через { $time } после последнего сообщения.
web-privacy-plain = Беседа стирается через { $time } после последнего сообщения.
web-days = { $count ->
    [one] { $count } день
    [few] { $count } дня
   *[many] { $count } дней
}
web-hours = { $count ->
    [one] { $count } час
    [few] { $count } часа
   *[many] { $count } часов
}
web-minutes = { $count ->
    [one] { $count } минуту
    [few] { $count } минуты
   *[many] { $count } минут
}
web-seconds = { $count ->
    [one] { $count } секунду
    [few] { $count } секунды
   *[many] { $count } секунд
}
web-lost = Связь потеряна. Пробуем снова…
web-back = Связь восстановлена.
web-offline = Вы не в сети. Беседа сохранена.
web-copy = Копировать
web-copied = Скопировано
web-copy-label = Копировать код
web-refresh = Показать новые сообщения
web-refused = Не принято: достигнут предел или вам нельзя писать сюда.
web-latest = Ниже есть новые сообщения
web-error-empty = Сначала напишите что-нибудь.
web-error-long = В вашем сообщении { $length } знаков, помещается { $limit }. Пожалуйста, сократите его.
web-error-size = Ваше сообщение слишком длинное, помещается { $limit } знаков. Пожалуйста, сократите его.
web-error-form = Страница прислала что-то непонятное. Пожалуйста, перезагрузите её.
web-error-origin = Сообщение пришло с другого сайта, поэтому не принято. Пожалуйста, перезагрузите страницу.
web-error-conversation = В другом окне начата новая беседа. Пожалуйста, перезагрузите страницу.
web-error-store = Бот сейчас недоступен. Сообщение осталось в поле ввода; попробуйте ещё раз чуть позже.
web-error-load = Беседу сейчас нельзя показать. Пожалуйста, перезагрузите страницу чуть позже.
web-error-network = Сообщение не отправлено. Оно осталось в поле ввода; попробуйте ещё раз.
web-error-pages = Эта беседа открыта в слишком многих окнах. Пожалуйста, закройте лишние.
web-error-files-many = В одно сообщение помещается файлов: { $limit }. Остальные отправьте, пожалуйста, следующим.
web-error-files-size = Вместе эти файлы слишком велики; в одно сообщение помещается { $limit } МБ.
web-error-files-full = Сейчас слишком много файлов ждёт ответа. Попробуйте ещё раз чуть позже.
