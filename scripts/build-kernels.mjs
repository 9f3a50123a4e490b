// Assembles kernels/*.wat into src/compute/tensor/kernels.generated.ts. The result is checked in, so that a build needs
// no assembler; a test fails when it no longer matches its sources.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import wabtInit from 'wabt';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wabt = await wabtInit();
const lines = ['/** Written by scripts/build-kernels.mjs from kernels/*.wat; WebAssembly in base64. */'];
for (const file of readdirSync(join(root, 'kernels')).sort()) {
  const text = readFileSync(join(root, 'kernels', file), 'utf8');
  const { buffer } = wabt.parseWat(file, text, { simd: true }).toBinary({});
  const name = file.replace('.wat', '').toUpperCase();
  lines.push(`export const ${name}_KERNEL =`, `  '${Buffer.from(buffer).toString('base64')}';`);
}
writeFileSync(join(root, 'src/compute/tensor/kernels.generated.ts'), `${lines.join('\n')}\n`);
