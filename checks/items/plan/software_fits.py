"""Is the software recognised, and does an admin say that its needs fit the machine?

The machine part ends at recognising: whether it fits is for a person to say, so this is a warning until answered."""

from checks.facts import Facts
from checks.facts.software import Software
from checks.model import MANUAL, OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, warned

SEE = """
    free -h
    df -h"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(
        OUTSIDE,
        MANUAL,
    ),
    sources=(Source("001", "Preface 2"),),
    references=(
        Reference("Mastodon: Preparing your machine", "https://docs.joinmastodon.org/admin/prerequisites/"),
        Reference("GoToSocial: Getting started", "https://docs.gotosocial.org/en/latest/getting_started/"),
    ),
    title=Text("The chosen software fits the machine", "サーバの性能に見合ったソフトウェアを選んでいる"),
    why=Text(
        "Software that is too heavy for the machine falls over when a post spreads, and a server short of memory is patched late because nobody dares to restart it.",
        "性能に対して重すぎるソフトウェアは、投稿が拡散したときに止まります。メモリに余裕がないと再起動をためらい、更新も遅れがちです。",
    ),
    expected=Text(
        "The software and its version are recognised, and you know that memory, disk and your own skills suffice for it.",
        "ソフトウェアとバージョンが判別でき、メモリ・ディスク・自分の技術で十分に動かせると判断している状態。",
    ),
    fix=Fix(
        Text(
            "Compare the needs in the documentation with what the machine has, with room for a busy day. For a few people a light server (GoToSocial, Akkoma, snac) does what Mastodon or Misskey need several gigabytes for.",
            "ドキュメントの必要スペックと実際の空きを、混雑時の余裕も含めて比べます。少人数なら GoToSocial・Akkoma・snac のような軽いものでも、Mastodon や Misskey に近いことができます。",
        )
    ),
    verify=Text(
        "Look at free memory and disk on a busy evening:\n" + SEE,
        "混雑する時間帯にメモリとディスクの空きを確認します。\n" + SEE,
    ),
    codes={
        "needs_answer": Text(
            "{name} {version}: whether it fits your machine is for you to say.",
            "{name} {version} を確認しました。性能に見合っているかどうかは、管理者の回答が必要です。",
        ),
        "unrecognised": Text(
            "The server calls itself {name}, which fedisec does not know.",
            "{name} という名前のソフトウェアで、fedisec は把握していません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    software = facts.get(Software)
    line = f"{software.name} {software.version}"
    if not software.family:
        return warned("unrecognised", name=software.name).seen(software.via, line)
    return warned("needs_answer", name=software.name, version=software.version).seen(software.via, line)
