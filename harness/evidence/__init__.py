"""What is kept so that a number can be believed, and readers for what strangers kept."""
