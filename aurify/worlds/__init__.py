"""What acting is learnt in: Gymnasium environments, side by side, and what can be known of them exactly."""
