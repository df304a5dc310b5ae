"""What is hard to get right, as values in and values out: no files, network, clock or randomness."""
