"""What the judgement tests share: the shipped policy, a fake engine, disguises, and texts that mean no harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from moderation import Decision, Judge, Outcome, Policy, Span, open_engine, read_policy

CONFIG = Path(__file__).resolve().parents[2] / "config"
SIX = ("toxicity", "severe_toxicity", "obscene", "insult", "threat", "identity_attack")


@cache
def shipped(override: str | None = None) -> Policy:
    """The shipped policy, with a site's overrides."""
    return read_policy(CONFIG / "policy.toml", CONFIG / "wordlists", override)


@cache
def lexicon_judge(override: str | None = None) -> Judge:
    """A judge with the shipped policy and the lexicon."""
    policy = shipped(override)
    return Judge(policy, [open_engine("lexicon", policy)], timeout=30)


def codes(decision: Decision) -> set[str]:
    """The codes of the findings that ask for more than approval."""
    return {finding.code for finding in decision.findings if finding.outcome is not Outcome.APPROVE}


class Fake:
    """An engine that answers as it is told: the one seam at which judgement tests use a fake."""

    name = "fake"
    version = "1"
    attributes = SIX

    def __init__(self, answer: object = 0.0, languages: frozenset[str] | None = None) -> None:
        self.answer = answer
        self.languages = languages

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        if isinstance(self.answer, BaseException):
            raise self.answer
        if isinstance(self.answer, int | float):
            return [dict.fromkeys(self.attributes, float(self.answer)) for _ in texts]
        return self.answer  # type: ignore[return-value]

    def explain(self, text: str) -> Mapping[str, Sequence[Span]]:
        return {"threat": [Span(0, 4), Span(3, 10_000)]}


def _swap(letters: str, others: str) -> Callable[[str], str]:
    table = str.maketrans(letters, others)
    return lambda word: word.translate(table)


def _shifted(first: int) -> Callable[[str], str]:
    """Each Latin letter as the one at its place in another alphabet of Unicode."""
    return lambda word: "".join(chr(first + ord(letter) - ord("a")) for letter in word)


homoglyphs = _swap("aceiopsuxygk", "асеіорѕսхуɡк")
leet = _swap("aeios", "4310$")
full_width = _shifted(0xFF41)

# Each makes another spelling of a word in small Latin letters that people still read as that word.
DISGUISES: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "zero width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "homoglyphs": homoglyphs,
    "leetspeak": leet,
    "leetspeak with signs": _swap("aeist", "@3!$+"),
    "one for l": _swap("lo", "10"),
    "full width": full_width,
    "mathematical letters": _shifted(0x1D4EA),
    "circled letters": _shifted(0x24D0),
    "squared letters": _shifted(0x1F170),
    "accents": _swap("aeioucn", "áèîöüçñ"),
    "combining marks": lambda word: "".join(letter + "\u0336" for letter in word),
    "piled marks": lambda word: "".join(letter + "\u0301\u0323\u0489" for letter in word),
    "spaced": " ".join,
    "dotted": ".".join,
    "dashed": "-".join,
    "underscored": "_".join,
    "starred": "*".join,
    "stretched": lambda word: "".join(letter * 4 for letter in word),
    "doubled": lambda word: "".join(letter * 2 for letter in word),
    "stretched vowels": lambda word: "".join(letter * 5 if letter in "aeiou" else letter for letter in word),
    "broken in two": lambda word: f"{word[:3]}-{word[3:]}",
    "mixed: look-alikes, leetspeak, zero width": lambda word: "\u200b".join(_swap("aeo", "а3о")(word)),
    "mixed: capitals, leetspeak, dots": lambda word: ".".join(leet(word).upper()),
    "nested: full width, struck through, joined, spaced": lambda word: " ".join(
        letter + "\u0336\u200d" for letter in full_width(word)
    ),
    "nested: look-alikes, stretched, dashed": lambda word: "-".join(letter * 3 for letter in homoglyphs(word)),
}

