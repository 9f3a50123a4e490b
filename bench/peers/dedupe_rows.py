"""Rows without near duplicates by text-dedup: python dedupe_rows.py FOLDER PROCESSES SIMILARITY.

MinHash of 128 functions over triples of words, in bands for SIMILARITY; of each cluster of rows that share a band, the first
is kept and saved. The texts of a row are joined before the clock starts."""

import json
import os
import subprocess
import sys
import tempfile
import time

folder, processes, similarity = sys.argv[1:]
os.environ.update(HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1")

import datasets  # noqa: E402
from peak import Peak  # noqa: E402


def join_texts(source, target):
    with open(source) as rows, open(target, "w") as texts:
        for line in rows:
            row = json.loads(line)
            texts.write(json.dumps({"text": f"{row['instruction']}\n{row['output']}"}) + "\n")


def main():
    with tempfile.TemporaryDirectory() as work, Peak() as peak:
        texts = os.path.join(work, "texts.jsonl")
        join_texts(os.path.join(folder, "rows.jsonl"), texts)
        saved = os.path.join(work, "saved")
        options = {
            **{"path": "json", "data_files": texts, "split": "train", "cache_dir": work, "output": saved},
            **{"column": "text", "num_proc": processes, "batch_size": 10000},
            **{"ngram": 3, "num_perm": 128, "threshold": similarity, "min_length": 0},
            **{"hash_func": "xxh3", "hash_bits": 32},
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        start = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "text_dedup.minhash", *words],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        seconds = time.monotonic() - start
        kept = len(datasets.load_from_disk(saved))
    print(json.dumps({"seconds": seconds, "peakBytes": peak.bytes, "rows": kept}))


if __name__ == "__main__":
    main()
