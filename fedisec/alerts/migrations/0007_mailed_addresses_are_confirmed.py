from django.conf import settings
from django.db import migrations


def confirm(apps, schema_editor):
    """Whom an earlier version mailed by a relay, and the relay took it, need not confirm the address."""
    if not settings.EMAIL_URL:
        return  # those mails went to a folder
    Delivery = apps.get_model("alerts", "Delivery")
    User = apps.get_model("accounts", "User")
    EmailAddress = apps.get_model("account", "EmailAddress")
    mailed = Delivery.objects.filter(state="sent", user__isnull=False).values("user")
    for user in User.objects.filter(pk__in=mailed):
        address = user.email.lower()
        others = EmailAddress.objects.filter(user=user).exclude(email=address)
        others.update(primary=False)
        EmailAddress.objects.update_or_create(
            user=user, email=address, defaults={"verified": True, "primary": True}
        )


class Migration(migrations.Migration):

    dependencies = [
        ("alerts", "0006_secrets_of_channels"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("accounts", "0003_operator"),
    ]

    operations = [migrations.RunPython(confirm, migrations.RunPython.noop)]
