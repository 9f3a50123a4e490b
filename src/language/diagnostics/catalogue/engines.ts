/** FTP18xx, to FTP1849: what the engines can take, and what keeps the accelerate engine from being used. */
import type { Span } from '../../source/span.js';
import { counted, error, info } from '../make.js';

/** A setting of a budget, and who asks for it: the text has a place, an option none. */
export interface EngineSetting {
  readonly key: string;
  readonly value: string;
  readonly at?: Span;
}

/** `runtime = onnx`, or `--runtime onnx` where it is an option. */
const written = ({ key, value, at }: EngineSetting): string =>
  at === undefined ? `--${key} ${value}` : `${key} = ${value}`;

const related = (other: EngineSetting, message: string) =>
  other.at === undefined ? {} : { related: [{ at: other.at, message }] };

/** A tensor runtime is a part of the embedded engine. */
export const runtimeWithEngine = (engine: EngineSetting, runtime: EngineSetting) =>
  error('FTP1800', engine.at ?? runtime.at, {
    message: `\`${written(engine)}\` and \`${written(runtime)}\` exclude each other: only the embedded engine computes with a tensor runtime`,
    label: 'excludes the other',
    ...(engine.at === undefined ? {} : related(runtime, 'the runtime is asked for here')),
    help: `leave out \`${written(runtime)}\`, or compute with \`engine = embedded\``,
  });

/** Settings of several devices. */
export const RANK_SETTINGS = ['devices', 'nodes', 'sharding'] as const;
/** What only an option says of them. */
export const RANK_OPTIONS = ['node', 'rendezvous', 'python'] as const;

/** As where it is left out. */
export const isOneRank = ({ value }: EngineSetting): boolean => value === '1' || value === 'auto';

/** What divides the work among devices, where the embedded engine is asked for. */
export const ranksRefused = (setting: EngineSetting, embedded: EngineSetting) =>
  error('FTP1801', setting.at, {
    message: `\`${written(setting)}\` needs the accelerate engine, and \`${written(embedded)}\` asks for the embedded one, which computes in one process`,
    label: 'has no effect with the embedded engine',
    ...related(embedded, 'asks for the embedded engine'),
    help: `remove it, or \`${written(embedded)}\``,
  });

/** The same where nobody asks for an engine, and `auto` did not take that one. */
export const ranksUnused = (setting: EngineSetting, why: string) =>
  error('FTP1801', setting.at, {
    message: `\`${written(setting)}\` needs the accelerate engine, which was not taken: ${why}`,
    label: 'has no effect with the embedded engine',
    help: `ask for it with \`engine = accelerate\`, or leave \`${written(setting)}\` out`,
  });

export const enginesDiffer = (
  at: Span,
  key: string,
  value: string,
  first: { readonly name: string; readonly value: string; readonly span: Span },
) =>
  error('FTP1802', at, `two budgets set \`${key}\` differently: \`${first.value}\` and \`${value}\``, {
    label: 'differs from the first',
    related: [{ at: first.span, message: `\`${first.name}\` says \`${first.value}\`` }],
    help: 'all stages of a run are computed by one engine: remove one of the two settings',
  });

/** `there`: GPUs that a run may use. */
export const tooFewGpus = (setting: EngineSetting, there: number) =>
  error('FTP1803', setting.at, {
    message: `\`${written(setting)}\` asks for more than there is: ${counted(there, 'GPU')} may be used on this machine`,
    label: `there ${there === 1 ? 'is' : 'are'} ${there}`,
    help: 'ask for as many devices as there are; `CUDA_VISIBLE_DEVICES` says which GPUs a run may use',
  });

/** Shards are of several ranks. */
export const shardsOfOne = (setting: EngineSetting) =>
  error('FTP1804', setting.at, {
    message: `\`${written(setting)}\` needs several devices: one device has nothing to share a model with`,
    label: 'of one device',
    help: 'ask for more, e.g. `devices = 2`, or leave `sharding` out',
  });

/** One of several machines has to know which it is, and where they meet. */
export const nodeUnplaced = (nodes: number, missing: string) =>
  error('FTP1805', undefined, {
    message: `a run on ${counted(nodes, 'node')} needs \`${missing}\``,
    help: 'run the same command on each of them, with its own number: `--node 0 --rendezvous HOST:29400`, where HOST is node 0',
  });

/** A node that waits for the first. `wasThere`: it has been heard of, and is not any more. */
export const leaderGone = (rendezvous: string, wasThere: boolean) =>
  error('FTP1840', undefined, {
    message: wasThere
      ? `node 0 of \`--rendezvous ${rendezvous}\` gives no sign of life any more`
      : `no run of node 0 was found at \`--rendezvous ${rendezvous}\``,
    help: wasThere
      ? 'run the same command on all nodes again: the training goes on from its newest checkpoint'
      : 'start node 0 with the same `--rendezvous`, and a `--store` that all nodes share',
  });

/** `address`: of the rendezvous, without its port. */
export const rendezvousUnknown = (rendezvous: string, address: string) =>
  error('FTP1841', undefined, {
    message: `this machine knows no host \`${address}\`, where \`--rendezvous ${rendezvous}\` says that node 0 is`,
    help: 'name node 0 as every node finds it: a name that each of them resolves, or its address',
  });

export const noSuchNode = (setting: EngineSetting, nodes: number) =>
  error('FTP1806', setting.at, {
    message:
      nodes === 1
        ? `\`${written(setting)}\` is of a run on several nodes, and this one is on one`
        : `\`${written(setting)}\` is not the number of a node: ${nodes} nodes are numbered from 0`,
    help:
      nodes === 1
        ? 'say how many nodes there are, e.g. `--nodes 2`, or leave the option out'
        : `use \`--node 0\` to \`--node ${nodes - 1}\``,
  });

/** What an engine does not do. */
export interface EngineLimit {
  /** `bottleneck adapters (\`adapter\`)` */
  readonly what: string;
  readonly why: string;
  readonly help: string;
}

export const engineCannot = (at: Span, engine: string, { what, why, help }: EngineLimit) =>
  error('FTP1807', at, `the ${engine} engine cannot take ${what}: ${why}`, {
    label: `not on the ${engine} engine`,
    help,
  });

/** Information only: nobody asked for this engine, and the pipeline may be meant for another machine too. */
export const engineIdle = (at: Span, engine: string, { what, why, help }: EngineLimit) =>
  info('FTP1808', at, `${what} has no effect on the ${engine} engine: ${why}`, { help });

export const expertsWithout = (
  at: Span,
  target: string,
  { setting, value, why }: { readonly setting: string; readonly value: string; readonly why: string },
) =>
  error('FTP1809', at, `\`${setting}\` cannot be combined with factors over experts: ${why}`, {
    label: `\`targets\` has \`${target}\``,
    help: `write \`${setting}: ${value}\`, or leave the experts out of \`targets\``,
  });
