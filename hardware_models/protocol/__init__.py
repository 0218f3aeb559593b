"""The line protocol: neurons or a whole chip as a real thing, served by a process, a socket or a table of recorded values.

One side asks and the other answers; every message is a frame (`frames`): one line of JSON and the bytes of its arrays. `Line` is
the side that asks, `serve_neurons` the side that answers for the neurons of layers. A whole chip is served by
`hardware_models.chip.served.serve_chip`. The page "The line protocol" of the documentation is complete enough to answer from any
language.
"""
