"""What attacks fedisec in `make test-security`, and the tests of what docs/security.md claims."""
