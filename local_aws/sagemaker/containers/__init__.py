"""Containers: the folders, environments and processes that stand in their place on this machine."""
