"""Label models in numpy, as a peer for `bench/peers.ts`: the same model, start, rounds and smoothing as Gradus.

Arguments: a JSON file with {votes, items, sources, classes, prior, rounds, smoothing, out}; `votes` is a file of int8,
items x sources, -1 = no vote. Writes the posteriors as float64 and prints the seconds of each way as JSON.
"""
import json
import sys
import time

import numpy as np

job = json.load(open(sys.argv[1]))
n, m, k = job["items"], job["sources"], job["classes"]
votes = np.fromfile(job["votes"], dtype=np.int8).reshape(n, m)


def one_hot(v):
    out = np.zeros((len(v), m * k))
    for s in range(m):
        seen = v[:, s] >= 0
        out[np.nonzero(seen)[0], s * k + v[seen, s]] = 1.0
    return out


def start(v):
    """Shares of the votes of each item; those of all votes weigh a millionth of a vote."""
    counts = np.stack([(v == c).sum(axis=1) for c in range(k)], axis=1) + 1e-6 * np.array(job["prior"])
    return counts / ((v >= 0).sum(axis=1, keepdims=True) + 1e-6)


def dawid_skene(v, weight=None):
    hot = one_hot(v)
    p = start(v)
    for _ in range(job["rounds"]):
        q = p if weight is None else p * weight[:, None]
        prior = q.sum(axis=0) / q.sum()
        conf = (hot.T @ q).reshape(m, k, k) + job["smoothing"]
        conf /= conf.sum(axis=1, keepdims=True)
        score = np.log(np.maximum(prior, 1e-300)) + hot @ np.log(np.maximum(conf, 1e-300)).reshape(m * k, k)
        score -= score.max(axis=1, keepdims=True)
        p = np.exp(score)
        p /= p.sum(axis=1, keepdims=True)
    return p


def grouped(v):
    rows, inverse, counts = np.unique(v, axis=0, return_inverse=True, return_counts=True)
    return dawid_skene(rows, counts.astype(float))[inverse]


def triplets(v):
    shares = np.array(job["prior"])
    seen = (v >= 0).astype(float)
    common = seen.T @ seen
    out = np.zeros((n, k))
    for c in range(k):
        signed = np.where(v < 0, 0.0, np.where(v == c, 1.0, -1.0))
        products = (signed.T @ signed) / common
        accuracy = np.zeros(m)
        for i in range(m):
            found = [
                np.sqrt(abs(products[i, a] * products[i, b] / products[a, b]))
                for a in range(m)
                for b in range(a + 1, m)
                if i not in (a, b) and abs(products[a, b]) >= 0.02
            ]
            accuracy[i] = min(0.98, np.median(found))
        balance = min(1 - 1e-6, max(1e-6, shares[c]))
        odds = np.log(balance / (1 - balance)) + signed @ np.log((1 + accuracy) / (1 - accuracy))
        out[:, c] = 1 / (1 + np.exp(-odds))
    return out / out.sum(axis=1, keepdims=True)


seconds = {}
for name, way in {"dawid-skene": dawid_skene, "dawid-skene, equal rows once": grouped, "triplets": triplets}.items():
    began = time.perf_counter()
    posterior = way(votes)
    seconds[name] = time.perf_counter() - began
    posterior.tofile(f"{job['out']}.{name}")
print(json.dumps({"numpy": np.__version__, "seconds": seconds}))
