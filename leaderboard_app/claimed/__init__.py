"""What papers claim, beside what came out here."""
