export { decideEngine } from './engine.js';
export { type MachineRow, type MachinesTable, planOnMachines } from './on-machines.js';
export { NOMINAL_SPEED, prepare, prepareCompiled } from './prepare.js';
export type { PlanRequest, PlanScope, PlanTarget, Preparation } from './request.js';
export { decideRuntime } from './runtime.js';
export { openSavedPlan, savePlan } from './saved-plan.js';
