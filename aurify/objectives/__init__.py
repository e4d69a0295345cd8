"""What an output means: loss per example, probabilities, traits."""
