"""Commands that run the embedded AWS on this machine: local up, demo and demo-delivery."""
