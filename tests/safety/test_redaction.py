"""Personal data goes, everything else stays."""

import subprocess
import sys
import time
from ipaddress import IPv4Address

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as iban_numbers
from stdnum import luhn

from gptbot.safety.redaction import Redactor

KINDS = ("email", "phone", "card", "iban", "ip")
REDACTOR = Redactor(KINDS)

REPLACED = [
    ("Пишите на ivan.petrov+work@mail.ru, отвечу", "Пишите на [email], отвечу"),
    ("адрес иван@почта.рф и <a@b.co>.", "адрес [email] и <[email]>."),
    ("mail='x@y.org'; https://user:secret@host.com/", "mail='[email]'; https://user:[email]/"),
    ("Позвони мне 8 916 123-45-67 завтра", "Позвони мне [phone] завтра"),
    ("8(495)1234567 офис", "[phone] офис"),
    ("+7 916 123 45 67, +79161234567;+7(916)123-45-67", "[phone], [phone];[phone]"),
    ("пиши: 89161234567", "пиши: [phone]"),
    ("мой номер 9161234567", "мой номер [phone]"),
    ("телефон: (4852) 12-34-56, или (4852) 12-34-56", "телефон: [phone], или [phone]"),
    ("тел. № 123-45-67", "тел. № [phone]"),
    ("8 800 555 35 35 бесплатно", "[phone] бесплатно"),
    ("Тел.: 8 916 123-45-67/8 926 765-43-21", "Тел.: [phone]/[phone]"),
    ("телефон заказчика 89161234567", "телефон заказчика [phone]"),
    ("по заказу: 8 916 123-45-67", "по заказу: [phone]"),
    ("Наберите 8 029 123 45 67 или 8 701 123-45-67 или +375 29 123-45-67", "Наберите [phone] или [phone] или [phone]"),
    ("call (415) 555-2671 or 415-555-2671 or 415.555.2671", "call [phone] or [phone] or [phone]"),
    ("I am at +44 20 7946 0958, my UK phone is 020 7946 0958", "I am at [phone], my UK phone is [phone]"),
    ("wa.me/79161234567 tel:+79161234567", "wa.me/[phone] tel:[phone]"),
    ("карта 4111 1111 1111 1111 12/26 123", "карта [card] 12/26 123"),
    ("4111-1111-1111-1111 5555 5555 5555 4444; 2200 0000 0000 0004", "[card] [card]; [card]"),
    ("amex 378282246310005", "amex [card]"),
    ("GB82 WEST 1234 5698 7654 32 is my iban", "[iban] is my iban"),
    ("DE89370400440532013000, de89 3704 0044 0532 0130 00.", "[iban], [iban]."),
    ("мой IP 192.168.1.17, порт 203.0.113.9:8080", "мой IP [ip], порт [ip]:8080"),
    ("2001:db8::1 и fe80::1%eth0, ::ffff:1.2.3.4.", "[ip] и [ip]%eth0, [ip]."),
    ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "[ip]"),
    ("ivan@mail.ru, 8 916 123-45-67, 4111111111111111", "[email], [phone], [card]"),
]

KEPT = [
    "Что посмотреть в Казани?",
    "Встреча 12.05.2024 10:30 или 2024-05-12 10:30:15, 2024-05-12T10:30:15Z",
    "Я родился 22.11.1990, 8 ноября 2024 года",
    "цена 1 234 567 руб., 79 161 234 567 рублей, 89161234567 руб, $1,234,567.89",
    "Заказ 9161234567 пришёл, заказ № 89161234567 нет",
    "Order #4155552671 was shipped, invoice 415-555-2671",
    "версия 1.2.3.4, v10.0.19.41, version 2.10.0.1, п. 4.2.1.3 договора",
    "Python 3.11.7, Kubernetes 1.37.2, react@18.2.0",
    "зарезервирован 254.241.42.10, сборка 192.168.42.10",
    "слушает 127.0.0.1 и 0.0.0.0, маска 255.255.255.0, ::1",
    "12:30:45, aa:bb:cc:dd:ee:ff, std::vector, a1::b2",
    "4111 1111 1111 1112 — не карта, контрольная цифра не та",
    "ИНН 7707083893 ОГРН 1027700132195",
    "550e8400-e29b-41d4-a716-446655440000",
    "ISBN 978-5-17-118366-0; EAN 4601234567893; IMEI 356938035643809",
    "2+2000000000=? 1732304400000 1732304400 3.14159265358979",
    "координаты 55.7558260, 37.6172999",
    "https://shop.ru/orders/89161234567?id=79161234567",
    "git clone git@github.com:a/b.git, @username, @app.route, foo@bar",
    "артикул 123-45-67, код 415-555-2671",
    "DE89370400440532013001 is no account",
    "в городе 7 123 456 жителей, на 7 123 человек больше",
]


