# SPDX-License-Identifier: Apache-2.0
"""Trains the second reader of the model: a small network over words and their order.

    python3 train/firewall/second.py FOLDER...

`maso firewall train --second train/firewall/second.py` writes the folders and starts this program; no
text is in them, only hashes of words. A folder holds `harmless.u32`, the words of harmless texts with
a 0 between two, and one folder per training (`src/process/second-training.ts` says what is in it). A
training's result is its `second.bin`: a line of JSON, then the arrays it names.

Vectors of words come from harmless texts alone and stay as they are: which words stand within four of
each other, by positive pointwise mutual information, in the 128 strongest directions. What is learned
is a projection of them, one convolution over five words and two layers above it. Needs Debian's
python3-torch and python3-sklearn; running maso needs neither. The same folders give the same bytes with
the same versions on the same machine: each training runs on one thread, with a seed of its own.
"""
import json
import multiprocessing
import os
import sys

import numpy as np
import scipy.sparse as sparse
import torch
from sklearn.utils.extmath import randomized_svd
from torch import nn
from torch.nn import functional

WORDS_MAX = 40_000
COUNT_MIN = 5
NEAR = 4
DIRECTIONS = 128
TOPIC = 64
TOPIC_FREQUENCY = 1e-3
LOCAL = 6
WINDOW = 64
HIDDEN = 64
ORDER = 5
CHANNELS = 6
SMOOTHING = 0.05
OUTSIDE_SHARE = 0.3
DRAWN = 2
BATCH = 128
RATE = 2e-3


def vectors_of(stream):
    words, counts = np.unique(stream[stream != 0], return_counts=True)
    order = np.lexsort((words, -counts))[:WORDS_MAX]
    order = order[counts[order] >= COUNT_MIN]
    rank = np.sort(words[order])
    known = np.searchsorted(rank, stream).clip(max=len(rank) - 1)
    ids = np.where(rank[known] == stream, known, -1).astype(np.int32)
    size = len(rank)
    pairs = sparse.csr_matrix((size, size), dtype=np.float32)
    for distance in range(1, NEAR + 1):
        first, second = ids[:-distance], ids[distance:]
        # Nothing stands near what is in another text.
        gap = np.zeros(len(first), dtype=bool)
        for step in range(distance + 1):
            gap |= stream[step : step + len(first)] == 0
        both = (first >= 0) & (second >= 0) & ~gap
        weight = np.full(int(both.sum()), 1.0 / distance, dtype=np.float32)
        some = sparse.coo_matrix((weight, (first[both], second[both])), shape=(size, size)).tocsr()
        pairs = pairs + some + some.T
    sums = np.maximum(np.asarray(pairs.sum(1)).ravel(), 1e-6)
    smoothed = sums**0.75 / (sums**0.75).sum()
    pairs = pairs.tocoo()
    information = np.log(pairs.data / (sums[pairs.row] * smoothed[pairs.col]))
    kept = information > 0
    matrix = sparse.csr_matrix((information[kept], (pairs.row[kept], pairs.col[kept])), shape=pairs.shape)
    left, strength, _ = randomized_svd(matrix, DIRECTIONS, n_iter=3, random_state=1)
    vectors = (left * np.sqrt(strength)).astype(np.float32)
    vectors /= np.maximum(1e-6, np.linalg.norm(vectors, axis=1, keepdims=True))
    share = np.bincount(ids[ids >= 0], minlength=size) / max(1, (stream != 0).sum())
    topics = vectors[:, :TOPIC] * (TOPIC_FREQUENCY / (TOPIC_FREQUENCY + share))[:, None]
    return rank, vectors, quantised(topics)[0]


def quantised(values):
    step = float(np.abs(values).max()) / 127
    return np.round(values / max(step, 1e-9)).astype(np.int8), step


