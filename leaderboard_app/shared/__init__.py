"""What several pages use: the store as they see it, addresses, links, words and looks."""
