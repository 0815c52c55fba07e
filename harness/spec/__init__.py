"""What is asked: the nouns of the field, protocols, recipes, and the plugins that declare them."""
