"""Are .env, .git and the like not served?  The body must match the file's grammar; nothing of it is kept."""

from checks.facts import Facts, Missing, MissingFact
from checks.facts.http import PathSeen, SecretPaths
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed

NGINX = """
    location ~ /\\.(?!well-known) { deny all; }"""

APACHE = """
    RedirectMatch 404 "/\\.(?!well-known)\""""

CADDY = """
    @dotfiles {
      path */.*
      not path /.well-known/*
    }
    respond @dotfiles 404"""

SEE = """
    curl -s https://example.social/.env | head -n 3"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "OWASP Web Security Testing Guide", "https://owasp.org/www-project-web-security-testing-guide/"
        ),
        Reference("Laravel: Deployment", "https://laravel.com/docs/deployment"),
    ),
    title=Text(
        "Configuration files are not served on the web", "設定ファイルやリポジトリをウェブに公開していない"
    ),
    why=Text(
        "An .env or .git that can be fetched gives away database passwords and signing keys. Bots ask every server for them all day long.",
        ".env や .git を取得されると、データベースのパスワードや署名鍵が漏れます。ボットはあらゆるサーバに、これらを1日中要求しています。",
    ),
    expected=Text(
        "Such paths answer 404 or 403, or the software's ordinary page.",
        "これらのパスが 404・403 か、ソフトウェアの通常のページを返す状態。",
    ),
    fix=Fix(
        Text(
            "The web root must be the folder public of the software, never the folder of the program. As a second lock, refuse names that begin with a dot. If something was served, treat every secret in it as known: make new keys and passwords.",
            "ウェブの公開ディレクトリは、プログラム本体ではなくその中の public にします。さらに、ドットで始まる名前を拒否しておきます。公開されていた場合は中の秘密情報がすべて漏れたと考え、鍵とパスワードを作り直してください。",
        ),
        variants=(
            ("nginx", Text("Set these lines:\n" + NGINX, "設定例：\n" + NGINX)),
            ("Apache", Text("Set these lines:\n" + APACHE, "設定例：\n" + APACHE)),
            ("Caddy", Text("Set these lines:\n" + CADDY, "設定例：\n" + CADDY)),
        ),
    ),
    verify=Text(
        "Nothing of your configuration may appear:\n" + SEE,
        "設定の中身が表示されないことを確認します。\n" + SEE,
    ),
    codes={
        "not_served": Text(
            "None of the {count} files is served.",
            "調べた {count} 個のファイルは、いずれも公開されていません。",
        ),
        "served": Text("{path} is served: {kind}.", "{path} が公開されています（{kind}）。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    paths = facts.get(SecretPaths).paths
    asked = [path for path in paths if isinstance(path, PathSeen)]
    for path in asked:
        if path.found:
            verdict = failed("served", path=path.path, kind=path.found)
            return verdict.seen(f"GET {path.path}", f"HTTP {path.status}: {path.proof}")
    for gap in paths:
        if isinstance(gap, Missing):
            raise MissingFact(gap)
    return passed("not_served", count=len(asked)).seen("paths", _lines(asked))


def _lines(paths: list[PathSeen]) -> str:
    return "\n".join(f"{path.path}: HTTP {path.status}" for path in paths)
