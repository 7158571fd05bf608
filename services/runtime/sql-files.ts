import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder `sql`, found upwards from here: next to `services` in a checkout, next to `dist` in a package. */
function sqlFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'sql', 'migrations');
    if (existsSync(candidate)) return join(folder, 'sql');
    if (dirname(folder) === folder) throw new Error('the folder sql is missing next to services');
  }
}

const read = new Map<string, string>();

/** Text of sql/queries/NAME.sql. */
export async function sqlQuery(name: string): Promise<string> {
  let text = read.get(name);
  if (text === undefined) {
    text = readFileSync(join(sqlFolder(), 'queries', `${name}.sql`), 'utf8')
      .replaceAll(/^--.*$/gm, '')
      .trim();
    read.set(name, text);
  }
  return text;
}

/** sql/migrations in order, each with its statements. */
export async function sqlMigrations(): Promise<
  { readonly name: string; readonly text: string; readonly statements: readonly string[] }[]
> {
  const folder = join(sqlFolder(), 'migrations');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8');
      const statements = text
        .replaceAll(/^--.*$/gm, '')
        .split(/;\s*$/m)
        .map((statement) => statement.trim())
        .filter(Boolean);
      return { name, text, statements };
    }),
  );
}
