"""Commands that write or check the files of a user's repository: init, new, validate, upgrade."""
