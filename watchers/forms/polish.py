"""Which forms does a Polish word take, by rules?

Morfeusz knows most words better (dictionaries.py); these rules are for names it does not know,
and for a program installed without it. The declensions are those of
*Słownik gramatyczny języka polskiego*; measured against annotated sentences rather than copied.
Where spelling does not show
which ending a word takes (kota, lasu), both are made.
"""

import re

from watchers.forms.paradigms import STEM, Language, Row, Table, change, listed, themed, words

# A Latin word that is not English by its looks.
LOOKS_POLISH = re.compile("[cs]z|[rd]z|sk[aiou]|ck[aiou]|ow[aeo]|wi[aeou]|[^aeiou]j|j$")

C = "bcćdfghjklłmnńpqrsśtvwxzźż"
V = "aąeęioóuy"

SEAMS = {f"{c}y": f"{c}i" for c in "kglj"} | {f"{c}e": f"{c}ie" for c in "kg"}

# The locative softens: most – moście, sąd – sądzie, rower – rowerze, stół – stole, miasto –
# mieście.
_SOFT = {
    "ast": "eści aści",
    "ó([zw])": r"o\1i",
    "ół": "ol",
    "ód": "odzi",
    "ór": "orz",
    "st": "ści",
    "zd": "ździ",
    "sł": "śl",
    "sn": "śni",
    "zn": "źni",
    "t": "ci",
    "d": "dzi",
    "r": "rz",
    "ł": "l",
    "[bpwmfnszv]": r"\g<0>i",
}
SOFTENED_MASCULINE = change(_SOFT)
SOFTENED = change({**_SOFT, "k": "c", "ch": "sz", "g": "dz"})  # and rzeka – rzece, noga – nodze
PERSONS = change(
    {
        "ec": "cy",
        "k": "cy",
        "g": "dzy",
        "ch": "si",
        "r": "rzy",
        "t": "ci",
        "d": "dzi",
        "[nzs]": r"\g<0>i",
    }
)
# A vowel goes or changes: zamek – zamku, ojciec – ojca, mieszkaniec – mieszkańca, Kraków –
# Krakowa, dąb – dębu.
FLEETING = change(
    {
        "jciec": "jc",
        f"([{V}][{C}]*)niec": r"\1ńc",
        f"([{V}][{C}]*[{C}])i?e([kcrł])": r"\1\2",
        "^pies": "ps",
        f"ó([{C}]+)": r"o\1",
        f"ą([{C}]+)": r"ę\1",
    }
)
FLEETING_SOFT = change({"dzi?e": "d", f"([{C}])i?e": r"\1", "ą": "ę", "ó": "o"})
# The genitive plural: matka – matek, droga – dróg, okno – okien, święto – świąt.
BARE = change(
    {
        f"([{C}])k": r"\1ek",
        "k": "k",
        f"([{C}])([nłrmw])": r"\1e\2 \1ie\2",
        f"o([{C}]+)": r"ó\1",
        f"ę([{C}]+)": r"ą\1",
    }
)

_HARD = "∅ a u owi em y ów om ami ach owie"
_FEMININE = "a ę ą o om ami ach"
_SOFT_LAST = (("ń", "ni"), ("dź", "dzi"), ("ć", "ci"), ("ś", "si"), ("ź", "zi"))
_SOFT_ENDINGS = "a u owi em ∅ e ą ów om ami ach owie mi"

