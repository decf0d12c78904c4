"""Which words stand in almost every post?"""

_ENGLISH = """
    the of and to in is for on with that was are by from at as be this have has it not or an will his her their which
    who been were he she they we you i my your our but what when there can did if about more all up out one its would
    me just how get like than then also into over after before why where them him us am had new said says please thank
    thanks hi hello yes see here now only good great best very any some no don't i'm it's
"""
_POLISH = """
    w i z na się nie do że to jest o po jak za od przez dla są ale który która które których oraz tym już być był była
    było może tylko także ze we co tak go jego jej ich czy a u ma mnie mi ja ty on ona my wy oni pan pani tego tej ten
    te sobie gdy kiedy gdzie jako przed pod nad przy bez między jeszcze bardzo bo więc lub albo nawet
"""
_ROMANISED = """
    v i z s u na ne nia nie nya da za pa po jak yak iak kak što chto shto cto eto heta geta hety dlia dla dlya dlja ad ot
    vid pry pri byu byŭ byw byl byla bula bulo buli buv bylo ale no abo ili jaho yaho iaho ego yego jego ŭ va vo iz ab ob
    pad pod pid praz cherez kab čto jon on yon ion vin vona jana yana iana ona oni jany my vy ja ya ia tak uže uzhe ŭžo
    uzho uje vzhe toj toy toi tol'ki tolki tolko tol'ko a že zhe je sa so ci chi by b mne jamu ciaper teper ta ce tse
    tsei yaki jaki iaki shcho scho šcho mozhe kotoryj kotoryy takzhe takje taksama bez do k o
"""
_CYRILLIC = """
    а але без бо бы был была были было быў была былі быть в вас ваш ва вельми весь во вот все всё вы где гэта гэты да дзе
    для до его ее если есть ещё ж же за зараз и из или им их і іх ён її його к как калі когда кто ко ли лише мы мне мої
    мой на над наш не нет ни но ну о об один он она они оно от ось перед по под пра при про раз с сам свой себе сегодня
    сёння со так такой там те тем то той только тое тут ты у уже ў хто цей це чем что чтобы чи щоб що эта эти это этот я
    як який які яна яны та ти він вона вони від під год года годзе рік року час сказал заявил новость новости навіны
    новини канал подписаться падпісацца підписатися день дзень люди людзі
"""

ENGLISH = frozenset(_ENGLISH.split())
POLISH = frozenset(_POLISH.split())
ROMANISED = frozenset(_ROMANISED.split())  # Belarusian, Russian and Ukrainian in Latin letters
CYRILLIC = frozenset(_CYRILLIC.split())
EVERYWHERE = ENGLISH | POLISH | CYRILLIC
