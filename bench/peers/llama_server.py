"""llama.cpp's own server over a GGUF file, as `pip install xllamacpp` has it: says where it listens, and ends with its input.

usage: llama_server.py FILE ROWS CONTEXT THREADS
"""

import sys

import xllamacpp

path, *numbers = sys.argv[1:]
rows, context, threads = map(int, numbers)
params = xllamacpp.CommonParams()
params.model.path = path
params.n_parallel = rows
params.n_ctx = rows * context
params.cpuparams.n_threads = threads
params.cpuparams_batch.n_threads = threads
params.verbosity = 0
params.hostnames = ["127.0.0.1"]
params.port = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
