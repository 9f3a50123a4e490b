export { htmlPage } from './html-page.js';
export { markdownPage } from './markdown-page.js';
export { pageOf } from './page.js';
