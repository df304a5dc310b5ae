"""What each invoice and payment needs, decided from what is known of both sides. Pure."""
