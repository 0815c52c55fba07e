"""The IEEE method (AAAI 2022): interact, embed, enlarge, for RGB, NI and TI images of a person."""
