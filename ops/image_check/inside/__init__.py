"""What runs inside of an image: nothing here imports other than Python's own library, before the image is known to have it."""
