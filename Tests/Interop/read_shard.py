"""Reads a shard with h5py and hdf5plugin alone, as schemas/shard.md says, and prints what it saw as JSON."""
import hashlib
import json
import sys

import h5py
import hdf5plugin  # noqa: F401  registers the zstd filter
import numpy as np

with h5py.File(sys.argv[1]) as f:
    assert f.attrs["format"].decode() == "attune-shard" and f.attrs["version"].decode() in ("1", "2")
    manifest, m_off = f["samples/manifest"][:], f["samples/manifest_offset"][:]
    text, t_off = f["prompts/text"][:], f["prompts/text_offset"][:]
    png, p_off = f["images/png"][:], f["images/offset"][:]
    seen = []
    for i, raw in enumerate(f["samples/id"][:]):
        m = manifest[m_off[i] : m_off[i + 1]].tobytes()
        assert hashlib.sha256(m).digest() == raw.tobytes(), "id is the digest of the manifest"
        p = f["samples/prompt"][i]
        row = f["samples/latent_row"][i]
        shape = json.loads(m)["latent_shape"]
        latent = f["latents/" + "x".join(map(str, shape))][row]
        assert hashlib.sha256(latent.tobytes()).hexdigest() == json.loads(m)["latent_sha256"]
        seen.append(
            dict(
                id=raw.tobytes().hex(),
                prompt=text[t_off[p] : t_off[p + 1]].tobytes().decode(),
                png_bytes=int(p_off[i + 1] - p_off[i]),
                latent_sum=float(latent.astype(np.float64).sum()),
                delta_sum=float(np.nansum(f["traces/delta_sq"][i].astype(np.float64))),
            )
        )
json.dump(seen, sys.stdout)
