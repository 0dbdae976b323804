"""What leaves the house: exports, a public page, a badge, print."""
