"""llama.cpp's own quantiser: CPU seconds that one thread takes for a file.

python quantise.py LIBRARIES IN OUT FILE_TYPE: LIBRARIES is the folder with libllama."""

import ctypes
import glob
import os
import sys
import time

libraries, source, target, file_type = sys.argv[1:]


def library(pattern):
    return ctypes.CDLL(sorted(glob.glob(os.path.join(libraries, pattern)))[0], mode=ctypes.RTLD_GLOBAL)


class Parameters(ctypes.Structure):
    _fields_ = [
        ("threads", ctypes.c_int32),
        ("file_type", ctypes.c_int),
        ("output", ctypes.c_int),
        ("embedding", ctypes.c_int),
        ("flags", ctypes.c_bool * 6),
        ("rest", ctypes.c_byte * 128),
    ]


library("libggml-base.*")
library("libggml.*")
llama = library("libllama.*")
quiet = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
llama.llama_log_set(quiet, None)
llama.llama_backend_init()
llama.llama_model_quantize_default_params.restype = Parameters
parameters = llama.llama_model_quantize_default_params()
parameters.threads = 1
parameters.file_type = int(file_type)
llama.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(Parameters)]
start = time.process_time()
failed = llama.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(parameters))
assert failed == 0, failed
print(time.process_time() - start)
