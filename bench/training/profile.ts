/** Where the time of a step goes, by ONNX Runtime's own profile: prints `[{ what, share }, …]` as JSON. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Task } from './cases.js';
import { stepper } from './step.js';

export interface Share {
  readonly what: string;
  /** Of the time within ONNX Runtime. */
  readonly share: number;
}

/** An event of the profile, as far as it is read. */
interface Event {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
    readonly output_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
  };
}

const STEPS = 3;

/** A product of matrices that is added to a sum in place. */
const IN_PLACE = 'FusedConv';
const PRODUCTS: ReadonlySet<string> = new Set(['FusedMatMul', 'Gemm', IN_PLACE]);

const task = JSON.parse(process.argv[2] ?? '') as Task;
const folder = mkdtempSync(join(tmpdir(), 'ftpc-profile-'));
try {
  const { step, release } = await stepper(task, join(folder, 'graph'));
  for (let count = 0; count <= STEPS; count++) await step();
  // The files are whole once the sessions are gone.
  await release();
  console.log(JSON.stringify(shares(folder)));
} finally {
  rmSync(folder, { recursive: true });
}

function shares(folder: string): readonly Share[] {
  const spent = new Map<string, number>();
  for (const file of readdirSync(folder))
    for (const event of JSON.parse(readFileSync(join(folder, file), 'utf8')) as Event[]) {
      if (event.cat !== 'Node' || !event.name.endsWith('_kernel_time')) continue;
      const what = kindOf(event);
      spent.set(what, (spent.get(what) ?? 0) + event.dur);
    }
  const all = [...spent.values()].reduce((sum, time) => sum + time, 0);
  return [...spent].map(([what, time]) => ({ what, share: time / all })).sort((a, b) => b.share - a.share);
}

/** Products are told apart by what they are of. */
function kindOf({ args }: Event): string {
  const op = args?.op_name ?? 'unknown';
  if (!PRODUCTS.has(op)) return op;
  const shapes = [...(args?.input_type_shape ?? []), ...(args?.output_type_shape ?? [])].flatMap((typed) =>
    Object.values(typed),
  );
  if (shapes.some((shape) => shape.includes(task.config.vocabSize))) return 'products of the head';
  if (op !== IN_PLACE && shapes.some((shape) => shape.length > 2)) return 'products of the attention';
  return shapes.some((shape) => shape.some((size) => size % task.rank === 0 && size <= 3 * task.rank))
    ? 'products of the adapter'
    : 'products with the base';
}