NOUNS = Table(
    SEAMS,
    (
        Row("", "um", {STEM: "um a ów om ami ach"}),
        Row("[aoiy]n", "in", {STEM: "in ina inowi inem inie ina e ∅ om ami ach"}),  # Amerykanin
        Row("ś", "ć", {STEM: "ć ci cią cie ciom ciami ciach ćmi"}),
        *(
            Row(
                "",
                last,
                {
                    STEM: last + " " + themed(soft, _SOFT_ENDINGS),
                    FLEETING_SOFT: themed(soft, _SOFT_ENDINGS),
                },
            )
            for last, soft in _SOFT_LAST
        ),
        Row("(?:cz|sz|rz|dz|[żc])", "a", {STEM: _FEMININE + " y e ów ∅"}),
        Row("[lji]", "a", {STEM: _FEMININE + " i y e ∅", BARE: "∅"}),
        Row(
            "[oae]w|in|yn", "a", {STEM: _FEMININE + " y ej ∅ ie", BARE: "∅"}
        ),  # Kolbuszowa: also adjectival
        Row(f"[{C}]", "a", {STEM: _FEMININE + " y ów ∅", SOFTENED: "e", BARE: "∅", PERSONS: "∅"}),
        Row(f"[{C}]", "o", {STEM: "o a u em owi y ę ą om ami ach ów ∅", SOFTENED: "e", BARE: "∅"}),
        Row("n", "ie", {STEM: "ie ia iu iem iom iami iach", change({"n": "ń"}): "∅"}),
        Row("c", "ie", {STEM: "ie ia iu iem iom iami iach", change({"c": "ć"}): "∅"}),
        Row("i", "ę", {STEM: "ę enia eniu eniem ona on onom onami onach ęcia ęciu ęta ąt ętom"}),
        Row("i?", "e", {STEM: "e a u em om ami ach y i ∅"}),
        # plurals: Suwałki, Tychy, Katowice, wybory
        Row(f"[{C}]", "y", {STEM: "y ów ∅ om ami ach", BARE: "∅"}),
        Row(f"[{C}]", "i", {STEM: "i ów ∅ om ami ach iom iami iach", BARE: "∅"}),
        Row(
            "cz|sz|rz|dz|[żclj]",
            "",
            {
                STEM: "∅ a u owi em y e ów om ami ach ą owie",
                FLEETING: "a u owi em y e ów om ami ach",
            },
        ),
        Row(
            f"[{C}]",
            "",
            {
                STEM: _HARD,
                SOFTENED_MASCULINE: "e",
                PERSONS: "∅",
                FLEETING: _HARD + " ie",
            },
        ),
    ),
)

_ADJECTIVE = "y ego emu ym a ej ą e ych ymi"
ADJECTIVES = Table(
    SEAMS,
    (
        *(
            Row(
                "[sc]k|[gk]" if e == "i" else "[sc]k",
                e,
                {STEM: _ADJECTIVE + " o", change({"k": "c", "g": "dz"}): "y"},
            )
            for e in ("i", "a", "ie")
        ),
        Row("[nswpbm]", "i", {STEM: "i iego iemu im ia iej ią ie ich imi"}),
        Row(
            f"[{C}]",
            "y",
            {
                STEM: _ADJECTIVE + " o",
                change(
                    {"sz": "s", "ż": "z", "[nswmp]": r"\g<0>", "ł": "l", "t": "c", "d": "dz"}
                ): "i",
                change({"r": "rz"}): "y",
            },
        ),
    ),
)

_A_PERSONS = "m sz ∅ my cie ją j jcie jąc"
_PAST = "ł ła ło li ły łem łam łeś łaś liśmy łyśmy"
_PASSIVE = "y a e ego emu ym ej ą ych ymi o i"
_ACTIVE = themed("ąc", "∅ y a e ego emu ym ej ą ych ymi")
_GERUND = "ie ia iu iem"
_E_PERSONS = "ę esz e emy ecie ą"
# The first person of -ić hardens or changes: nosić – noszę, chodzić – chodzę, płacić – płacę,
# robić – robię.
MUTATED = change(
    {
        "ści": "szcz",
        "ździ": "żdż",
        "dzi": "dz",
        "ci": "c",
        "si": "sz",
        "zi": "ż",
        "li": "l",
        "[bpwmfn]i": r"\g<0>",
    },
    otherwise_same=True,
)
VERBS = Table(
    {},
    (
        *(
            Row(
                "",
                owa + "ć",
                {
                    STEM: themed(owa, "ć " + _PAST + " " + themed("n", _PASSIVE + " " + _GERUND))
                    + " "
                    + themed("uj", _E_PERSONS + " ∅ cie my " + _ACTIVE)
                },
            )
            for owa in ("owa", "ywa", "iwa")
        ),
        Row(
            "a",
            "ć",
            {
                STEM: "ć "
                + _A_PERSONS
                + " "
                + _PAST
                + " "
                + themed("n", _PASSIVE + " " + _GERUND)
                + " "
                + themed("j", _ACTIVE)
            },
        ),
        Row(
            "",
            "nąć",
            {
                STEM: "nąć nę niesz nie niemy niecie ną nął nęła nęło nęli nęły nij nijcie "
                + themed("nię", "cie cia ciu ciem ty ta te tego tych")
            },
        ),
        Row(
            "j",
            "ąć",
            {
                STEM: "ąć mę mie mą ął ęła ęło ęli ęły mij "
                + themed("ę", "cie cia ciu ciem ty ta te tego tych to")
            },
        ),
        Row(
            "i",
            "ć",
            {
                STEM: "ć sz ∅ my cie " + _PAST,
                MUTATED: _ACTIVE + " ę ą " + themed("en", _GERUND) + " " + themed("on", _PASSIVE),
            },
        ),
        Row(
            "y",
            "ć",
            {
                STEM: "ć sz ∅ my cie " + _PAST,
                change({"y": ""}): _ACTIVE
                + " ę ą "
                + themed("en", _GERUND)
                + " "
                + themed("on", _PASSIVE),
            },
        ),
        Row(
            "",
            "eć",
            {
                STEM: "eć ę em esz e emy ecie eją i isz imy icie ą ał ała ało eli ały "
                + themed("en", _GERUND)
            },
        ),
    ),
)


