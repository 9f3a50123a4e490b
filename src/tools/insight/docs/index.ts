export { htmlPage } from './html.js';
export { markdownPage } from './markdown.js';
export { pageOf } from './page.js';
