export {
  compileChatTemplate,
  compileRowTemplate,
  type LoadedTemplate,
  type SpecialTokens,
  writesCalls,
  writesTools,
} from './compile.js';
export { checkSpecialTokens } from './markers.js';
export { CHAT_TEMPLATE, readChatTemplate, readStyle, readTokens } from './read.js';
