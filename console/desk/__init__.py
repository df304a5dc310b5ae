"""What the console may ask of the product and order from it."""
