"""Which forms does forms_of make, with dictionaries and without?"""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchers.forms import LANGUAGES, dictionaries, forms_of, is_known, languages_of

# language, word, forms that must be there, forms that must not
BY_RULES = [
    ("be", "горад", "горада гораду горадам горадзе гарады гарадоў гарадамі гарадах", ""),
    ("be", "вайна", "вайны вайне вайну вайной войны войнаў войнамі", ""),
    ("be", "рака", "ракі рацэ раку ракой рэкі рэк рэкамі", ""),
    ("be", "Беларусь", "беларусі беларуссю", "беларус"),
    ("be", "Баранавічы", "баранавічаў баранавічам баранавічах", "баранавічага"),
    ("be", "Асіповічы", "асіповіч асіповічаў", "асіповічыя"),
    ("be", "Мачулішчы", "мачулішчаў мачулішчах", "мачулішчага"),
    ("be", "Лукашэнка", "лукашэнкі лукашэнку лукашэнкам лукашэнкам", ""),
    ("be", "Пуцін", "пуціна пуціну пуціным пуціне", ""),
    ("be", "Казлоў", "казлова казлову казловым казлове", "казлоўа"),
    ("be", "Ціханоўская", "ціханоўскай ціханоўскую", ""),
    ("be", "Мінск", "мінска мінску мінскам", "менск"),
    ("be", "вайсковец", "вайскоўца вайскоўцы вайскоўцаў вайскоўцамі", ""),
    ("be", "баец", "байца байцу байцы байцоў", ""),
    ("be", "пачатак", "пачатку пачаткам", ""),
    ("be", "травень", "траўня траўні", ""),
    ("be", "рашэнне", "рашэння рашэнні рашэннем рашэнняў", ""),
    ("be", "дзейнасць", "дзейнасці дзейнасцю", ""),
    ("be", "моладзь", "моладзі моладдзю", ""),
    ("be", "чалавек", "людзі людзей людзям людзьмі чалавека", ""),
    ("be", "дзяўчынка", "дзяўчынак дзяўчынкі дзяўчынцы", ""),
    ("be", "мінчанін", "мінчане мінчан мінчанам мінчаніна", ""),
    ("be", "вайсковы", "вайсковага вайсковая вайсковыя вайсковымі", ""),
    ("be", "чыгуначны", "чыгуначнага чыгуначная чыгуначных", ""),
    ("be", "затрымаць", "затрымаў затрымалі затрымаюць затрымана затрыманых", ""),
    ("be", "друкаваць", "друкуе друкуюць друкаваў", ""),
    ("be", "рабіць", "раблю робіць робяць рабіў", ""),
    ("be", "баяцца", "баяўся баялася баяліся", ""),
    ("be", "тэма", "тэмы тэму тэмаў", "там"),
    ("ru", "эшелон", "эшелона эшелону эшелоном эшелоны эшелонов эшелонами", ""),
    ("ru", "Барановичи", "барановичей барановичам барановичами барановичах", ""),
    ("ru", "Лунинец", "лунинца лунинцу лунинце", ""),
    ("ru", "Путин", "путина путину путиным путине", ""),
    ("ru", "станция", "станции станцию станцией станций станциях", ""),
    ("ru", "лодка", "лодки лодке лодку лодок лодками", ""),
    ("ru", "день", "дня дню днём дни дней", ""),
    ("ru", "посол", "посла послы послов", "после"),
    ("ru", "воинский", "воинского воинская воинских", ""),
    ("ru", "атаковать", "атаковал атакует атакуют атаковали", ""),
    ("ru", "взорваться", "взорвался взорвалась взорвались", ""),
    ("uk", "Львів", "львова львову львовом львові", ""),
    ("uk", "Київ", "києва києву києві", ""),
    ("uk", "Чернівці", "чернівців чернівцям чернівцях", ""),
    ("uk", "лікар", "лікаря лікарю лікарі лікарів", ""),
    ("uk", "боєць", "бійця бійці бійців бійцям", ""),
    ("uk", "ніч", "ночі ніччю ночей", ""),
    ("uk", "школа", "школи школі школу шкіл", ""),
    ("uk", "рішення", "рішенням рішень рішеннях", ""),
    ("uk", "Зеленський", "зеленського зеленському зеленським", ""),
    ("uk", "атакувати", "атакував атакує атакують атакували", ""),
    ("uk", "коло", "кола колу", "коли"),
    ("pl", "pociąg", "pociągu pociągiem pociągi pociągów", ""),
    ("pl", "Kraków", "krakowa krakowem krakowie", ""),
    ("pl", "Warszawa", "warszawy warszawie warszawę warszawą", ""),
    ("pl", "droga", "drogi drodze drogę dróg", ""),
    ("pl", "most", "mostu moście mosty mostów", ""),
    ("pl", "ojciec", "ojca ojcu ojcem", ""),
    ("pl", "wojskowy", "wojskowego wojskowa wojskowych", ""),
    ("pl", "atakować", "atakuje atakują atakował", ""),
    ("pl", "prawo", "prawa prawu prawem", "prawie"),
    ("en", "train", "trains train's", "trained training"),
    ("en", "army", "armies army's", ""),
    ("en", "airman", "airmen", ""),
    ("en", "leaf", "leaves", ""),
    ("en", "base", "bases base's", "based"),
    ("en", "mobilize", "mobilized mobilizing mobilizes", ""),
]
BY_DICTIONARY = [
    ("ru", "ребенок", "ребёнка ребёнку", ""),
    ("ru", "эшелон", "эшелона эшелонов эшелонами", ""),
    ("ru", "дроны", "дрона дронов дронами", ""),  # a word need not be given in its first form
    ("ru", "посол", "посла послы", "после"),
    ("ru", "вечер", "вечера вечером", ""),
    ("ru", "русский", "русского русская русских", ""),
    ("uk", "місто", "міста місту місті міст", "місце"),
    ("pl", "pociągi", "pociąg pociągu pociągów", ""),
    ("pl", "miasto", "miasta mieście miast", ""),
    ("pl", "lato", "latem", "lat"),
]
WITHOUT_A_LANGUAGE = [
    ("Баранавічы", "баранавічаў", ""),
    ("горад", "горада гарады гарадоў", ""),
    ("дума", "думы думу", "думаю"),  # known in Russian: no Belarusian guesses that are other words
    ("місто", "міста", "місце"),
    ("note", "notes", "not"),  # a Latin word that Polish does not know is English
    ("Trump", "trumpa trumpem trump's", ""),
    ("поезд-призрак", "поезда-призрака поездом-призраком поездах-призраках", "поезда-призраков"),
    ("паўднёва-заходні", "паўднёва-заходняга", ""),
    ("Санкт-Петербург", "санкт-петербурга", "санкта-петербурга"),
]


