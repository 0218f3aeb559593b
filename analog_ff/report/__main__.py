"""``python -m analog_ff.report FOLDER``."""

from analog_ff.report.command import main

if __name__ == "__main__":
    main()
