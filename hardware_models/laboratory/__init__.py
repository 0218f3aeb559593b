"""Read tables as laboratories export them; each module answers one question.

`text` finds the encoding, the separator and the header; `titles` reads quantity and unit from a title; `columns` assigns a
quantity and a unit to each column; `numbers` converts table cells into SI units and refuses text that is no number; `cycles`
sorts the rows by device cell and cycle and checks their pulses; `outliers` finds single readings that do not fit the rest.
`hardware_models.fitting.pulse_train` combines them.
"""
