"""Settings of the test suite; the project's own with what a test needs to be quick and closed."""
