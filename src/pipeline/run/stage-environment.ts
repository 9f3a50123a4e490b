/**
 * What the process of a stage gets of the environment: what its libraries and the system need, and no secret but those that
 * it fetches its repositories with. A model's code, if it ever ran, would find no token.
 */
import { nodeHost } from '../../language/host/node-host.js';
import { missingFiles } from '../hub/cache.js';
import { wanted } from '../hub/fetch.js';
import type { StageTask } from './messages.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** As they are; on Windows in any case. */
const NAMES: ReadonlySet<string> = new Set([
  // people and their folders
  ...[
    'PATH',
    'HOME',
    'USER',
    'LOGNAME',
    'SHELL',
    'PWD',
    'TMPDIR',
    'TMP',
    'TEMP',
    'TZ',
    'LANG',
    'LANGUAGE',
    'TERM',
  ],
  ...['NO_COLOR', 'FORCE_COLOR', 'CI', 'DISPLAY', 'WAYLAND_DISPLAY'],
  ...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR', 'COMSPEC', 'PATHEXT', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA'],
  ...['PROGRAMDATA', 'PROGRAMFILES', 'PROGRAMFILES(X86)', 'NUMBER_OF_PROCESSORS', 'PROCESSOR_ARCHITECTURE'],
  // Node.js
  ...[
    'NODE_OPTIONS',
    'NODE_PATH',
    'NODE_ENV',
    'NODE_DEBUG',
    'NODE_NO_WARNINGS',
    'NODE_EXTRA_CA_CERTS',
    'NODE_V8_COVERAGE',
  ],
  ...[
    'NODE_USE_ENV_PROXY',
    'NODE_USE_SYSTEM_CA',
    'NODE_TLS_REJECT_UNAUTHORIZED',
    'NODE_COMPILE_CACHE',
    'UV_THREADPOOL_SIZE',
  ],
  // the way to a hub
  ...[
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'ALL_PROXY',
    'NO_PROXY',
    'http_proxy',
    'https_proxy',
    'all_proxy',
    'no_proxy',
  ],
  ...[
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
    'REQUESTS_CA_BUNDLE',
    'CURL_CA_BUNDLE',
    'HF_HOME',
    'HF_ENDPOINT',
    'HF_DATASETS_CACHE',
  ],
  // the linker and the memory of the system
  ...[
    'LD_LIBRARY_PATH',
    'LD_PRELOAD',
    'DYLD_LIBRARY_PATH',
    'DYLD_FALLBACK_LIBRARY_PATH',
    'DYLD_INSERT_LIBRARIES',
  ],
]);

/** Of libraries that compute, and of ftpc. */
const PREFIXES: readonly string[] = [
  ...['FTPC_', 'LC_', 'XDG_', 'HF_HUB_', 'MALLOC_', 'GLIBC_TUNABLES', 'ASAN_', 'UBSAN_', 'RUST_'],
  ...[
    'OMP_',
    'KMP_',
    'GOMP_',
    'MKL_',
    'OPENBLAS_',
    'BLIS_',
    'VECLIB_',
    'RAYON_',
    'TOKENIZERS_',
    'ORT_',
    'TF_',
    'TFJS_',
    'XLA_',
  ],
  ...[
    'CUDA_',
    'CUDNN_',
    'CUBLAS_',
    'NCCL_',
    'NVIDIA_',
    'ROCR_',
    'ROCM_',
    'HIP_',
    'HSA_',
    'MIOPEN_',
    'ONEAPI_',
    'SYCL_',
    'ZE_',
  ],
  ...[
    'VK_',
    'MESA_',
    'GALLIUM_',
    'LIBGL_',
    'LP_',
    'EGL_',
    '__GL',
    '__EGL',
    'DRI_',
    'DAWN_',
    'WEBGPU_',
    'MTL_',
    'METAL_',
  ],
];

/** A name that says so itself is no setting of a library. */
const SECRET = /TOKEN(?!IZERS)|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE/i;

const isPassedOn = (name: string): boolean =>
  NAMES.has(name) ||
  (process.platform === 'win32' && NAMES.has(name.toUpperCase())) ||
  (PREFIXES.some((prefix) => name.startsWith(prefix)) && !SECRET.test(name));

/** Of `environment`, with the variables that `secrets` names. */
export const passedOn = (environment: Environment, secrets: ReadonlySet<string>): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => isPassedOn(name) || secrets.has(name)));

/** The variables that open the repositories of which a stage has still to fetch files. */
export function secretsOf(task: StageTask): ReadonlySet<string> {
  if (!task.repositories.some(({ secret }) => secret !== undefined)) return new Set();
  const host = nodeHost(task.cwd);
  const inputs = Object.values(task.inputs).map(({ stage }) => stage);
  const missing = wanted({ ...task, inputs }).filter((pinned) => missingFiles(host, pinned).length > 0);
  return new Set(missing.flatMap(({ secret }) => (secret === undefined ? [] : [secret])));
}
