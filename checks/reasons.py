"""The sentence for each reason why something could not be checked."""

from __future__ import annotations

from checks.errors import Reason
from checks.model import Text

REASONS: dict[Reason, Text] = {
    Reason.TIMEOUT: Text("No answer came in time.", "時間内に応答がありませんでした。"),
    Reason.REFUSED: Text("The connection was refused.", "接続が拒否されました。"),
    Reason.CONNECTION_LOST: Text(
        "The connection broke off in the middle of the exchange.", "やり取りの途中で接続が切れました。"
    ),
    Reason.UNREACHABLE: Text(
        "There is no route to the server from here.", "ここからサーバまでの経路がありません。"
    ),
    Reason.FORBIDDEN_ADDRESS: Text(
        "The name leads to an address that fedisec does not visit "
        "(private, reserved, or of its own machine).",
        "名前が、fedisec の接続しないアドレス"
        "（プライベート、予約済み、または fedisec 自身のマシン）を指しています。",
    ),
    Reason.BUDGET: Text(
        "The limit on connections or time for one scan was reached first.",
        "1回のスキャンで許される接続数または時間の上限に先に達しました。",
    ),
    Reason.BUSY: Text(
        "fedisec's own machine was too busy to hear the answer in time.",
        "fedisec の動いているマシンの負荷が高く、応答を時間内に受け取れませんでした。",
    ),
    Reason.TOO_LARGE: Text(
        "The answer was larger than fedisec reads.", "応答が fedisec の読む上限より大きいものでした。"
    ),
    Reason.MALFORMED: Text(
        "The answer did not follow its protocol, so it says nothing.",
        "応答がプロトコルに従っていないため、何も判断できません。",
    ),
    Reason.NO_SUCH_NAME: Text("The name does not exist in the DNS.", "この名前は DNS に存在しません。"),
    Reason.RESOLVER_FAILED: Text(
        "The DNS gave no usable answer (server failure or refusal).",
        "DNS から使える応答が得られませんでした（サーバ障害または拒否）。",
    ),
    Reason.WITHHELD: Text(
        "The server answered, but not to a stranger (sign-in, block or challenge page).",
        "サーバは応答しましたが、部外者には見せませんでした（ログイン要求、遮断、確認ページなど）。",
    ),
    Reason.NOT_VALIDATING: Text(
        "fedisec's own resolver does not validate DNSSEC, so it cannot judge this.",
        "fedisec が使うリゾルバが DNSSEC を検証しないため、判定できません。",
    ),
    Reason.NO_IPV6: Text(
        "fedisec itself has no IPv6 here.", "fedisec の動いている環境に IPv6 がありません。"
    ),
    Reason.PORT_BLOCKED: Text(
        "fedisec's own network blocks this port on the way out.",
        "fedisec 側のネットワークがこのポートの外向き通信を塞いでいます。",
    ),
    Reason.BANNED: Text(
        "The server stopped answering fedisec in mid-scan, as after a ban.",
        "スキャンの途中からサーバが fedisec に応答しなくなりました（遮断された可能性があります）。",
    ),
    Reason.NOT_CONNECTED: Text("Not yet connected over SSH.", "まだ SSH で接続されていません。"),
    Reason.DENIED: Text(
        "The account that fedisec uses on the server may not read this.",
        "fedisec がサーバで使うアカウントには、これを読む権限がありません。",
    ),
    Reason.NO_SHELL: Text(
        "The account that fedisec uses on the server has no shell to run anything.",
        "fedisec がサーバで使うアカウントに、コマンドを実行できるシェルがありません。",
    ),
    Reason.KEY_REFUSED: Text(
        "The server does not let fedisec's SSH key in.", "サーバが fedisec の SSH 鍵を受け入れません。"
    ),
    Reason.HOST_KEY_CHANGED: Text(
        "The server shows another SSH host key than the one that was confirmed, so fedisec did not log in.",
        "サーバの SSH ホスト鍵が、確認済みの鍵と異なります。そのため fedisec はログインしませんでした。",
    ),
    Reason.NO_TOOL: Text(
        "The command that would tell is not installed on the server.",
        "調べるためのコマンドがサーバにありません。",
    ),
    Reason.NOT_BUILT: Text(
        "This version of fedisec does not check this by itself yet.",
        "このバージョンの fedisec はまだこれを自動では調べません。",
    ),
    Reason.NOT_ASKED: Text(
        "Not part of this scan, or not shown by this software.",
        "今回のスキャンの対象外か、このソフトウェアが公開していない情報です。",
    ),
    Reason.DASHBOARD_ONLY: Text(
        "Only the dashboard can answer this.", "ダッシュボードだけが答えられる項目です。"
    ),
    Reason.BUG: Text(
        "fedisec itself failed here; this is our fault, not the server's.",
        "fedisec 自身の不具合です。サーバの問題ではありません。",
    ),
}
