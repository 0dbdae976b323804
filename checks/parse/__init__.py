"""Pure parsers: text in, dataclass or ParseError out."""
