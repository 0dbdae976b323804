"""Other ways than mail: signed webhooks, and the services that Apprise knows."""