INNOCENT: dict[str, Sequence[str]] = {
    "English": (
        "The council will assess the assets of the Essex bass association in class.",
        "Scunthorpe, Penistone, Lightwater and Cockermouth all lost their libraries this year.",
        "Dick Smith and Herbie Hancock had a cocktail at the Arsenal game, with shiitake on toast.",
        "There is a chink in the armour of this argument, and the Maine Coon agrees.",
        "Sex education, breast cancer screening and gay marriage were on the agenda, damn it.",
        "What the hell, the escort arrived late and the cockpit was locked.",
        "Matsushita analysed the therapist's title; the specialist saw no cumulative grape harvest.",
        "He was shot by police, and she was raped in the war: the court heard it all today.",
        "I hope you die laughing when you read this, as I nearly did.",
        "I can't believe who're you voting for; he'll say she'll do it. It's hit the headlines.",
        "Homo sapiens reached Niger and Nigeria long before the niggardly maps show.",
        "The Model S hit a pole in Sussex, said Lord Horne of Whorlton.",
        "O.K. then: A. B. C. and J. R. R. Tolkien, at 3 p.m. in the U.S.A.",
        "My grade was an A+ in C++ and I scored 100 % in Maths 4U.",
        "Covid19, mp3, i18n, B2B, H2O, 4x4, 1st, 2nd, 3rd, 5G, 90s and 10k are all fine.",
        "soooo goooood, yessss, hahahaha, hmmmm, aaaargh, brrrr!!!!",
    ),
    "German": (
        "Der dicke Mann fährt mit dem Fahrrad nach Kassel, und alle sind begeistert.",
        "Die Sonne scheint hell, und wir fahren heute zum Baden an den Titisee.",
        "Die Aussichten sind gut: Am Samstag gibt es Schachmatt im Klassenzimmer.",
    ),
    "French": (
        "Le train est encore en retard, et la SNCF ne dit rien à personne ce matin.",
        "Il a repris une bouchée de pain, puis il est parti avec sa chatte noire.",
        "Les députés débattent de la réforme, la députée aussi, et le débat s'éternise.",
    ),
    "Spanish": (
        "Este año la cena de Navidad será en casa de mi abuela, con toda la familia.",
        "El cono de helado cuesta dos euros y el gato negro duerme en la cocina.",
        "La disputa entre los diputados terminó en una reunión muy tranquila.",
    ),
    "Italian": (
        "La città di Troia è famosa per il cavallo di Troia, come racconta Omero.",
        "Il finocchio al forno con il formaggio è un piatto della tradizione siciliana.",
    ),
    "Portuguese": (
        "O computador da deputada foi reparado e a reputação da empresa melhorou muito.",
        "A fila na padaria estava enorme, mas o café preto compensou a espera.",
    ),
    "Dutch": (
        "De slag bij Waterloo was een keerpunt in de geschiedenis van Europa.",
        "Mijn vader heeft kanker gehad, maar gelukkig is hij nu helemaal genezen.",
    ),
    "Swedish": (
        "Till slut fick jag hjälp av en vänlig granne, och det gick bra.",
        "Kan du höra musiken från huset? Farten på bilen var alldeles för hög.",
    ),
    "Danish": (
        "Faget dansk er det bedste i skolen, og slutningen på bogen var god.",
        "Vores hold taber næsten altid, men stemningen på stadion er fantastisk.",
    ),
    "Norwegian": ("Farten på veien var høy, og faget norsk er viktig for alle elevene på skolen.",),
    "Finnish": ("Kesällä olemme mökillä järven rannalla ja saunomme joka ilta perheen kanssa.",),
    "Polish": (
        "Pedał gazu w moim samochodzie się zepsuł, więc jadę dziś do pracy autobusem.",
        "Wczoraj byliśmy w kinie na bardzo dobrym filmie o historii Polski.",
    ),
    "Czech": ("Včera jsme byli v divadle a představení se nám velmi líbilo.",),
    "Hungarian": ("A tegnapi meccs nagyon izgalmas volt, és végül a mi csapatunk nyert.",),
    "Turkish": (
        "Bu sabah hava çok güzel, çocuklar parkta top oynuyor ve kuşlar ötüyor.",
        "Amcam ile yengem İstanbul'da oturuyor, sık sık onları ziyaret ediyoruz.",
    ),
    "Russian": (
        "Художник нарисовал хлеб и рожь, а команда потребовала употреблять меньше сахара.",
        "Хорошая статья, спасибо автору. Нос, рот, сосна и насос стоят рядом.",
        "На реке Нигер и в Нигерии сегодня жарко; хохломская роспись красива.",
    ),
    "Ukrainian": ("Сьогодні в місті відкрили нову бібліотеку, і всі дуже задоволені.",),
    "Greek": ("Ο καιρός είναι πολύ καλός σήμερα και πάμε όλοι μαζί στη θάλασσα.",),
    "Arabic": ("المقال جيد جدا وأشكر الكاتب على هذا الشرح الواضح للموضوع.",),
    "Hebrew": ("הכתבה הזאת מעניינת מאוד ותודה לכותב על ההסבר הברור.",),
    "Persian": ("این مقاله بسیار خوب بود و از نویسنده برای توضیح روشن می‌خواهم تشکر کنم.",),
    "Hindi": ("यह लेख बहुत अच्छा है और लेखक को धन्यवाद, नानी और बाबाजी भी खुश हैं।",),
    "Bengali": ("লেখাটি খুব ভালো হয়েছে এবং লেখককে অনেক ধন্যবাদ জানাই।",),
    "Thai": ("บทความนี้ดีมาก ขอบคุณผู้เขียนที่อธิบายอย่างชัดเจน",),
    "Vietnamese": ("Bài viết rất hay, cảm ơn tác giả đã giải thích rõ ràng cho mọi người.",),
    "Chinese": ("他们下个月去死海旅游，杂种优势水稻的产量很高，大家都很高兴。",),
    "Japanese": ("この記事はとても良かったです。試合も面白かったですしね、また読みたいです。",),
    "Korean": ("이 기사는 정말 좋았습니다. 설명해 주신 기자님께 감사드립니다.",),
    "code and addresses": (
        "Run `for i in range(10): a[i] *= b**c; print(f'{a!r}')` and then `x && y || z`.",
        "if (a_s_s != null) { return this.class_->assertEquals(0x55, 1_000); } // s.h.",
        "See https://www.example.org/analysis/assets?id=5h1t0&x=a.b.c and write to info@sussex-cockpit.example.",
        "The hash is 3f5a7c1e0b9d, the key SGVsbG8xMjM0NTY3ODkw and the version v1.0.0-rc1+build55.",
        "SELECT * FROM cocktails WHERE glass = 'tumbler' -- f**2 + g**2 == h**2",
    ),
    "emoji": (
        "👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍🚒 ❤️‍🔥 1️⃣2️⃣3️⃣ 🇩🇪🇫🇷🇬🇧 a lovely day out",
        "🎉🎉🎉🎉 ¯\\_(ツ)_/¯ :-) <3 ༼ つ ◕_◕ ༽つ",
    ),
}
