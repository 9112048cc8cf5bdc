"""Databases that the tests make themselves, in the shapes that other programs give them."""
