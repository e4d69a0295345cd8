"""Looking at data before anything is trained: what checks see, what a check is, and the checks, one idea a file."""
