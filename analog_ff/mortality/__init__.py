"""Mortal computation: networks that live on one chip, what is lost when they are copied, and how one chip teaches another.

G. Hinton, arXiv:2212.13345, sections 8 and 9: parameters that fit the quirks of one chip are of no use on another, and what the
network knows is handed on by distillation. `specimen` is a chip of its own seed with a learner, `teaching` holds queries and
what answers are worth as labels, `paths` the ways from one chip to the next, `life` the days after learning, `study` all of them
for several seeds and chips, `page` and `pictures` the answer.
"""
