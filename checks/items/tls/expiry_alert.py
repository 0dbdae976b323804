"""Does fedisec itself watch the certificate, and does somebody hear of it?"""

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.fedisec import CertificateWatch
from checks.model import SELF, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(SELF,),
    sources=(Source("003", "構築/証明書"),),
    references=(
        Reference(
            "Let's Encrypt: Ending Support for Expiration Notification Emails",
            "https://letsencrypt.org/2025/01/22/ending-expiration-emails/",
        ),
    ),
    title=Text("Somebody is told before the certificate ends", "証明書の期限が近づくと、誰かに通知が届く"),
    why=Text(
        "Automatic renewal fails silently, and the next thing heard of it is that nobody gets in. Let's Encrypt no longer writes mails, so the reminder has to come from elsewhere.",
        "自動更新は黙って失敗し、次に気づくのは誰も入れなくなったときです。Let's Encrypt も通知メールを廃止したため、知らせる仕組みを別に用意する必要があります。",
    ),
    expected=Text(
        "fedisec scans this instance on a schedule, and at least one confirmed address or channel receives its alerts.",
        "fedisec がこのインスタンスを定期的にスキャンし、確認済みの通知先が1つ以上ある状態。",
    ),
    fix=Fix(
        Text(
            "Switch the scheduled scan on in the settings of the instance, add an address under alerts, and click the link in the confirmation mail. A second person's address helps when you are away.",
            "インスタンスの設定で定期スキャンを有効にし、「通知」でメールアドレスを追加して、届いた確認メールのリンクを開きます。不在のときのために、もう1人加えておくと安心です。",
        )
    ),
    verify=Text(
        "Send the test message from the alert settings and see that it arrives.",
        "通知の設定からテスト送信を行い、届くことを確認します。",
    ),
    codes={
        "watched": Text(
            "Scheduled scans watch the certificate; {count} confirmed recipients are told.",
            "定期スキャンが証明書を見張っており、確認済みの通知先 {count} 件に知らせます。",
        ),
        "not_watched": Text(
            "Scheduled scans are off for this instance.", "このインスタンスの定期スキャンが無効です。"
        ),
        "nobody": Text(
            "The certificate is watched, but no recipient has been confirmed.",
            "証明書は見張られていますが、確認済みの通知先がありません。",
        ),
    },
    outdated=Text(
        "The source relies on the expiry mails of Let's Encrypt; these ended in June 2025.",
        "出典は Let's Encrypt の期限通知メールを挙げていますが、2025年6月に廃止されました。",
    ),
)


@item.check
def check(facts: Facts) -> Verdict:
    watch = facts.maybe(CertificateWatch) or seen(Missing(Reason.DASHBOARD_ONLY))
    what = f"scheduled scans: {'on' if watch.watching else 'off'}\nrecipients: {watch.confirmed_recipients}"
    if not watch.watching:
        return failed("not_watched").seen("fedisec", what)
    if watch.confirmed_recipients < 1:
        return failed("nobody").seen("fedisec", what)
    return passed("watched", count=watch.confirmed_recipients).seen("fedisec", what)
