import type { StageContext } from '../stage.js';

const LABELS = { losses: 'losses of', answers: 'answers of' } as const;

/** Progress over all rows of all models: for each model in turn, its losses and then its answers. */
export function progress(
  { stage, emit }: StageContext,
  rowsOfModel: number,
  models: number,
): (label: string) => (done: number, what: keyof typeof LABELS) => void {
  let before = 0;
  return (label) => {
    const base = before;
    let losses = 0;
    return (done, what) => {
      if (what === 'losses') losses = done;
      before = base + (what === 'losses' ? done : losses + done);
      emit({
        type: 'stage.progress',
        stage: stage.name,
        done: before,
        total: rowsOfModel * models,
        unit: 'rows',
        label: `${LABELS[what]} ${label}`,
      });
    };
  };
}
