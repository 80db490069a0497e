"""Features in every form that attune quality reads, and what the reference programs compute from them.

    pip install numpy scipy scikit-learn torch torch-fidelity==0.4.0 prdc==0.2
    python make_metrics_goldens.py OUT       # Tests/Goldens/metrics

OUT/real.npy and fake.npy have more images than dimensions, few-*.npy fewer; expected.json has the values. OUT/formats
holds one array of 7 x 5 in all forms.
"""
import io, json, os, sys
import numpy as np
import scipy.linalg
import torch
from prdc import compute_prdc
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

SUBSETS, SIZE, SEED = 12, 50, 2020


def fid_by_sqrtm(a, b):
    """As pytorch-fid states it, with SciPy's square root of a matrix that is not symmetric."""
    (ma, sa), (mb, sb) = [(x.mean(0), np.cov(x, rowvar=False)) for x in (a, b)]
    root = scipy.linalg.sqrtm(sa @ sb)
    return float(((ma - mb) ** 2).sum() + np.trace(sa) + np.trace(sb) - 2 * np.trace(root.real))


def fid_by_singular_values(a, b):
    """tr (Sa Sb)^1/2 is the sum of the singular values of Xa Xb^T: exact where covariances have no full rank."""
    ca, cb = [(x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (a, b)]
    trace = np.linalg.svd(ca @ cb.T, compute_uv=False).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + (ca ** 2).sum() + (cb ** 2).sum() - 2 * trace)


def cmmd(x, y, sigma=10.0, scale=1000.0):
    """The formula of arXiv 2401.09603, biased, in double precision."""
    def mean(a, b):
        squared = ((a[:, None] - b[None]) ** 2).sum(-1)
        return np.exp(-squared / (2 * sigma ** 2)).mean()
    return float(scale * (mean(x, x) + mean(y, y) - 2 * mean(x, y)))


def kid_of_all(x, y):
    """The unbiased estimate over all images."""
    def kernel(a, b): return (a @ b.T / a.shape[1] + 1) ** 3
    kx, ky = kernel(x, x), kernel(y, y)
    n, m = len(x), len(y)
    return float((kx.sum() - np.trace(kx)) / (n * (n - 1)) + (ky.sum() - np.trace(ky)) / (m * (m - 1))
                 - 2 * kernel(x, y).mean())


def values(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    ta, tb = torch.from_numpy(a), torch.from_numpy(b)
    kid = kid_features_to_metric(ta, tb, kid_subsets=SUBSETS, kid_subset_size=min(SIZE, len(a), len(b)), kid_kernel="poly",
                                 kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1,
                                 rng_seed=SEED, verbose=False)
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b)]
    return dict(
        fid_sqrtm=fid_by_sqrtm(a, b), fid_exact=fid_by_singular_values(a, b),
        fid_torch_fidelity=fid_statistics_to_metric(*[fid_features_to_statistics(t) for t in (ta, tb)],
                                                    verbose=False)["frechet_inception_distance"],
        kid_mean=kid["kernel_inception_distance_mean"], kid_std=kid["kernel_inception_distance_std"],
        kid_all=kid_of_all(a, b), cmmd=cmmd(a, b), cmmd_normalized=cmmd(*unit),
        **{k: float(v) for k, v in compute_prdc(a, b, 5).items()})


def features(rng, n, d, shift):
    """Correlated, not centered, and not normal: what features of networks look like."""
    mixing = np.random.RandomState(5).randn(d, d) / np.sqrt(d)
    x = np.maximum(rng.randn(n, d) + shift * np.linspace(-1, 1, d), -0.5) ** 2
    return (x @ mixing + 0.3).astype(np.float32)


def npy(path, array, version=None):
    with open(path, "wb") as file: np.lib.format.write_array(file, array, version=version)


def main(out):
    os.makedirs(f"{out}/formats", exist_ok=True)
    rng = np.random.RandomState(7)
    real, fake = features(rng, 220, 12, 0), features(rng, 180, 12, 0.35)
    few_real, few_fake = features(rng, 30, 40, 0), features(rng, 24, 40, 0.35)
    for name, array in dict(real=real, fake=fake).items(): np.save(f"{out}/{name}.npy", array)
    np.save(f"{out}/few-real.npy", few_real)
    np.save(f"{out}/few-fake.npy", few_fake)
    for name, array in dict(real=real, fake=fake).items():
        x = array.astype(np.float64)
        np.savez(f"{out}/{name}-statistics.npz", mu=x.mean(0), sigma=np.cov(x, rowvar=False))
    state = np.random.RandomState(SEED)
    expected = dict(settings=dict(subsets=SUBSETS, size=SIZE, seed=SEED, k=5), many=values(real, fake),
                    few=values(few_real, few_fake),
                    choices=[state.choice(220, 6, replace=False).tolist() for _ in range(3)],
                    spectrum=np.linalg.eigvalsh(np.cov(real.astype(np.float64), rowvar=False)).tolist())
    with open(f"{out}/expected.json", "w") as file: json.dump(expected, file, indent=1)

    # Numbers that half precision has, so that all forms hold the same.
    table = (np.arange(35).reshape(7, 5) - 11) / 4
    for kind in ["f2", "f4", "f8"]:
        for mark, order in [("<", "C"), (">", "F")]:
            np.save(f"{out}/formats/{'le' if mark == '<' else 'be'}-{kind}-{order}.npy",
                    np.asarray(table, dtype=mark + kind, order=order))
    np.save(f"{out}/formats/le-f4-F.npy", np.asarray(table, "<f4", order="F"))
    np.save(f"{out}/formats/be-f8-C.npy", np.asarray(table, ">f8"))
    npy(f"{out}/formats/version-2.npy", table.astype("<f4"), (2, 0))
    npy(f"{out}/formats/version-3.npy", table.astype("<f4"), (3, 0))
    names = np.array([f"image-{i}é.png" for i in range(7)])
    np.savez(f"{out}/formats/stored.npz", features=table.astype("<f4"), file_names=names)
    np.savez_compressed(f"{out}/formats/deflated.npz", reps=table.astype("<f8"), hparams=np.array({"batch": 5}, dtype=object))
    np.savez(f"{out}/formats/bytes.npz", arr_0=np.asfortranarray(table), ids=np.char.encode(names, "utf-8"))
    # What is refused.
    np.save(f"{out}/formats/bad-object.npy", np.array([[{}, 1], [2, 3]], dtype=object), allow_pickle=True)
    np.save(f"{out}/formats/bad-one-row.npy", table[:1].astype("<f4"))
    np.save(f"{out}/formats/bad-empty.npy", table[:0].astype("<f4"))
    np.save(f"{out}/formats/bad-three-dimensions.npy", table.reshape(7, 5, 1).astype("<f4"))
    np.save(f"{out}/formats/bad-integers.npy", table.astype("<i4"))
    np.save(f"{out}/formats/bad-records.npy", np.zeros(3, dtype=[("a", "<f4"), ("b", "<i4")]))
    for name, value in [("nan", np.nan), ("infinity", -np.inf)]:
        wrong = table.astype("<f4").copy()
        wrong[3, 2] = value
        np.save(f"{out}/formats/bad-{name}.npy", wrong)
    np.savez(f"{out}/formats/bad-two-tables.npz", a=table, b=table)
    np.savez(f"{out}/formats/bad-names.npz", features=table, names=names[:3])
    np.savez(f"{out}/formats/bad-sigma.npz", mu=np.zeros(5), sigma=np.zeros((5, 4)))


main(sys.argv[1])
