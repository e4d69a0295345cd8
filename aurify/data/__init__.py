"""From raw data to typed columns, splits, prepared tensors and batches."""
