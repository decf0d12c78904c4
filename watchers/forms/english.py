"""Which forms does an English word take?

Plurals and possessives as any grammar has them (the standard one: Huddleston and Pullum, *The
Cambridge Grammar of the English Language*, 2002). Verbs are left alone unless their ending says that they are verbs
(mobilize, fortify): most verbs are nouns, too, and -ing and -ed forms of nouns would be found for
nothing.
"""

from watchers.forms.paradigms import STEM, Language, Row, Table, listed, words

NOUNS = Table(
    {},
    (
        Row("", "man", {STEM: "man man's men men's"}),
        Row("[^aeiou]", "y", {STEM: "y ies y's"}),
        Row("(?:s|x|z|ch|sh)", "", {STEM: "∅ es 's"}),
        Row("[^aeiou]o", "", {STEM: "∅ s es 's s'"}),
        Row("[ae]l|ar|ea|oa", "f", {STEM: "f fs f's ves"}),
        Row("[^aeiou]", "is", {STEM: "is es is's"}),
        Row("", "", {STEM: "∅ s 's"}),
    ),
)
VERBS = Table(
    {},
    (
        Row("[^aeiou][aeiouy]?[^aeiou]+[iy][zs]|ific|cuat|rat|itat|ilat", "e", {STEM: "ed ing es"}),
        Row("[^aeiou]if", "y", {STEM: "ied ies ying"}),
    ),
)
IRREGULAR = listed("""
    child: children
    foot: feet
    tooth: teeth
    goose: geese
    mouse: mice
    ox: oxen
    life: lives
    wife: wives
    knife: knives
    thief: thieves
    leaf: leaves
    criterion: criteria
    phenomenon: phenomena
    medium: media
    analysis: analyses
    crisis: crises
    basis: bases
    woman: women
    man: men
""")
ABBREVIATIONS = listed("""
    february: feb
    august: aug
    september: sept
    october: oct
    november: nov
    december: dec
    tuesday: tue tues
    thursday: thu thurs
    friday: fri
    kilometre: km
    kilometer: km
""")
COMMON = words("""
    the a an and or but if not no yes so as at by for from in into of off on onto out over to
    under up with about after again all also any are been before being both can cannot could did
    do does doing done down each either else even ever every few get gets give given go goes
    going gone good got had has have having he her here hers him his how i it its just know last
    less like made make many may me mean might mine more most much must my near never new next
    nor now old once one only other our ours own per put quite rather said same saw say see seem
    seen she should since some still such take than that their them then there these they this
    those though through till too took two until upon us use very was way we well went were what
    when where which while who whom whose why will without would yet you your yours
""")

ENGLISH = Language(
    tables=(NOUNS,),
    verbs=VERBS,
    irregular=IRREGULAR,
    abbreviations=ABBREVIATIONS,
    common=COMMON,
)
