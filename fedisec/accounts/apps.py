from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "fedisec.accounts"

    def ready(self) -> None:
        from fedisec.accounts import factors, heard, sessions_kept

        heard.listen()
        sessions_kept.listen()
        factors.listen()
