"""Seeded image corruptions: what a protocol says of them (`spec`), and the pixels (`apply`)."""
