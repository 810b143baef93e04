# SPDX-License-Identifier: Apache-2.0
"""Groups words that stand in like surroundings, from harmless texts alone.

    python3 train/firewall/clusters.py TRAIN.jsonl.gz train/firewall/word-clusters.bin [SOURCE...]

Sources that are named are left out, for figures on sources never seen.
Reads the harmless rows of a labelled file (no attack is looked at), counts which words stand within
four of each other, weighs the counts by positive pointwise mutual information, takes the 128 strongest
directions and groups the words by them. Needs Debian's python3-sklearn; running maso does not. The same
file gives the same bytes with the same versions on the same machine.

Output, little-endian: for each word the FNV-1a hash of its UTF-16 units (u32, ascending), then for each
in the same order its group, from 1 (u16). No word stands in it.
"""
import gzip
import json
import re
import sys
from collections import Counter

import numpy as np
import scipy.sparse as sparse
from sklearn.cluster import MiniBatchKMeans
from sklearn.utils.extmath import randomized_svd

GROUPS = 1000
WORDS_MAX = 40_000
COUNT_MIN = 5
WINDOW = 4
DIMENSIONS = 128
SEED = 1
LENGTH_MAX = 40

token = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+|[^\w\s]")


def tokens_of(text):
    return ["0" if match[0].isdigit() else match for match in token.findall(text.lower())]


def pair_counts(ids, size):
    counts = sparse.csr_matrix((size, size), dtype=np.float32)
    for distance in range(1, WINDOW + 1):
        first, second = ids[:-distance], ids[distance:]
        known = (first >= 0) & (second >= 0)
        first, second = first[known], second[known]
        weight = np.full(len(first), 1.0 / distance, dtype=np.float32)
        pairs = sparse.coo_matrix((weight, (first, second)), shape=(size, size)).tocsr()
        counts = counts + pairs + pairs.T
    return counts


def vectors_of(counts):
    sums = np.asarray(counts.sum(1)).ravel()
    smoothed = sums**0.75 / (sums**0.75).sum()
    counts = counts.tocoo()
    information = np.log(counts.data / (sums[counts.row] * smoothed[counts.col]))
    kept = information > 0
    matrix = sparse.csr_matrix((information[kept], (counts.row[kept], counts.col[kept])), shape=counts.shape)
    left, strength, _ = randomized_svd(matrix, DIMENSIONS, n_iter=3, random_state=SEED)
    vectors = (left * np.sqrt(strength)).astype(np.float32)
    return vectors / np.maximum(1e-6, np.linalg.norm(vectors, axis=1, keepdims=True))


def hash_of(word):
    units = np.frombuffer(word.encode("utf-16-le", "surrogatepass"), dtype="<u2")
    value = 0x811C9DC5
    for unit in units:
        value = ((value ^ int(unit)) * 0x01000193) & 0xFFFFFFFF
    return value


def main(source, target, *left_out):
    texts = []
    counts = Counter()
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["label"] != "benign" or row["source"] in left_out:
                continue
            texts.append(tokens_of(row["text"]))
            counts.update(texts[-1])
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:WORDS_MAX]
    words = [word for word, count in ranked if count >= COUNT_MIN]
    place = {word: index for index, word in enumerate(words)}
    gap = [-1] * WINDOW
    ids = np.concatenate([np.array([place.get(word, -1) for word in text] + gap, dtype=np.int32) for text in texts])
    vectors = vectors_of(pair_counts(ids, len(words)))
    groups = MiniBatchKMeans(GROUPS, random_state=SEED, batch_size=4096, n_init=3, max_iter=60).fit_predict(vectors)
    table = {}
    for word, group in zip(words, groups):
        if len(word) <= LENGTH_MAX and word[0].isalpha():
            table.setdefault(hash_of(word), int(group) + 1)
    hashes = np.array(sorted(table), dtype="<u4")
    with open(target, "wb") as file:
        file.write(hashes.tobytes())
        file.write(np.array([table[int(value)] for value in hashes], dtype="<u2").tobytes())
    print(f"{len(texts)} texts, {len(ids)} tokens, {len(hashes)} words, {GROUPS} groups")


main(*sys.argv[1:])