IRREGULAR = listed("""
    człowiek: ludzie ludzi ludziom ludźmi ludziach
    dziecko: dzieci dzieciom dziećmi dzieciach
    rok: lata lat latom latami latach
    ręka: ręce rąk rękom rękami rękach ręku
    oko: oczy oczu oczom oczami oczach
    ucho: uszy uszu uszom uszami uszach
    koniec: końca końcowi końcem końcu końce końców
    tydzień: tygodnia tygodniowi tygodniem tygodniu tygodnie tygodni tygodniom
    dzień: dnia dniu dniem dni dniom dniami dniach
    brat: bracia braci braciom braćmi braciach
    ksiądz: księdza księdzu księdzem księża księży księżom
    książę: księcia księciu księciem książęta książąt
    ojciec: ojcze ojcu
    niemcy: niemiec niemczech niemców
    węgry: węgier węgrzech
    włochy: włoch włoszech
    pies: psa psu psem psy psów psami
    uczeń: ucznia uczniowi uczniem uczniu uczniowie uczniów uczniom uczniami uczniach
    pieniądze: pieniędzy pieniądzom pieniędzmi pieniądzach
    państwo: państwa państwie państw
    mężczyzna: mężczyźni mężczyzn mężczyźnie
    kolega: koledzy
    przyjaciel: przyjaciele przyjaciół przyjaciołom przyjaciółmi
    pani: panią paniom paniami paniach
    iść: idę idziesz idzie idziemy idą szedł szła szli
    być: był była było byli były będzie będą
    móc: mogę możesz może możemy mogą mógł mogła mogli
""")
ABBREVIATIONS = listed("""
    złoty: zł
    tysiąc: tys
    milion: mln
    miliard: mld
    procent: proc
    artykuł: art
    ustęp: ust
    punkt: pkt
    profesor: prof
    godzina: godz
    województwo: woj
    numer: nr
    doktor: dr
    kilometr: km
    kilogram: kg
    minuta: min
    generał: gen
    ulica: ul
""")
COMMON = words("""
    ja my ty wy on ona ono oni one mnie mi mną ciebie cię tobie tobą nas nam nami was wam wami
    jego go jemu mu nim niej nią jej ich im nich nimi siebie się sobie sobą kto co kogo czego
    komu czemu kim czym to ten ta te ci tego tej temu tym tych tymi tamten mój moja moje moi
    twój nasz nasza nasze wasz swój swoja swoje swego sam sama samo sami cały wszystko wszyscy
    wszystkie taki taka takie tak jaki jaka jakie który która które których i lub albo ale lecz
    a czy bo jeśli kiedy żeby jak choć nawet tylko już jeszcze tam tu gdzie dokąd skąd potem
    wtedy teraz zawsze nigdy bardzo nie ani niech też także oto prawie przez przy pod nad bez
    dla od do ze z na u w we po przed między wśród zamiast oprócz dzięki być jest są był była
    było byli były będzie będą może można trzeba ma mam masz mamy macie mają mało wiele więcej
    mniej lepiej razem jeden jedna jedno dwa dwie trzy cztery pięć sto zaraz rano zbyt wie
    rzeczywiście
""")
UNLIKELY = listed("""
    lato: lat lata latach latom laty latami
    święto: święcie
""")

POLISH = Language(
    tables=(NOUNS, ADJECTIVES),
    verbs=VERBS,
    irregular=IRREGULAR,
    abbreviations=ABBREVIATIONS,
    common=COMMON,
    unlikely=UNLIKELY,
)