class Training:
    """What one folder holds, with words as places in the table: 0 is none, 1 is unknown."""

    def __init__(self, folder, rank, topics):
        def array(name, kind, width=0):
            values = np.fromfile(os.path.join(folder, name), dtype=kind)
            return values.reshape(-1, width) if width else values

        words = array("words.u32", "<u4")
        self.rows = array("rows.i32", "<i4", 4)
        self.importance = array("importance.f32", "<f4")
        windows = array("windows.i32", "<i4", 4)
        self.row, self.label = windows[:, 0], windows[:, 3]
        self.linear = array("linear.f32", "<f4")
        place = np.searchsorted(rank, words).clip(max=len(rank) - 1)
        ids = np.where(rank[place] == words, place + 2, 1).astype(np.int64)
        table = np.concatenate([np.zeros((2, TOPIC), np.float32), topics.astype(np.float32)])
        self.total = np.zeros((len(self.rows), TOPIC), np.float32)
        for at, (first, count, _, _) in enumerate(self.rows):
            self.total[at] = table[ids[first : first + count]].sum(0)
        self.windows = np.zeros((len(windows), WINDOW), np.int64)
        self.size = windows[:, 2] - windows[:, 1]
        for at, (row, start, end, _) in enumerate(windows):
            first = self.rows[row, 0]
            self.windows[at, : end - start] = ids[first + start : first + end]
        self.topic = np.zeros((len(windows), WINDOW, 2), np.float16)
        for at in range(0, len(windows), 4096):
            vectors = table[self.windows[at : at + 4096]]
            running = np.cumsum(np.pad(vectors, ((0, 0), (LOCAL + 1, LOCAL), (0, 0))), 1, dtype=np.float32)
            local = running[:, 2 * LOCAL + 1 :] - running[:, : -2 * LOCAL - 1]
            window = vectors.sum(1)[:, None]
            whole = self.total[self.row[at : at + 4096]][:, None]
            self.topic[at : at + 4096, :, 0] = likeness(local, window - local)
            self.topic[at : at + 4096, :, 1] = likeness(local, whole - local)
        self.first = np.searchsorted(self.row, np.arange(len(self.rows) + 1))

    def drawn(self, random):
        """Windows of one run over the rows: of an attack those that are known to be one, else the most suspect."""
        places, labels, weights = [], [], []

        def take(place, label, row):
            places.append(place)
            labels.append(label)
            weights.append(self.importance[row])

        for row, (_, _, _, flags) in enumerate(self.rows):
            begin, end = self.first[row], self.first[row + 1]
            if begin == end:
                continue
            if flags == 3:
                for place in range(begin, end):
                    label = self.label[place]
                    if label == 1 or (label == 0 and random.random() < OUTSIDE_SHARE):
                        take(place, label, row)
                continue
            take(begin + int(np.argmax(self.linear[begin:end])), flags & 1, row)
            if flags & 1 == 0:
                for _ in range(min(DRAWN, end - begin - 1)):
                    take(begin + int(random.integers(end - begin)), 0, row)
        return np.array(places), np.array(labels, np.float32), np.array(weights, np.float32)


def likeness(first, second):
    sizes = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return (first * second).sum(-1) / np.maximum(1e-3, sizes)


