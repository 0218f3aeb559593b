"""Learners against each other: the points of a comparison, their prices, and the document, table and pictures made of them."""
