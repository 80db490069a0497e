"""Writes the sixteen images that storage.py stores, so that Attune stores the same: storage_images.py FOLDER SIDE."""
import os, sys
from storage import samples

folder, side = sys.argv[1], int(sys.argv[2])
os.makedirs(folder, exist_ok=True)
for i, x in enumerate(samples(16, (1, 1, 1), side)):
    with open(f"{folder}/{i:02}.png", "wb") as f: f.write(x["png"][:-8])
