"""Booted Debian machines with planted faults: `make test-hosts`."""
