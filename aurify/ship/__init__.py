"""What leaves training: one safe file that parses, prepares, predicts and answers."""