@pytest.fixture
def no_dictionaries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionaries, "dictionary", lambda language: None)


@pytest.fixture
def all_dictionaries() -> None:
    for language in ("ru", "uk", "pl"):
        if dictionaries.dictionary(language) is None:
            pytest.skip(f"no dictionary for {language} is installed")


def claims(word: str, made: frozenset[str], wanted: str, unwanted: str) -> None:
    assert set(wanted.split()) <= made, word
    assert not set(unwanted.split()) & made, word


@pytest.mark.usefixtures("no_dictionaries")
@pytest.mark.parametrize(("language", "word", "wanted", "unwanted"), BY_RULES)
def test_rules_alone_make_the_forms(language: str, word: str, wanted: str, unwanted: str) -> None:
    claims(word, forms_of(word, [language]), wanted, unwanted)


@pytest.mark.usefixtures("all_dictionaries")
@pytest.mark.parametrize(("language", "word", "wanted", "unwanted"), BY_DICTIONARY)
def test_a_dictionary_knows_better(language: str, word: str, wanted: str, unwanted: str) -> None:
    claims(word, forms_of(word, [language]), wanted, unwanted)


@pytest.mark.usefixtures("all_dictionaries")
@pytest.mark.parametrize(("word", "wanted", "unwanted"), WITHOUT_A_LANGUAGE)
def test_without_a_language_all_that_may_apply(word: str, wanted: str, unwanted: str) -> None:
    claims(word, forms_of(word), wanted, unwanted)
    claims(word, forms_of(word, LANGUAGES), wanted, unwanted)


@pytest.mark.parametrize(
    ("word", "languages"),
    [
        ("воўк", "be"),
        ("баранавічы", "be"),
        ("київ", "uk"),
        ("ґанок", "uk"),
        ("поезд", "be ru uk"),
        ("теракт", "ru uk"),
        ("мышь", "ru"),
        ("віза", "be uk"),
        ("завод", "be ru uk"),
        ("łódź", "pl"),
        ("train", "en pl"),
        ("взвод-wz", "be en pl ru uk"),
    ],
)
def test_letters_tell_the_languages(word: str, languages: str) -> None:
    assert languages_of(word) == set(languages.split())


def test_unmistakable_abbreviations_count_as_forms() -> None:
    assert "млн" in forms_of("мільён", ["be"])
    assert "тыс" in forms_of("тысяча", ["ru"])


def test_a_short_form_is_no_form_but_a_short_word_is_one() -> None:
    assert all(len(form) > 2 for form in forms_of("оса", ["ru"]))
    assert "юг" in forms_of("юг", ["ru"])


@pytest.mark.parametrize("word", ["су-30", "2с3", "hello world", "a.b", "", "-", "😀"])
def test_what_is_no_word_has_one_form(word: str) -> None:
    assert forms_of(word) == {word}


def test_apostrophes_of_all_kinds_are_one() -> None:
    assert forms_of("сям’я", ["be"]) - {"сям’я"} == forms_of("сям'я", ["be"])


@pytest.mark.usefixtures("all_dictionaries")
def test_dictionaries_know_words_in_any_form() -> None:
    assert is_known("эшелонами")
    assert is_known("krakowa")
    assert not is_known("эшелонище")
    assert not is_known("горад", ["be"])


@pytest.mark.usefixtures("no_dictionaries")
def test_nothing_is_known_without_dictionaries() -> None:
    assert not is_known("эшелон")


@pytest.mark.usefixtures("all_dictionaries")
def test_an_unknown_name_has_few_forms() -> None:
    names = [a + b + c for a in ("бава", "гозу", "жока") for b in "лмн" for c in ("ольск", "эра")]

    assert max(len(forms_of(name)) for name in names) <= 40


@given(st.text(max_size=60), st.lists(st.sampled_from(LANGUAGES), max_size=3))
@settings(max_examples=200, deadline=None)
def test_any_text_has_itself_as_a_form(text: str, languages: list[str]) -> None:
    made = forms_of(text, languages)

    assert unicodedata.normalize("NFC", text.lower()) in made
    assert all(form == form.lower() for form in made)


CYRILLIC = "абвгдеёжзійклмнопрстуўфхцчшщъыьэюяиїєґ'-"


@given(st.one_of(st.text(CYRILLIC, max_size=14), st.text("abcćdeęłnóśzźsiwy'-", max_size=14)))
@settings(max_examples=300, deadline=None)
def test_forms_are_words_of_the_letters_they_are_made_of(word: str) -> None:
    for form in forms_of(word) - {word}:
        assert form
        assert form == unicodedata.normalize("NFC", form.lower())
        assert all(c.isalpha() or c in "'-" for c in form)
