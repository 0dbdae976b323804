"""Is the account at the hosting provider kept with a strong password and a second factor?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(MANUAL,),
    sources=(Source("000", "Basic"),),
    references=(
        Reference(
            "NIST SP 800-63B-4: Authentication and Authenticator Management",
            "https://pages.nist.gov/800-63-4/sp800-63b.html",
        ),
    ),
    title=Text(
        "The provider account has a strong password and two factors",
        "サーバ事業者のアカウントを強いパスワードと二段階認証で守っている",
    ),
    why=Text(
        "Whoever gets into the control panel owns console, disks, snapshots and network; nothing on the server itself can stop that. The accounts at the domain registrar and the DNS provider weigh as much.",
        "コントロールパネルに入られると、コンソールもディスクもスナップショットも握られ、サーバ側の対策では防げません。ドメインの登録事業者と DNS のアカウントも同じくらい重要です。",
    ),
    expected=Text(
        "The accounts at the hoster, the registrar, the DNS provider and the CDN each have a random password used nowhere else and a second factor, best a security key. Recovery codes lie in the password manager, and API tokens may do only what they must.",
        "サーバ・ドメイン・DNS・CDN の各アカウントに、使いまわしのないランダムなパスワードと二段階認証（できればセキュリティキー）を設定している状態。リカバリーコードはパスワード管理ソフトに保存し、API トークンの権限は最小限にします。",
    ),
    fix=Fix(
        Text(
            "Go through all of them: change passwords that are short or used twice, switch the second factor on, end old sessions, delete API keys and sub-users that nobody needs, and make sure that the mail address of the account is itself protected with two factors. With several admins, give each one an own sub-user.",
            "すべてのアカウントを点検します。短いパスワードや使いまわしを変え、二段階認証を有効にし、古いセッションを終了し、不要な API キーやサブユーザを消します。登録しているメールアドレス自体も二段階認証で守ってください。管理者が複数いる場合は、それぞれにサブユーザを割り当てます。",
        )
    ),
    verify=Text(
        "Log in from a private browser window: does it ask for the second factor? Does the list of sessions and API keys hold only what you know?",
        "ブラウザのプライベートウィンドウでログインして、二段階認証を求められますか。セッションと API キーの一覧に、身に覚えのないものはありませんか。",
    ),
    attest_days=180,
)
