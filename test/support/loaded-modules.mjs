// Given to `node --import`: the address of every module that the process loads is written to file 3, one a line: ES modules as a hook sees them,
// CommonJS modules as they are known at the end.
import { writeSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const hook = `
import { writeSync } from 'node:fs';
export const load = (url, context, next) => { writeSync(3, url + '\\n'); return next(url, context); };
`;
module.register(`data:text/javascript,${encodeURIComponent(hook)}`);
const { cache } = createRequire(import.meta.url);
process.on('exit', () => {
  for (const path of Object.keys(cache)) writeSync(3, `${pathToFileURL(path).href}\n`);
});
