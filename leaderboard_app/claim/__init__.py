"""One published number: where it was read, what it was made with, what came out here."""
