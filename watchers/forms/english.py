"""Which forms does an English word take?

Plurals and possessives, after Huddleston and Pullum, *The Cambridge Grammar of the English Language* (2002),
ch. 18 § 4. Verbs are left alone unless their ending says that they are verbs (mobilize, fortify): most verbs are nouns,
too, and -ing and -ed forms of nouns would be found for nothing.
"""

from watchers.forms.paradigms import STEM, Language, Row, Table, listed

NOUNS = Table(
    {},
    (
        Row("", "man", {STEM: "man man's men men's"}),
        Row("[^aeiou]", "y", {STEM: "y ies y's ies'"}),
        Row("(?:s|x|z|ch|sh)", "", {STEM: "∅ es 's es' '"}),
        Row("[^aeiou]o", "", {STEM: "∅ s es 's s'"}),
        Row("[ae]l|ar|ea|oa", "f", {STEM: "f fs f's ves"}),
        Row("[^aeiou]", "is", {STEM: "is es is's"}),
        Row("", "", {STEM: "∅ s 's s'"}),
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

ENGLISH = Language(tables=(NOUNS,), verbs=VERBS, irregular=IRREGULAR, abbreviations=ABBREVIATIONS)
