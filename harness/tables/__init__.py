"""Tables of papers: a plan says which rows, claims beside the records that were made here."""
