/**
 * Plans of the open pipelines, for hints and hovers. A plan takes long (it reads rows and sizes models), so it is
 * made in another process, once typing has stopped; a plan of an older text is never shown.
 */
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { PlannedStage } from '../../pipeline/planner/plan-json.js';
import { bytes, duration, scaleText } from '../../pipeline/planner/quantities.js';
import { planTexts } from '../../pipeline/stages/train-plan/fields.js';
import type { Compilation, Projects } from './projects.js';
import type { Settings } from './settings.js';

export interface PlanTask {
  readonly cwd: string;
  readonly file: string;
  readonly params: Readonly<Record<string, string>>;
  readonly machine: string | undefined;
  /** Texts of open documents by path: they count more than the disk. */
  readonly texts: Readonly<Record<string, string>>;
}

export interface PlanReply {
  readonly stages: readonly PlannedStage[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Makes plans somewhere else: at the rim, in a process of its own. */
export interface Planner {
  /** Rejects where the plan cannot be made; an abort ends the work at once. */
  plan(job: PlanTask, signal: AbortSignal): Promise<PlanReply>;
  close(): void;
}

/** Milliseconds without a keystroke before a plan begins. */
const QUIET = 400;

interface PlanEntry {
  readonly of: Compilation;
  readonly reply: PlanReply;
}

export class Plans {
  private readonly known = new Map<string, PlanEntry>();
  private readonly waiting = new Set<string>();
  /** What was last asked for: the same text is not planned twice. */
  private readonly asked = new Map<string, Compilation>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: { readonly path: string; readonly stop: AbortController } | undefined;

  constructor(
    private readonly projects: Projects,
    private readonly planner: Planner | undefined,
    private readonly settings: Settings,
    private readonly on: { readonly ready: () => void; readonly failed: (error: unknown) => void },
  ) {}

  /** The plan of the text as it is now. */
  of(path: string): PlanReply | undefined {
    const found = this.known.get(path);
    return found !== undefined && found.of === this.projects.compiled(path) ? found.reply : undefined;
  }

  /** Of these pipelines, those that have changed are planned again. */
  ask(paths: readonly string[]): void {
    if (this.planner === undefined || !this.settings.plan()) return;
    const changed = paths.filter((path) => this.asked.get(path) !== this.projects.compiled(path));
    if (changed.length === 0) return;
    for (const path of changed) {
      this.asked.set(path, this.projects.compiled(path));
      this.waiting.add(path);
      if (this.running?.path === path) this.running.stop.abort();
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.next(), QUIET);
  }

  forget(path: string): void {
    this.known.delete(path);
    this.asked.delete(path);
    this.waiting.delete(path);
    if (this.running?.path === path) this.running.stop.abort();
  }

  close(): void {
    clearTimeout(this.timer);
    this.waiting.clear();
    this.running?.stop.abort();
    this.planner?.close();
  }

  private async next(): Promise<void> {
    if (this.running !== undefined || this.planner === undefined) return;
    const [path] = this.waiting;
    if (path === undefined) return;
    this.waiting.delete(path);
    const stop = new AbortController();
    this.running = { path, stop };
    try {
      await this.make(path, this.planner, stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) this.on.failed(error);
    }
    this.running = undefined;
    void this.next();
  }

  private async make(path: string, planner: Planner, signal: AbortSignal): Promise<void> {
    const compiled = this.projects.compiled(path);
    if (compiled.program === undefined || compiled.program.stages.length === 0) return;
    if (this.known.get(path)?.of === compiled) return;
    const texts = this.projects.open
      .all()
      .filter((file) => file.path === path || compiled.seen.has(file.path));
    const reply = await planner.plan(
      {
        cwd: compiled.root,
        file: path,
        params: compiled.params,
        machine: this.settings.machine(),
        texts: Object.fromEntries(texts.map((file) => [file.path, file.text])),
      },
      signal,
    );
    if (signal.aborted || this.projects.compiled(path) !== compiled) return;
    this.known.set(path, { of: compiled, reply });
    this.on.ready();
  }
}

/** The planned stages of a block: a matrix makes several of one. */
export const plannedOf = (reply: PlanReply | undefined, name: string): readonly PlannedStage[] =>
  (reply?.stages ?? []).filter((stage) => stage.name === name || stage.instance?.of === name);

export const peakText = ({ peak }: PlannedStage): string | undefined =>
  peak === null ? undefined : bytes(peak.measured ?? peak.bytes);

/** A list: action, memory, time, size, choice. */
export function planFacts(stage: PlannedStage): string {
  const { chosen, seconds, scale, action, peak, diskBytes } = stage;
  const lines = [
    `${action}${stage.reasons.length === 0 ? '' : ` (${stage.reasons.map(({ code }) => code.replaceAll('_', ' ')).join(', ')})`}`,
    ...(peak === null
      ? []
      : [
          peak.measured === undefined
            ? `peak memory ${bytes(peak.bytes)} (${bytes(peak.low)} – ${bytes(peak.high)})`
            : `peak memory ${bytes(peak.measured)}, as measured`,
        ]),
    ...(seconds === null || action === 'cached' ? [] : [`time ${duration(seconds.expected)}`]),
    ...(scaleText(scale) === '' ? [] : [scaleText(scale)]),
    ...(chosen === null
      ? []
      : [
          `${chosen.method}, ${chosen.microBatch} rows × ${chosen.accumulation} per step, up to ${chosen.maxLength} tokens${chosen.rank > 0 ? `, rank ${chosen.rank}` : ''}`,
          ...planTexts(chosen),
        ]),
    ...(diskBytes > 0 ? [`disk ${bytes(diskBytes)}`] : []),
  ];
  return lines.map((line) => `- ${line}`).join('\n');
}
