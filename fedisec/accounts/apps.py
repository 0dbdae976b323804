from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "fedisec.accounts"

    def ready(self) -> None:
        from fedisec.accounts import heard

        heard.listen()