class Network(nn.Module):
    def __init__(self, vectors):
        super().__init__()
        table = np.concatenate([np.zeros((2, DIRECTIONS), np.float32), vectors])
        self.vectors = nn.Embedding.from_pretrained(torch.from_numpy(table), freeze=True)
        self.unknown = nn.Parameter(torch.zeros(DIRECTIONS))
        self.projection = nn.Linear(DIRECTIONS, HIDDEN)
        self.topic = nn.Linear(2, HIDDEN, bias=False)
        self.order = nn.Conv1d(HIDDEN, HIDDEN, ORDER, padding=ORDER // 2)
        self.channel = nn.Embedding(CHANNELS, 16)
        self.hidden = nn.Linear(2 * HIDDEN + 16, HIDDEN)
        self.answer = nn.Linear(HIDDEN, 1)

    def forward(self, words, topic, channel):
        there = (words != 0).unsqueeze(-1).float()
        vectors = self.vectors(words) + (words == 1).unsqueeze(-1) * self.unknown
        if self.training:
            vectors = vectors * (torch.rand(words.shape) > 0.15).unsqueeze(-1)
        read = functional.relu(self.projection(vectors) + self.topic(topic)) * there
        ordered = functional.relu(self.order(read.transpose(1, 2))) * there.transpose(1, 2)
        mean = read.sum(1) / there.sum(1).clamp(min=1)
        both = torch.cat([ordered.max(2)[0], mean, self.channel(channel)], 1)
        both = functional.dropout(both, 0.3, self.training)
        return self.answer(functional.dropout(functional.relu(self.hidden(both)), 0.2, self.training)).squeeze(1)


def learn(network, training, seed, epochs):
    random = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=RATE, weight_decay=0.01)
    channels = training.rows[training.row, 2].astype(np.int64)
    step, steps = 0, None
    network.train()
    for _ in range(epochs):
        places, labels, weights = training.drawn(random)
        order = random.permutation(len(places))
        batches = []
        # Windows of like length go together, so that little of a batch is empty.
        for at in range(0, len(order), BATCH * 32):
            some = order[at : at + BATCH * 32]
            some = some[np.argsort(training.size[places[some]], kind="stable")]
            batches += [some[k : k + BATCH] for k in range(0, len(some), BATCH)]
        random.shuffle(batches)
        steps = steps or epochs * len(batches)
        for batch in batches:
            for group in optimiser.param_groups:
                group["lr"] = RATE * min(1, step / 200) * max(0.02, 1 - step / steps)
            place = places[batch]
            length = int(training.size[place].max())
            words = torch.from_numpy(training.windows[place, :length])
            topic = torch.from_numpy(training.topic[place, :length].astype(np.float32))
            target = torch.from_numpy(labels[batch]) * (1 - 2 * SMOOTHING) + SMOOTHING
            score = network(words, topic, torch.from_numpy(channels[place]))
            loss = functional.binary_cross_entropy_with_logits(score, target, reduction="none")
            loss = (loss * torch.from_numpy(weights[batch])).mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            step += 1
    network.eval()


def write(folder, rank, topics, network):
    with torch.no_grad():
        projected = (network.vectors.weight[2:] @ network.projection.weight.T).numpy()
        table, step = quantised(projected)
        hidden = network.hidden.weight
        arrays = {
            "words": rank.astype("<u4"),
            "topics": topics,
            "table": table,
            "unknown": (network.projection.weight @ network.unknown).numpy(),
            "bias": network.projection.bias.numpy(),
            "topicWeights": network.topic.weight.numpy(),
            # [place, from before to after][in][out]
            "order": network.order.weight.permute(2, 1, 0).contiguous().numpy(),
            "orderBias": network.order.bias.numpy(),
            "hidden": hidden[:, : 2 * HIDDEN].contiguous().numpy(),
            "hiddenBias": (network.channel.weight @ hidden[:, 2 * HIDDEN :].T + network.hidden.bias).numpy(),
            "answer": network.answer.weight[0].numpy(),
            "answerBias": network.answer.bias.numpy(),
        }
    header = {"step": step, "arrays": {name: list(array.shape) for name, array in arrays.items()}}
    with open(os.path.join(folder, "second.bin"), "wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        for name, array in arrays.items():
            kind = {"words": "<u4", "topics": "i1", "table": "i1"}.get(name, "<f4")
            file.write(np.ascontiguousarray(array, dtype=kind).tobytes())


def train_one(folder, rank, vectors, topics):
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    with open(os.path.join(folder, "options.json"), encoding="utf-8") as file:
        options = json.load(file)
    torch.manual_seed(options["seed"])
    network = Network(vectors)
    learn(network, Training(folder, rank, topics), options["seed"], options["epochs"])
    write(folder, rank, topics, network)
    print(folder, flush=True)


def vectors_in(root):
    return vectors_of(np.fromfile(os.path.join(root, "harmless.u32"), dtype="<u4"))


def main(roots):
    with multiprocessing.get_context("spawn").Pool(os.cpu_count() or 1, maxtasksperchild=1) as pool:
        jobs = []
        for root, (rank, vectors, topics) in zip(roots, pool.map(vectors_in, roots, chunksize=1)):
            inner = sorted(entry.path for entry in os.scandir(root) if entry.is_dir())
            jobs += [(folder, rank, vectors, topics) for folder in inner]
        pool.starmap(train_one, jobs, chunksize=1)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main(sys.argv[1:])
