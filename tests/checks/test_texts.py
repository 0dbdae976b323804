"""The language of every item: what a reader of either language must never meet."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from checks.items import TOPICS, all_items
from checks.model import Item, Text
from checks.reasons import REASONS
from tests.checks.test_items import texts_of

ITEMS = list(all_items().values())
EACH = pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)

TITLE_EN, TITLE_JA = 80, 45
KANA_KANJI = "ぁ-んァ-ヶー一-龠々"
# A shell line or a file line that was not set off: it starts like a command at the left margin.
COMMAND = re.compile(
    r"^ {0,3}(\$ |# |sudo |systemctl |apt(-get)? |dnf |curl |dig |openssl |docker |psql |redis-cli |nano |"
    r"RAILS_ENV=|add_header |ssl_|config :)"
)
# Words that begin an order; a title says what is true, it does not order.
ORDERS = (
    "Use Enable Disable Set Configure Check Make Install Add Turn Switch Ensure Keep Limit Remove Restrict Put "
    "Run Choose Close Open Change Verify Test Write Require Allow Deny Block Send Publish"
).split()
# Source 003 writes these without the long vowel mark; one catalogue, one spelling.
LONG_VOWEL = re.compile(
    r"サーバー|ユーザー|ヘッダー|リゾルバー|パラメーター|フォルダー|ブラウザー|プロバイダー"
)
# One word for one thing, source 003's where it has one.
OTHER_WORDS = re.compile(
    r"Web(?![a-z])(?! ?API)|使い回|ホームページ|二要素認証|デフォルト|適用外|不適合|登録業者|ドメイン業者"
)
# A paragraph may also end in a value or an address, which no full stop should touch.
SETTLED_JA = re.compile(r"([。」）：？}]|https://\S+)$")
SETTLED_EN = re.compile(r"([.?:!)}]|https://\S+)$")


def every_text() -> Iterator[tuple[str, Text]]:
    for item in ITEMS:
        yield from ((f"{item.id} {what}", text) for what, text in texts_of(item))
    yield from ((f"topic {name}", text) for name, text in TOPICS.items())
    yield from ((f"reason {name}", text) for name, text in REASONS.items())


def is_command(line: str) -> bool:
    return line.startswith("    ")


def prose(text: str) -> str:
    """The text without its command lines."""
    return "\n".join(line for line in text.split("\n") if not is_command(line))


def paragraphs(text: str) -> list[str]:
    return [p.strip() for p in re.split(r"\n\s*\n", prose(text)) if p.strip()]


def commands(text: str) -> list[str]:
    """Command lines without comments: the part that must be the same in both languages."""
    stripped = (
        re.sub(r"(^|\s)(#|//|;;|--\s|%%).*$", "", line[4:]).rstrip()
        for line in text.split("\n")
        if is_command(line)
    )
    return [line for line in stripped if line]


def hit(pattern: str | re.Pattern[str], text: str) -> str:
    """What the pattern finds, or nothing: reads well in a failed assertion."""
    found = re.search(pattern, text)
    return "" if found is None else found.group()


def unquoted(text: str) -> str:
    """Japanese prose without what stands in 「」: labels of other programs keep their own spelling."""
    return re.sub(r"「[^」]*」", "「」", prose(text))


@EACH
def test_titles_are_short(item: Item) -> None:
    assert len(item.title.en) <= TITLE_EN, f"{len(item.title.en)}: {item.title.en}"
    assert len(item.title.ja) <= TITLE_JA, f"{len(item.title.ja)}: {item.title.ja}"


@EACH
def test_titles_are_statements(item: Item) -> None:
    en, ja = item.title.en, item.title.ja
    assert "\n" not in en + ja
    assert en[-1] not in ".?!:", en
    assert en.split()[0] not in ORDERS, en
    assert not re.search(r"[。？?！!：:]$|(ください|ましょう|ましたか|ますか|ですか)$", ja), ja


@EACH
def test_the_why_is_two_sentences_at_most(item: Item) -> None:
    assert len(re.findall(r"[.!?](?:\s|$)", item.why.en)) <= 2, item.why.en
    assert item.why.ja.count("。") <= 2, item.why.ja


@EACH
def test_further_reading_is_linked(item: Item) -> None:
    assert item.references, "name at least one standard, manual or documentation that the rule rests on"
    assert len({reference.url for reference in item.references}) == len(item.references)
    for reference in item.references:
        assert reference.title == reference.title.strip() != ""
        assert re.fullmatch(r"https://[a-z0-9.-]+/[!-~]*", reference.url), reference.url


def test_titles_are_unique() -> None:
    for language in ("en", "ja"):
        titles = [item.title.in_language(language) for item in ITEMS]
        assert len(titles) == len(set(titles)), sorted({t for t in titles if titles.count(t) > 1})


@EACH
def test_no_stray_white_space(item: Item) -> None:
    for what, text in texts_of(item):
        for string in (text.en, text.ja):
            assert string == string.strip(), what
            assert "\t" not in string, what
            assert "\n\n\n" not in string, what
            for line in string.split("\n"):
                assert line == line.rstrip(), (what, line)
                assert is_command(line) or line == line.lstrip(), (
                    f"{what}: neither prose nor command: {line!r}"
                )
                assert is_command(line) or "  " not in line, (what, line)


@EACH
def test_commands_are_indented_and_set_off(item: Item) -> None:
    for what, text in texts_of(item):
        for string in (text.en, text.ja):
            lines = string.split("\n")
            for line in lines:
                assert not COMMAND.match(line), f"{what}: command in prose: {line!r}"
                assert not line.lstrip().startswith("$ "), f"{what}: prompts cannot be pasted: {line!r}"
            for before, line in zip(lines, lines[1:], strict=False):
                mixed = before.strip() and line.strip() and is_command(before) != is_command(line)
                assert not mixed, f"{what}: no blank line between prose and command: {line!r}"


@EACH
def test_commands_are_the_same_in_both_languages(item: Item) -> None:
    for what, text in texts_of(item):
        english, japanese = commands(text.en), commands(text.ja)
        assert len(english) == len(japanese), (what, english, japanese)
        for en, ja in zip(english, japanese, strict=True):
            assert en == ja or re.search(f"[{KANA_KANJI}]", ja), (what, en, ja)


def test_english_holds_no_japanese_signs() -> None:
    for what, text in every_text():
        assert not hit(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]", text.en), (what, text.en)


def test_no_english_sentence_is_left_in_japanese() -> None:
    sentence = r"(?<![\w./:=-])[A-Za-z]+(?:'[a-z]+)?(?:,? [a-z]+(?:'[a-z]+)?){4,}"
    for what, text in every_text():
        assert not hit(sentence, unquoted(text.ja)), what


@EACH
def test_each_japanese_paragraph_is_japanese(item: Item) -> None:
    for what, text in texts_of(item):
        for paragraph in paragraphs(text.ja):
            assert hit(f"[{KANA_KANJI}]", paragraph), (what, paragraph)


def test_no_full_width_letters_or_digits() -> None:
    for what, text in every_text():
        assert not hit(r"[Ａ-Ｚａ-ｚ０-９＿－＝／．，\u3000｡-ﾟ]", text.ja), (what, text.ja)


def test_punctuation_beside_japanese_is_japanese() -> None:
    for what, text in every_text():
        plain = prose(text.ja)
        assert not hit(f"[{KANA_KANJI}」）][,.;:!?](?![A-Za-z0-9])", plain), (what, plain)
        assert not hit(rf"[{KANA_KANJI}]\(|\([^()]*[{KANA_KANJI}][^()]*\)", plain), (what, plain)
        assert not hit(r"、、|。。|。、|、。|。）|。」", plain), (what, plain)
        assert plain.count("（") == plain.count("）"), (what, plain)
        assert plain.count("「") == plain.count("」"), (what, plain)


def test_no_space_beside_japanese_punctuation() -> None:
    for what, text in every_text():
        plain = re.sub(
            r" ?https://\S+ ?", "", prose(text.ja)
        )  # an address may stand free, so that it can be marked
        assert not hit(r"[、。「（] | [、。」）]", plain), (what, text.ja)


def test_what_is_filled_in_stands_free_in_japanese() -> None:
    """Like Latin words; numbers that are written out stand close to what they count."""
    for what, text in every_text():
        plain = prose(text.ja)
        assert not hit(rf"[{KANA_KANJI}]\{{\w+\}}|\{{\w+\}}[{KANA_KANJI}]", plain), (what, plain)
        assert not hit(r"\d (番|ビット|バイト|個|件|台|回|日|秒|年|つ)(?!号)", plain), (what, plain)


def test_long_vowels_are_spelled_one_way() -> None:
    for what, text in every_text():
        assert not hit(LONG_VOWEL, unquoted(text.ja)), (what, text.ja)


def test_one_word_for_one_thing() -> None:
    for what, text in every_text():
        assert not hit(OTHER_WORDS, unquoted(text.ja)), (what, text.ja)


def test_japanese_is_polite_and_plain() -> None:
    stiff = r"(である|だ|であった)。|せよ。|致します|頂[きくけい]|下さい|出来[るまな]|事が|[のる]為|御座"
    for what, text in every_text():
        assert not hit(stiff, prose(text.ja)), (what, text.ja)


@EACH
def test_paragraphs_end_like_sentences(item: Item) -> None:
    for what, text in texts_of(item):
        if what == "title":
            continue
        for paragraph in paragraphs(text.en):
            assert hit(SETTLED_EN, paragraph), (what, paragraph)
        for paragraph in paragraphs(text.ja):
            assert hit(SETTLED_JA, paragraph), (what, paragraph)


@EACH
def test_english_sentences_begin_with_a_capital(item: Item) -> None:
    for what, text in texts_of(item):
        plain = re.sub(r"\b(e\.g|i\.e|etc|vs)\.", "", prose(text.en))
        assert not hit(r"(?<![.])[.?!] [a-z]+(?![\w./:=-])", plain), what


@EACH
def test_no_markup_and_no_blame(item: Item) -> None:
    for what, text in texts_of(item):
        for string in (prose(text.en), prose(text.ja)):
            assert not hit(r"\*\*|`|</?[a-z]+>|&[a-z]+;|\]\(http", string), (what, string)
        assert not hit(
            r"(?i)\b(simply|obviously|just do|of course|stupid|careless|lazy)\b", prose(text.en)
        ), what


@EACH
def test_tabs_of_a_fix_are_named_once(item: Item) -> None:
    names = [name for name, _ in item.fix.variants]
    assert len(names) == len(set(names)), names
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9][\w .,/+()&-]{0,39}", name), (
            f"a tab is a proper name, in no language: {name!r}"
        )
