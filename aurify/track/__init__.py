"""Sends a run folder to trackers: what it holds, how it is followed, and one file for each place it can be sent to."""
