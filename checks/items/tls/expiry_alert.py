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
        "fedisec scans this instance on a schedule, and its mails go to at least one person, through a mail relay.",
        "fedisec がこのインスタンスを定期的にスキャンし、通知メールが中継先を通じて少なくとも1人に送られる状態。",
    ),
    fix=Fix(
        Text(
            "Leave the scheduled scans on in the settings of the instance, and switch the mails on at this item in the dashboard. Who runs fedisec sets a mail relay (EMAIL_URL). A second person helps when you are away.",
            "インスタンスの設定で定期スキャンを有効にしたまま、ダッシュボードのこの項目で通知メールを有効にします。メールの中継先（EMAIL_URL）は fedisec の運用者が設定します。不在のときのために、もう1人加えておくと安心です。",
        )
    ),
    verify=Text(
        "This item's page names those who get the mails. To see that the relay delivers, ask fedisec for a new password: that mail takes the same way.",
        "メールの宛先は、この項目のページに表示されます。実際に届くかどうかは、fedisec でパスワードの再設定を申し込むと確かめられます（同じ経路で送られます）。",
    ),
    codes={
        "watched": Text(
            "Scheduled scans watch the certificate; people told by mail: {count}.",
            "定期スキャンが証明書を見張っており、{count} 人にメールで知らせます。",
        ),
        "not_watched": Text(
            "Scheduled scans are off for this instance.", "このインスタンスの定期スキャンが無効です。"
        ),
        "nobody": Text(
            "The certificate is watched, but nobody would hear of it: nobody gets the mails, or fedisec has no mail relay.",
            "証明書は見張られていますが、誰にも知らせが届きません。メールを受け取る人がいないか、メールの中継先が設定されていません。",
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
