# SPDX-License-Identifier: Apache-2.0
"""llama.cpp on a decoder file, through its C functions: without the sampler and the copies of its
Python wrapper."""

import statistics
from collections.abc import Callable
from pathlib import Path

import llama_cpp
import numpy as np


class LlamaDecoder:
    """A decoder that reads a prompt from an empty state, then writes tokens one by one."""

    def __init__(self, path: Path, prefill: int, decode: int, threads: int, clock: Callable[[], float]) -> None:
        self.prefill, self.decode, self.clock = prefill, decode, clock
        self.llama = llama_cpp.Llama(
            str(path),
            n_ctx=prefill + decode,
            n_batch=prefill,
            n_ubatch=512,
            n_threads=threads,
            n_threads_batch=threads,
            verbose=False,
        )
        self.context = self.llama._ctx.ctx
        self.vocabulary = self.llama.n_vocab()

    def run(self, tokens: list[int]) -> int:
        """Reads tokens; returns the most probable next one."""
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        if llama_cpp.llama_decode(self.context, llama_cpp.llama_batch_get_one(array, len(tokens))) != 0:
            raise RuntimeError("llama_decode failed")
        logits = llama_cpp.llama_get_logits_ith(self.context, -1)
        return int(np.ctypeslib.as_array(logits, (self.vocabulary,)).argmax())

    def measure_once(self) -> dict[str, float]:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        prompt = [(7919 * index + 3) % self.vocabulary for index in range(self.prefill)]
        start = self.clock()
        token = self.run(prompt)
        middle = self.clock()
        for _ in range(self.decode):
            token = self.run([token])
        end = self.clock()
        return {"prefill": self.prefill / (middle - start), "decode": self.decode / (end - middle)}

    def measure(self, runs: int) -> dict[str, float]:
        """Tokens per second, the median of some runs after one that warms up."""
        results = [self.measure_once() for _ in range(runs + 1)][1:]
        return {stage: statistics.median(result[stage] for result in results) for stage in results[0]}
