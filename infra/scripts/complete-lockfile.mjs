// Makes package-lock.json whole for every platform. A registry that carries only some platforms' builds of optional packages makes npm leave the others
// out, and `npm ci` then refuses the file. Adds each missing one with the platform that its name says. `--check` changes nothing and
// exits 1 when something is missing or a download address was recorded.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = {
  arm64: 'arm64',
  x64: 'x64',
  ia32: 'ia32',
  arm: 'arm',
  armv7: 'arm',
  ppc64: 'ppc64',
  ppc64le: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  loong64: 'loong64',
  mips64el: 'mips64el',
  wasm32: 'wasm32',
};

function platformOf(name) {
  const words = name.split('/').at(-1).split(/[-.]/);
  const os = systems.find((system) => words.includes(system));
  const processor = Object.keys(processors).find((word) => words.includes(word));
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : os === 'linux' && words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined;
  return { ...(os && { os: [os] }), ...(processor && { cpu: [processors[processor]] }), ...(libc && { libc: [libc] }) };
}

const file = fileURLToPath(new URL('../../package-lock.json', import.meta.url));
const lock = JSON.parse(readFileSync(file, 'utf8'));
const missing = {};
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const top = `node_modules/${name}`;
    if (lock.packages[top] || lock.packages[`${path}/${top}`] || missing[top]) continue;
    const platform = platformOf(name);
    if (Object.keys(platform).length === 0) continue; // not a platform's build: npm's own business
    missing[top] = {
      version: range.replace(/^[\^~]/, ''),
      ...platform,
      ...(entry.dev && { dev: true }),
      optional: true,
    };
  }
}
const addresses = Object.values(lock.packages).filter((entry) => entry.resolved !== undefined).length;
const count = Object.keys(missing).length;
if (process.argv.includes('--check')) {
  if (count > 0)
    console.error(`package-lock.json misses ${count} platform packages: run node infra/scripts/complete-lockfile.mjs`);
  if (addresses > 0)
    console.error(
      `package-lock.json records ${addresses} download addresses: set omit-lockfile-registry-resolved and install again`,
    );
  process.exit(count > 0 || addresses > 0 ? 1 : 0);
}
lock.packages = Object.fromEntries(
  Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => (a < b ? -1 : 1)),
);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${count} entries added`);
