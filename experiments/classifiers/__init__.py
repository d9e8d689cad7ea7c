"""4.2, 4.4, 4.5: the VGG, trained and asked."""
