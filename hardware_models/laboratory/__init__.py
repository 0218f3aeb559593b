"""Read tables as laboratories export them; each module answers one question.

`text` finds the encoding, the separator and the header; `titles` reads quantity and unit from a title, `wide` also the cell, the
cycle or the polarity; `choices` reads the user's choice of columns, and `columns` assigns a quantity and a unit to each column;
`picked` finds the rows, `decimals` reads their numbers, `stated` what lines of text say; `numbers` and `readings` make rows in SI
units; `logs` splits pulses from readings that have rows of their own; `tables` does all of this for one file and joins several.

`cycles` sorts the rows by device cell and cycle and counts the pulses between two readings; `unread` tells pulses that were not
read by design from missing readings; `amplitudes` finds the sizes of the pulses; `outliers` finds single readings that do not fit
the rest. `hardware_models.fitting.pulse_train` combines them.
"""
