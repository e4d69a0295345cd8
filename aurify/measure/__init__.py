"""What a set of predictions is worth: metrics, intervals, paired differences and the plain baselines beside it."""
