"""The central promise, proved over the whole scan: what could not be seen is unknown, whatever the far side does."""
