"""How our benchmarks call other people's code, which stays where its user has it."""
