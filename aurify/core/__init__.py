"""The nouns of aurify: parts, recipe, batches and the seams they meet at."""
