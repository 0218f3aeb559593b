"""Tables as laboratories export them, one question a file: text, columns, numbers, order, outliers.

`text` finds encoding, separator and header; `titles` what a title says; `columns` what each column is; `numbers` turns cells into
SI and tells what cannot be one; `cycles` brings rows into the order of cells and cycles and checks what was done to them;
`outliers` finds single readings that do not belong to the rest. `hardware_models.pulse_train` puts them together.
"""
