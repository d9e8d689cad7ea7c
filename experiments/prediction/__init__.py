"""What a trained network says of new images, and where it is written."""
