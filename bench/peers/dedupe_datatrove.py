"""Rows without near duplicates by datatrove: python dedupe_datatrove.py FOLDER PROCESSES SIMILARITY.

MinHash of 128 functions over triples of words, in bands for SIMILARITY, in four steps with files between them; of each cluster of rows that
share a band, one is kept and saved. Words are cut at white space, which is faster than its own tokenizer, spaCy. The texts of a
row are joined, and divided among the processes, before the clock starts."""

import json
import os
import sys
import tempfile
import time

folder, processes, similarity = sys.argv[1:]
os.environ.update(HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1")
count = int(processes)

from datatrove.executor.local import LocalPipelineExecutor  # noqa: E402
from datatrove.pipeline.dedup.minhash import (  # noqa: E402
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.readers import JsonlReader  # noqa: E402
from datatrove.pipeline.writers.jsonl import JsonlWriter  # noqa: E402
from datatrove.utils.hashing import HashConfig  # noqa: E402
from datatrove.utils.logging import logger  # noqa: E402
from datatrove.utils.word_tokenizers import WordTokenizer  # noqa: E402
from peak import Peak  # noqa: E402

logger.remove()


class Words(WordTokenizer):
    """At white space; texts have no punctuation by then."""

    def word_tokenize(self, text):
        return text.split()

    def sent_tokenize(self, text):
        return [text]

    def span_tokenize(self, text):
        return [(0, len(text))]


def join_texts(source, target):
    os.makedirs(target)
    files = [
        open(os.path.join(target, f"{number}.jsonl"), "w") for number in range(count)
    ]
    with open(source) as rows:
        for number, line in enumerate(rows):
            row = json.loads(line)
            text = f"{row['instruction']}\n{row['output']}"
            files[number % count].write(
                json.dumps({"text": text, "id": str(number)}) + "\n"
            )
    for file in files:
        file.close()


def bands_for(threshold):
    """The widest bands with which a pair at the threshold is found with a chance of 0.9999: their number, and functions of each."""
    found = ((128 // rows, rows) for rows in range(16, 0, -1))
    return next(
        (bands, rows)
        for bands, rows in found
        if 1 - (1 - threshold**rows) ** bands >= 0.9999
    )


def main():
    with tempfile.TemporaryDirectory() as work, Peak() as peak:
        at = {
            name: os.path.join(work, name)
            for name in ("texts", "signatures", "buckets", "removed", "saved", "logs")
        }
        join_texts(os.path.join(folder, "rows.jsonl"), at["texts"])
        bands, functions = bands_for(float(similarity))
        config = MinhashConfig(
            n_grams=3,
            num_buckets=bands,
            hashes_per_bucket=functions,
            hash_config=HashConfig(precision=32, hash_fc="xxhash"),
        )
        words = Words("en")

        def step(name, tasks, *pipeline):
            LocalPipelineExecutor(
                list(pipeline),
                tasks=tasks,
                workers=min(tasks, count),
                logging_dir=os.path.join(at["logs"], name),
            ).run()

        start = time.monotonic()
        step(
            "1",
            count,
            JsonlReader(at["texts"]),
            MinhashDedupSignature(at["signatures"], config, words),
        )
        step(
            "2",
            bands,
            MinhashDedupBuckets(at["signatures"], at["buckets"], config=config),
        )
        step("3", 1, MinhashDedupCluster(at["buckets"], at["removed"], config))
        step(
            "4",
            count,
            JsonlReader(at["texts"]),
            MinhashDedupFilter(at["removed"]),
            JsonlWriter(at["saved"], compression=None),
        )
        seconds = time.monotonic() - start
        kept = 0
        for name in os.listdir(at["saved"]):
            with open(os.path.join(at["saved"], name)) as file:
                kept += sum(1 for _ in file)
    print(json.dumps({"seconds": seconds, "peakBytes": peak.bytes, "rows": kept}))


if __name__ == "__main__":
    main()
