"""Estimates of mutual information out of traces, as the catalogue has them; schemas/shard.md says what a trace is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: The part of a flow-matching trace that counts: at its ends the weight or the velocity is of no use.
SIGMA_LOW, SIGMA_HIGH = 0.05, 1.0


def alphas_cumprod(schedule: dict[str, Any]) -> NDArray[np.float32]:
    """The running product of alpha of a manifest's `schedule`."""
    count = int(schedule["num_train_timesteps"])
    start, end = float(schedule["beta_start"]), float(schedule["beta_end"])
    if schedule["beta_schedule"] == "scaled_linear":
        betas = np.linspace(start**0.5, end**0.5, count, dtype=np.float32) ** 2
    else:
        betas = np.linspace(start, end, count, dtype=np.float32)
    return np.cumprod(1 - betas.astype(np.float64)).astype(np.float32)


def mean_kappa(
    timestep: ArrayLike, delta_sq: ArrayLike, schedule: dict[str, Any], *, cutoff: int = 50, reference: bool = False
) -> tuple[float, float]:
    """`mi` and `mi_se`: the mean of kappa_t * delta_sq over t > 50 (arXiv 2405.20759); `mi_reference` with `reference`."""
    cumulative = alphas_cumprod(schedule).astype(np.float64)
    alphas = cumulative / np.concatenate([[1.0], cumulative[:-1]])
    t, delta = np.asarray(timestep, np.int64), np.asarray(delta_sq, np.float64)
    kept = (t > cutoff) & (t < len(cumulative)) & ~np.isnan(delta)
    t, delta = t[kept], delta[kept]
    kappa = (1 - alphas[t]) * len(cumulative) / (2 * (1 - cumulative[t]))
    return _mean(delta * (kappa if reference else kappa / alphas[t]))


def rf(sigma: ArrayLike, velocity_delta: ArrayLike) -> tuple[float, float]:
    """`rf` and its standard error: the mean of (1 - sigma)/sigma * sum(v_c * delta) over 0.05 < sigma < 1 (RFMI, arXiv
    2503.14358)."""
    weight, kept = _weights(sigma)
    return _mean(weight * np.asarray(velocity_delta, np.float64)[kept])


def rf_cfg(sigma: ArrayLike, velocity_delta: ArrayLike, delta_sq: ArrayLike, guidance: float) -> tuple[float, float]:
    """`rf_cfg`: the same of the guided velocity, w(a - b) + w^2 b in the place of a."""
    weight, kept = _weights(sigma)
    a, b = np.asarray(velocity_delta, np.float64)[kept], np.asarray(delta_sq, np.float64)[kept]
    return _mean(weight * (guidance * (a - b) + guidance**2 * b))


def _weights(sigma: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values = np.asarray(sigma, np.float64)
    kept = (values > SIGMA_LOW) & (values < SIGMA_HIGH)
    return (1 - values[kept]) / values[kept], kept


def _mean(terms: NDArray[np.float64]) -> tuple[float, float]:
    terms = terms[~np.isnan(terms)]
    if len(terms) == 0:
        return float("nan"), float("nan")
    error = float(terms.std(ddof=1) / len(terms) ** 0.5) if len(terms) > 1 else float("nan")
    return float(terms.mean()), error
