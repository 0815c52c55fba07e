"""HAMNet (AAAI 2020): streams weighed by their class activations, class scores made to agree."""
