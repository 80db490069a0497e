"""Writes statistics.json: what scipy and scikit-learn give for Sources/Statistics.

Run from the repository: python Tests/Goldens/make_statistics_goldens.py
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(5)
cases = []
for count, distinct in ((4, 0), (9, 3), (16, 0), (16, 4), (50, 7), (200, 0)):
    a = rng.normal(size=count)
    b = 0.6 * a + rng.normal(size=count)
    if distinct:
        a, b = np.round(a * distinct / 4), np.round(b * distinct / 4)
    accepted = b > np.median(b)
    cases.append({
        "a": a.tolist(), "b": b.tolist(), "accepted": accepted.tolist(), "auc": roc_auc_score(accepted, a),
        "spearman": stats.spearmanr(a, b).statistic, "kendall": stats.kendalltau(a, b).statistic,
        "ranks": stats.rankdata(a).tolist(),
    })  # fmt: skip
means = []
for count in (5, 60, 300):
    values = (rng.random(count) < 0.3).astype(float) + rng.normal(size=count) * 0.1
    interval = stats.bootstrap(
        (values,), np.mean, n_resamples=400_000, batch=10_000, method="percentile", confidence_level=0.95,
        random_state=1).confidence_interval  # fmt: skip
    means.append({"values": values.tolist(), "mean": values.mean(), "low": interval.low, "high": interval.high})
Path(__file__).with_name("statistics.json").write_text(json.dumps({"ranks": cases, "means": means}) + "\n")
