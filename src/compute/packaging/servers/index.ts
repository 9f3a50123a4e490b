export { readServerFacts, type ServerFacts } from './facts.js';
export { type OllamaModel, ollamaModel } from './modelfile.js';
export { type OllamaRefusal, ollamaRefusal } from './ollama.js';
export { SERVE, serveFiles } from './serve-files.js';
