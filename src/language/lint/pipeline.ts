/** Adapts a compilation to what rules need. */
import { basename, dirname, resolve } from 'node:path';
import type { CheckedStage } from '../check/stages.js';
import { modelFolder } from '../check/tokenizers.js';
import type { Analysis, CompileResult } from '../compile.js';
import { type Host, HostError } from '../host/host.js';
import type { StageKind } from '../ir/program.js';
import type { Lock } from '../schemas/lock-file.js';
import { spanText } from '../source/text.js';
import { countRows } from './count-rows.js';
import { readLock } from './lock.js';
import { placeOf } from './places.js';
import type { Pipeline, PipelineFiles, RowCount } from './rule.js';

const WEIGHTS = /\.safetensors$/;

export function pipelineOf(result: CompileResult, analysis: Analysis, host: Host): Pipeline {
  const sound = analysis.stages.filter(({ isSound, block }) => isSound && !block.broken);
  const stages = new Map(sound.map((checked) => [checked.stage.name, checked]));
  const path = analysis.main.path;
  const folder = dirname(path);
  const files = filesOf(host, path);
  const counted = new Map<CheckedStage, RowCount | undefined>();
  const context = { host, folder, files, counted: new Map<string, number | undefined>() };
  return {
    of: (kind: StageKind) => sound.filter(({ stage }) => stage.kind === kind),
    stage: (name) => (name === undefined ? undefined : stages.get(name)),
    stages,
    isWhole: result.program !== undefined,
    rows(data) {
      if (!counted.has(data)) counted.set(data, countRows(data, context));
      return counted.get(data);
    },
    weightBytes(model) {
      const weights = modelFolder(model, { host, folder });
      const names = weights === undefined ? [] : files.list(weights).filter((name) => WEIGHTS.test(name));
      if (weights === undefined || names.length === 0) return undefined;
      return names.reduce((sum, name) => sum + (host.stat(resolve(weights, name))?.size ?? 0), 0);
    },
    text(span) {
      const source = result.sources.get(span.file);
      return source === undefined ? '' : spanText(source, span);
    },
    place: placeOf,
    param: (name) => analysis.main.tree.params.find((param) => param.name.text === name),
    files,
  };
}

function filesOf(host: Host, pipeline: string): PipelineFiles {
  const folder = dirname(pipeline);
  const quietly = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (error instanceof HostError) return undefined;
      throw error;
    }
  };
  const lockPath = resolve(folder, `${basename(pipeline).replace(/\.ftp$/, '')}.lock`);
  let locked: { readonly lock: Lock | undefined } | undefined;
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return {
    list: (inside) => quietly(() => host.list(resolve(folder, inside))) ?? [],
    head: (path, bytes) => quietly(() => decode(host.readBytes(resolve(folder, path), 0, bytes))),
    get lock() {
      locked ??= { lock: readLock(quietly(() => host.readText(lockPath)) ?? '') };
      return locked.lock;
    },
  };
}
