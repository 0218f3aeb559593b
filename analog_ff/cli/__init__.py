"""The parts that all commands share: parameters, tables, errors and exit status."""
