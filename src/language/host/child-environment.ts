/**
 * What another process gets of the environment: what the system and its libraries need, and no secret. Every process that is
 * started gets it from here; those that need more say what.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** As they are; on Windows in any case. */
const NAMES: ReadonlySet<string> = new Set([
  // people and their folders
  ...words('PATH HOME USER LOGNAME SHELL PWD TMPDIR TMP TEMP TZ LANG LANGUAGE TERM'),
  ...words('NO_COLOR FORCE_COLOR CI DISPLAY WAYLAND_DISPLAY'),
  ...words('SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT USERPROFILE APPDATA LOCALAPPDATA PROGRAMDATA'),
  ...words('PROGRAMFILES PROGRAMFILES(X86) NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE'),
  // Node.js
  ...words('NODE_OPTIONS NODE_PATH NODE_ENV NODE_DEBUG NODE_NO_WARNINGS NODE_EXTRA_CA_CERTS'),
  ...words('NODE_V8_COVERAGE NODE_USE_ENV_PROXY NODE_USE_SYSTEM_CA NODE_TLS_REJECT_UNAUTHORIZED'),
  ...words('NODE_COMPILE_CACHE UV_THREADPOOL_SIZE OPENSSL_CONF OPENSSL_MODULES'),
  // the way to a hub
  ...words('HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy'),
  ...words('SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE'),
  ...words('HF_HOME HF_ENDPOINT HF_DATASETS_CACHE'),
  // the linker of the system
  ...words('LD_LIBRARY_PATH LD_PRELOAD DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH DYLD_INSERT_LIBRARIES'),
]);

/** Of libraries that compute, and of ftpc. */
const PREFIXES = words(`
  FTPC_ LC_ XDG_ HF_HUB_ MALLOC_ GLIBC_TUNABLES ASAN_ UBSAN_ RUST_
  OMP_ KMP_ GOMP_ MKL_ OPENBLAS_ BLIS_ VECLIB_ RAYON_ TOKENIZERS_ ORT_ TF_ TFJS_ XLA_
  CUDA_ CUDNN_ CUBLAS_ NCCL_ NVIDIA_ ROCR_ ROCM_ HIP_ HSA_ MIOPEN_ ONEAPI_ SYCL_ ZE_
  PYTHON TORCH PYTORCH_ TRITON_ GLOO_ BNB_ BITSANDBYTES_ CONDA_ VIRTUAL_ENV
  VK_ MESA_ GALLIUM_ LIBGL_ LP_ EGL_ __GL __EGL DRI_ DAWN_ WEBGPU_ MTL_ METAL_
`);

/** A name that says so itself is no setting of a library. */
const SECRET = /TOKEN(?!IZERS)|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE/i;

const isPassedOn = (name: string): boolean =>
  NAMES.has(name) || (process.platform === 'win32' && NAMES.has(name.toUpperCase())) || isCommon(name);

/** What a program needs besides, by its name. */
export type Needs = (name: string) => boolean;

/** Variables that begin so, but for secrets. */
export const startingWith =
  (prefixes: readonly string[]): Needs =>
  (name) =>
    prefixes.some((prefix) => name.startsWith(prefix)) && !SECRET.test(name);

const isCommon = startingWith(PREFIXES);

export const passedOn = (environment: Environment, needs: Needs = () => false): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => isPassedOn(name) || needs(name)));

/** Of this process, with `own` laid over it. */
export const childEnvironment = (own: Environment = {}, needs?: Needs): Environment => ({
  ...passedOn(process.env, needs),
  ...own,
});
