"""Many runs: their points, the one file that stores them, the workers that carry them out, and what is made of the results."""
