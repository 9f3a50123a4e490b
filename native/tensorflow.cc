// The binding of @tensorflow/tfjs-node as one translation unit, and what it lacks: functions of the eager context. A
// graph that runs as a function takes handles and gives handles, and on a GPU none of them leaves the device; a
// SavedModel, which is all that the binding itself can run, fetches every input to the host in each run.
//
// The library is loaded by the binding itself, and not along with it: while it is, it writes notes on the processor to
// the terminal, before it reads how much it is to say.
//
// FTPC_TENSORFLOW_CONFIG is a ConfigProto for the context, in hexadecimal digits.

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include <node_api.h>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

namespace {

TFE_Context *context = nullptr;

TFE_Context *NewContext(TFE_ContextOptions *options, TF_Status *status) {
  if (const char *digits = std::getenv("FTPC_TENSORFLOW_CONFIG")) {
    std::string config;
    for (; digits[0] != '\0' && digits[1] != '\0'; digits += 2)
      config.push_back(static_cast<char>(std::stoi(std::string(digits, 2), nullptr, 16)));
    TFE_ContextOptionsSetConfig(options, config.data(), config.size(), status);
    if (TF_GetCode(status) != TF_OK) return nullptr;
  }
  return context = TFE_NewContext(options, status);
}

// What a function takes beside tensors comes from heaps and stays in them while it runs: panels that products are packed
// into, above all, whose pages would be mapped and filled with zeros anew for each product. A process that maps large
// blocks singly (MALLOC_MMAP_THRESHOLD_), so that weights are shared, does so only between runs; in any other, glibc
// raises the threshold itself. No op is worth it alone: each change merges the free blocks of the main heap.
class Heaped {
 public:
  explicit Heaped(const char *op) : changed(mapped > 0 && std::strncmp(op, "ftpc_", 5) == 0) {
    if (changed) mallopt(M_MMAP_THRESHOLD, std::max(mapped, 32 << 20));
  }
  ~Heaped() {
    if (changed) mallopt(M_MMAP_THRESHOLD, mapped);
  }
  static void Begin() {
    const char *bytes = std::getenv("MALLOC_MMAP_THRESHOLD_");
    mapped = bytes == nullptr ? 0 : std::atoi(bytes);
    if (mapped > 0 && std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr) mallopt(M_TRIM_THRESHOLD, 64 << 20);
  }

 private:
  inline static int mapped = 0;
  const bool changed;
};

void Execute(TFE_Op *op, TFE_TensorHandle **results, int *count, TF_Status *status) {
  const Heaped heaped(TFE_OpGetName(op, status));
  TFE_Execute(op, results, count, status);
}

}  // namespace

#define TFE_NewContext NewContext
#define TFE_Execute Execute
#include "binding/tfjs_backend.cc"
#undef TFE_Execute
#undef TFE_NewContext
// its registration is replaced by the one below
#undef NAPI_MODULE
#define NAPI_MODULE(name, init)
#include "binding/tfjs_binding.cc"

namespace {

template <typename Use>
napi_value WithStatus(napi_env env, Use use) {
  tfnodejs::TF_AutoStatus status;
  use(status.status);
  if (TF_GetCode(status.status) != TF_OK) napi_throw_error(env, nullptr, TF_Message(status.status));
  return nullptr;
}

napi_value Argument(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value = nullptr;
  napi_get_cb_info(env, info, &count, &value, nullptr, nullptr);
  return value;
}

// defineFunction(message: Uint8Array): a serialised FunctionDef.
napi_value DefineFunction(napi_env env, napi_callback_info info) {
  void *data = nullptr;
  size_t length = 0;
  napi_get_typedarray_info(env, Argument(env, info), nullptr, &length, &data, nullptr, nullptr);
  return WithStatus(env, [&](TF_Status *status) {
    TFE_ContextAddFunctionDef(context, static_cast<const char *>(data), length, status);
  });
}

// removeFunction(name: string)
napi_value RemoveFunction(napi_env env, napi_callback_info info) {
  char name[128] = "";
  napi_get_value_string_utf8(env, Argument(env, info), name, sizeof name, nullptr);
  return WithStatus(env, [&](TF_Status *status) { TFE_ContextRemoveFunction(context, name, status); });
}

}  // namespace

NAPI_MODULE_INIT() {
  const int terminal = dup(STDERR_FILENO);
  const int nowhere = open("/dev/null", O_WRONLY);
  if (terminal >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  const bool loaded = dlopen("libtensorflow_cc.so.2", RTLD_LAZY | RTLD_GLOBAL) != nullptr;
  const char *reason = loaded ? nullptr : dlerror();
  if (terminal >= 0) dup2(terminal, STDERR_FILENO);
  close(terminal);
  close(nowhere);
  if (!loaded) {
    napi_throw_error(env, nullptr, reason);
    return exports;
  }
  Heaped::Begin();
  tfnodejs::InitTFNodeJSBinding(env, exports);
  const napi_property_descriptor own[] = {
      {"defineFunction", nullptr, DefineFunction, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"removeFunction", nullptr, RemoveFunction, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, sizeof own / sizeof *own, own);
  return exports;
}
