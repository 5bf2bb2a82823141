"""Write, check and upgrade the files of a user's repository."""
