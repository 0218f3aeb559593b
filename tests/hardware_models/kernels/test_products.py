"""Matrix products in fixed panels."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from hardware_models.kernels import products


@pytest.mark.parametrize("shape", [(1, 5, 3), (15, 64, 9), (100, 300, 70), (300, 128, 65), (785, 200, 50)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_product_is_the_product(shape: tuple[int, int, int], dtype: type) -> None:
    """Within the rounding of a sum of k terms."""
    m, k, n = shape
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    bound = np.abs(a).astype(np.float64) @ np.abs(b) * k * np.finfo(dtype).eps
    assert (np.abs(products.matmul(a, b) - exact) <= bound + 1e-300).all()


def test_same_bits_for_any_number_of_threads() -> None:
    """The panels depend on the shape alone."""
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((512, 700)).astype(np.float32), rng.standard_normal((700, 300)).astype(np.float32)
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = products.matmul(a, b)
    finally:
        numba.set_num_threads(threads)
    assert np.array_equal(one, products.matmul(a, b))


def test_panels_are_a_function_of_the_rows() -> None:
    """One panel for a vector, two for a batch, even numbers beyond."""
    assert [products.panels(n) for n in (1, 15, 16, 255, 256, 257, 1000)] == [1, 1, 2, 2, 2, 4, 8]
