"""News read for others: releases of fediverse software, and warnings of vulnerabilities."""
