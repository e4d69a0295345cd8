"""What tasks share: examples bound to what is to be learnt from them."""
