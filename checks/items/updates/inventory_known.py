"""Are OS, container engine, databases, language runtimes and web server known with their versions?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

LIST = """
    cat /etc/os-release
    docker version --format '{{.Server.Version}}'
    redis-server --version
    psql --version
    node --version
    ruby --version
    nginx -v"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(
        INSIDE,
        MANUAL,
    ),
    sources=(Source("003", "運用/脆弱性対応"),),
    title=Text(
        "The software on the server is known, with versions",
        "サーバで動くソフトウェアとバージョンを把握している",
    ),
    why=Text(
        "An advisory helps only whoever knows that it is about them. The list is short: operating system, container engine, Redis or Valkey, PostgreSQL, language runtimes, web server.",
        "脆弱性情報は、自分に関係があるとわかって初めて役に立ちます。OS・コンテナ・Redis や Valkey・PostgreSQL・言語の実行環境・ウェブサーバを挙げておけば足ります。",
    ),
    expected=Text(
        "Each of them is written down with its version, or fedisec reads them over SSH.",
        "それぞれの名前とバージョンを控えてある、または fedisec が SSH で取得している状態。",
    ),
    fix=Fix(
        Text(
            "Connect the server over SSH, and fedisec keeps the list. Otherwise run these and put the result into the note; not every command exists on every server:\n"
            + LIST,
            "サーバを SSH で接続すれば fedisec が一覧を作ります。接続しない場合は次を実行し、結果をメモに残します（入っていないものは飛ばしてください）。\n"
            + LIST,
        )
    ),
    verify=Text(
        "Could you say right now whether a flaw in nginx or OpenSSL concerns you?",
        "nginx や OpenSSL の脆弱性が公表されたとき、自分に関係があるかすぐに答えられますか。",
    ),
    attest_days=90,
)
