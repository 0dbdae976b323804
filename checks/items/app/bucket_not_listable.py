"""Does the media bucket or folder give no listing?"""

from checks.facts import Facts, seen
from checks.facts.http import MediaSample
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed

NGINX = """
    autoindex off;"""

POLICY = """
    {
      "Version": "2012-10-17",
      "Statement": [{
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::BUCKET/*"
      }]
    }"""

SEE = """
    curl -s https://files.example.social/ | head -n 5"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "Mastodon: Configuring object storage",
            "https://docs.joinmastodon.org/admin/optional/object-storage/",
        ),
        Reference(
            "AWS: Examples of Amazon S3 bucket policies",
            "https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html",
        ),
    ),
    title=Text("The media store does not list its content", "メディアの保存先が一覧を表示しない"),
    why=Text(
        "Addresses of private media are secret only because nobody can guess them. A listing gives all of them away, with deleted posts and exported archives.",
        "非公開のメディアは URL を推測できないことで守られています。一覧が見えると、削除済みの投稿やエクスポートしたアーカイブまですべて知られます。",
    ),
    expected=Text(
        "The root of the bucket or folder answers 403 or 404.",
        "バケットやディレクトリの最上位が 403 か 404 を返す状態。",
    ),
    fix=Fix(
        Text(
            "Allow strangers to read single objects, not to list the bucket. In the policy of an S3 bucket that is GetObject without ListBucket:\n"
            + POLICY,
            "外部には個々のファイルの取得だけを許し、一覧は許しません。S3 のバケットポリシーでは、ListBucket を含めず GetObject だけを許可します。\n"
            + POLICY,
        ),
        variants=(("nginx", Text("Set these lines:\n" + NGINX, "設定例：\n" + NGINX)),),
    ),
    verify=Text(
        "Neither ListBucketResult nor Index of may appear, at the root of the media host and in the folder above an avatar:\n"
        + SEE,
        "メディア用ホストの最上位と、アイコン画像の上のディレクトリで、ListBucketResult や Index of が表示されないことを確認します。\n"
        + SEE,
    ),
    codes={
        "closed": Text("{url} gives no listing.", "{url} は一覧を表示しません。"),
        "listed": Text("{url} lists what is stored there.", "{url} で保存内容の一覧が見えます。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    media = facts.get(MediaSample)
    kind = seen(media.listing)
    if kind:
        return failed("listed", url=media.listing_url).seen(f"GET {media.listing_url}", kind)
    return passed("closed", url=media.listing_url).seen(f"GET {media.listing_url}", "no listing")
