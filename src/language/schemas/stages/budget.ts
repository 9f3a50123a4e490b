import { ENGINE_CHOICES, MOST_DEVICES, MOST_NODES, SHARDING_CHOICES } from '../../ir/engines.js';
import { RUNTIME_CHOICES } from '../../ir/runtimes.js';
import { type MetricSchema, optional, t } from '../schema.js';

/** What a `budget` block sets besides what it requires: the machine's part of the pipeline. No key of a stage has it. */
export const budgetSettings = {
  engine: optional(
    t.enum(...ENGINE_CHOICES),
    'What computes, unless `--engine` is given: `embedded`, in this process, or `accelerate`, with PyTorch in a process per device. Default: `auto`, which takes `accelerate` where an NVIDIA GPU and its environment are there and no `runtime` is asked for.',
  ),
  devices: optional(
    t.integer({ min: 1, max: MOST_DEVICES }),
    'Devices of each node that the accelerate engine computes on, a process for each, unless `--devices` is given; default: all GPUs, or one process on the CPU.',
  ),
  nodes: optional(
    t.integer({ min: 1, max: MOST_NODES }),
    'Machines that the accelerate engine computes on, unless `--nodes` is given; default: 1.',
  ),
  sharding: optional(
    t.enum(...SHARDING_CHOICES),
    'How several devices share a training, unless `--sharding` is given: a replica on each (`ddp`), or shards by FSDP2 (`fsdp`). Default: `auto`: `ddp` where a replica fits, or else `fsdp`.',
  ),
  runtime: optional(
    t.enum(...RUNTIME_CHOICES),
    'The tensor runtime of the embedded engine, unless `--runtime` is given; default: `auto`.',
  ),
  device_memory: optional(
    t.quantity('bytes', { min: 1 }),
    'Maximum memory for tensors on the device of `tensorflow`, `webgpu` or `wasm`. If `FTPC_DEVICE_MEMORY` is set too, the smaller of the two applies.',
  ),
};

/** What a `require` in a `budget` block may refer to; the planner predicts it, the run measures it. */
export const budgetMetrics: Readonly<Record<string, MetricSchema>> = {
  peak_memory: {
    doc: 'Peak resident memory of any stage.',
    unit: 'bytes',
    known: 'plan',
  },
  wall_time: { doc: 'Time of the whole run.', unit: 'seconds', known: 'plan' },
  cost: {
    doc: 'What the run costs: its time at the price of the machine, which `--price` or the declaration of the machine says.',
    unit: 'price',
    known: 'plan',
  },
  gpu_hours: { doc: 'Hours of the run times the GPUs that it has.', unit: 'number', known: 'plan' },
  disk: { doc: 'Bytes that the run writes.', unit: 'bytes', known: 'plan' },
};

/** `checklist.open`: how the production checklist is answered before a run begins. */
export const checklistMetrics: Readonly<Record<string, MetricSchema>> = {
  open: {
    doc: 'Items of the production checklist that something written in the pipeline would close.',
    unit: 'number',
    known: 'plan',
  },
  unknown: { doc: 'Items of it that nothing here can know.', unit: 'number', known: 'plan' },
};

/** What can be said about any one stage, before it runs and after: `adapter.peak_memory`. */
export const stageMetrics: Readonly<Record<string, MetricSchema>> = {
  peak_memory: {
    doc: 'Peak resident memory of the stage.',
    unit: 'bytes',
    known: 'plan',
  },
  wall_time: { doc: 'Time of the stage.', unit: 'seconds', known: 'plan' },
  cost: { doc: 'What the time of the stage costs.', unit: 'price', known: 'plan' },
  gpu_hours: { doc: 'Hours of the stage times the GPUs that the run has.', unit: 'number', known: 'plan' },
  disk: { doc: 'Bytes that the stage writes.', unit: 'bytes', known: 'plan' },
};
