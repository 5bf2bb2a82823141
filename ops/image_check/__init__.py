"""The file that checks an own image: it runs inside of the image and needs nothing but Python."""
