"""The same decoder-only transformer in PyTorch, as a peer for `bench/transformer-torch.ts`.

RMS norm, rotary positions, squared ReLU, separate input and output embeddings, no biases; a training step is loss,
gradients and a step of Adam; sampling keeps keys and values and draws from the whole vocabulary with log-probabilities.
Argument: a JSON file with {threads, train: [{width, layers, heads, hidden, context, vocab, rows, steps}], sample: {...}}.
"""
import json
import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

job = json.load(open(sys.argv[1]))
torch.set_num_threads(job["threads"])
torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        w, h = c["width"], c["hidden"]
        self.heads = c["heads"]
        self.n1, self.n2 = nn.Parameter(torch.ones(w)), nn.Parameter(torch.ones(w))
        self.qkv, self.out = nn.Linear(w, 3 * w, bias=False), nn.Linear(w, w, bias=False)
        self.up, self.down = nn.Linear(w, h, bias=False), nn.Linear(h, w, bias=False)

    def forward(self, x, cos, sin, past=None):
        rows, length, width = x.shape
        q, k, v = self.qkv(norm(x, self.n1)).chunk(3, -1)
        q, k, v = (t.view(rows, length, self.heads, -1).transpose(1, 2) for t in (q, k, v))
        q, k = q * cos + swap(q) * sin, k * cos + swap(k) * sin
        if past is not None:
            keys, values, at = past
            keys[:, :, at : at + length], values[:, :, at : at + length] = k, v
            k, v = keys[:, :, : at + length], values[:, :, : at + length]
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if length > 1:
            scores = scores.masked_fill(torch.ones(length, length, dtype=torch.bool).triu(1), -1e9)
        x = x + self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(rows, length, width))
        return x + self.down(F.relu(self.up(norm(x, self.n2))).square())


def norm(x, gain):
    return x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt() * gain


def swap(x):
    a, b = x.chunk(2, -1)
    return torch.cat((b, a), -1)


class Model(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.embed = nn.Embedding(c["vocab"], c["width"])
        self.blocks = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.last = nn.Parameter(torch.ones(c["width"]))
        self.head = nn.Linear(c["width"], c["vocab"], bias=False)
        size = c["width"] // c["heads"]
        angle = torch.arange(c["context"])[:, None] / 1000 ** (torch.arange(size // 2) * 2 / size)
        self.cos = torch.cat((angle.cos(), angle.cos()), -1)
        self.sin = torch.cat((-angle.sin(), angle.sin()), -1)

    def forward(self, tokens, past=None, at=0):
        x = self.embed(tokens)
        span = slice(at, at + tokens.shape[1])
        for i, block in enumerate(self.blocks):
            x = block(x, self.cos[span], self.sin[span], None if past is None else (*past[i], at))
        return self.head(norm(x, self.last))


def train(c):
    model = Model(c)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    tokens = torch.randint(3, c["vocab"], (c["rows"], c["context"] + 1))
    seconds = []
    for _ in range(c["steps"]):
        began = time.perf_counter()
        logits = model(tokens[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, c["vocab"]), tokens[:, 1:].reshape(-1))
        adam.zero_grad()
        loss.backward()
        adam.step()
        seconds.append(time.perf_counter() - began)
    rest = sorted(seconds[min(3, c["steps"] // 2) :])
    return c["rows"] * c["context"] / rest[len(rest) // 2]


@torch.no_grad()
def sample(c):
    model = Model(c)
    speeds = []
    for _ in range(c["repeats"]):
        size = c["width"] // c["heads"]
        past = [
            tuple(torch.zeros(c["rows"], c["heads"], c["context"], size) for _ in range(2)) for _ in range(c["layers"])
        ]
        tokens = torch.ones(c["rows"], 1, dtype=torch.long)
        began = time.perf_counter()
        for at in range(c["context"] - 1):
            logprobs = model(tokens, past, at)[:, -1].log_softmax(-1)
            tokens = torch.multinomial(logprobs.exp(), 1)
            logprobs.gather(1, tokens).tolist()
        speeds.append(c["rows"] * (c["context"] - 1) / (time.perf_counter() - began))
    return sorted(speeds)[len(speeds) // 2]


print(json.dumps({"torch": torch.__version__, "train": [train(c) for c in job["train"]], "sample": sample(job["sample"])}))
