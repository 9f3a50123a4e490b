/** What targets of releases ask for that their arguments alone do not say. */
import { canaryElsewhere, noHubToken, notOllamaName } from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Call } from '../ir/program.js';
import { isCall } from '../ir/values.js';
import { settingSpan } from './stage-settings.js';
import type { CheckedStage } from './stages.js';

/** Ollama's own rule for the parts of a name: `[host/][namespace/]model[:tag]`, with 80 characters per part. */
const OLLAMA_NAME =
  /^(?:[A-Za-z0-9][\w.:-]{0,349}\/)?(?:[A-Za-z0-9_][\w-]{0,79}\/)?[A-Za-z0-9_][\w.-]{0,79}(?::[A-Za-z0-9_][\w.-]{0,79})?$/;

/** What each target has besides; a folder has nothing. */
const CHECKS: Readonly<Record<string, (call: Call, checked: CheckedStage) => readonly Diagnostic[]>> = {
  hub_release: ({ args }, checked) =>
    args['token'] === undefined ? [noHubToken(settingSpan(checked, 'target'))] : [],
  ollama: ({ args }, checked) =>
    OLLAMA_NAME.test(String(args['name']))
      ? []
      : [notOllamaName(settingSpan(checked, 'target'), String(args['name']))],
};

export function checkTarget(checked: CheckedStage): readonly Diagnostic[] {
  const { kind, settings } = checked.stage;
  const { target, canary } = settings;
  if (kind !== 'deploy' || target === undefined || !isCall(target)) return [];
  const canCanary = target.call === 'directory' || canary === undefined;
  return [
    ...(canCanary ? [] : [canaryElsewhere(settingSpan(checked, 'canary'))]),
    ...(CHECKS[target.call]?.(target, checked) ?? []),
  ];
}
