"""What programs read and do here: the REST API below /api/v1/, /metrics, and the tokens for both.

Nothing of it is loaded before it is asked for: ninja and pydantic come with the first request of the API, and
prometheus-client with the first scrape, so that workers and the clock never hold them in memory."""
