"""Entry point of ``python -m analog_ff.spiking``."""

from analog_ff.spike import main

if __name__ == "__main__":
    main()