@pytest.mark.parametrize(("text", "expected"), REPLACED)
def test_personal_data_is_replaced(text: str, expected: str) -> None:
    assert REDACTOR.redact(text) == expected


@pytest.mark.parametrize("text", KEPT)
def test_other_numbers_survive(text: str) -> None:
    assert REDACTOR.redact(text) == text


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_kinds_asked_for_are_replaced(kind: str) -> None:
    everything = "ivan@mail.ru +79161234567 4111111111111111 DE89370400440532013000 203.0.113.9"
    assert Redactor([kind]).redact(everything).count("[") == 1
    assert f"[{kind}]" in Redactor([kind]).redact(everything)
    assert Redactor([]).redact(everything) == everything


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="cannot redact shoe size; there are: secret, email,"):
        Redactor(["email", "shoe size"])


@given(st.text())
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = REDACTOR.redact(text)
    assert REDACTOR.redact(once) == once


@given(st.text(alphabet=st.characters(exclude_categories=["Nd"], exclude_characters="@")))
def test_a_text_without_digits_and_at_signs_is_left_alone(text: str) -> None:
    assert REDACTOR.redact(text) == text


SENTENCES = st.tuples(
    st.sampled_from(["", "Привет, ", "My details: ", "(", "запиши - "]),
    st.sampled_from(["", ", спасибо", ". Thanks", ")"]),
)


def grouped(digits: str, size: int, separator: str) -> str:
    return separator.join(digits[i : i + size] for i in range(0, len(digits), size))


@given(st.text("0123456789", min_size=12, max_size=12), st.sampled_from(["220", "411", "510", "601"]),
       st.sampled_from(["", " ", "-", "\u00a0"]), SENTENCES)  # fmt: skip
def test_every_card_goes(body: str, issuer: str, separator: str, around: tuple[str, str]) -> None:
    digits = issuer + body
    card = grouped(digits + luhn.calc_check_digit(digits), 4, separator)
    assert REDACTOR.redact(card.join(around)) == "[card]".join(around)


@given(st.text("0123456789", min_size=18, max_size=18), st.sampled_from(["", " "]), SENTENCES)
def test_every_iban_goes(account: str, separator: str, around: tuple[str, str]) -> None:
    number = f"DE{iban_numbers.calc_check_digits(f'DE00{account}')}{account}"
    assert REDACTOR.redact(grouped(number, 4, separator).join(around)) == "[iban]".join(around)


@pytest.mark.parametrize("around", [("", ""), ("(", ")"), ("My details: ", ". Thanks"), ("запиши - ", ", спасибо")])
def test_a_phone_of_every_country_goes(around: tuple[str, str]) -> None:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number(region)
        assert example is not None
        for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
            number = phonenumbers.format_number(example, form)
            assert REDACTOR.redact(number.join(around)) == "[phone]".join(around)


@given(st.ip_addresses(v=4), SENTENCES)
def test_an_ipv4_address_goes_unless_it_stands_for_nobody(address: IPv4Address, around: tuple[str, str]) -> None:
    nobody = address.is_loopback or address.is_unspecified or address.is_reserved or address.is_multicast
    expected = str(address) if nobody else "[ip]"
    assert REDACTOR.redact(str(address).join(around)) == expected.join(around)


@pytest.mark.parametrize(
    "unit",
    ["1 ", "a.", "+7 ", "8 916 ", "4111 ", "ab12 ", "1:", "(1", "1.1.1.", "тел 123 45 67 ", "a@", "1-", "2001:db8:"],
)
def test_no_text_takes_long(unit: str) -> None:
    text = unit * (16_000 // len(unit))
    started = time.process_time()
    REDACTOR.redact(text)
    assert time.process_time() - started < 3


def test_what_is_heavy_is_imported_when_first_needed() -> None:
    code = (
        "import sys; from gptbot.safety.redaction import Redactor;"
        f"Redactor({KINDS!r}).redact('обычный вопрос, 2 + 2 = 4');"
        "print([m for m in ('phonenumbers', 'stdnum') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
